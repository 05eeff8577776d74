"""The dialer and the calls that say that the turn is near: once, when it may, and never beside a callback."""

# ruff: noqa: F811  (fixtures of another file)

from datetime import timedelta

import pytest

from db.engine import now, reading, writing
from db.models import NearCall, PlacedCall, Registration, Round
from db.states import RegistrationState
from hotline import near, near_calls
from hotline.clock import CITY
from settings import QuietHours, Settings
from tests import factories as make
from tests.kit.fake_manager import FakeManager
from tests.test_dialer import (  # noqa: F401  (fixtures)
    Office,
    manager,
    office,
    quick,
)

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what the database decides: test_near_calls


def nears(office: Office, count: int = 1, number: str = "") -> list[int]:
    """So many registrations that have come near."""
    with writing(office.engine) as session:
        round_ = make.a_round(session)
        own = {"number": number} if number else {}
        ids = [r.id for r in make.some_registrations(session, round_, count, **own)]
        near.tell(session, 100, call=True)
    return ids


def kept(office: Office, id_: int) -> NearCall:
    with reading(office.engine) as session:
        round_id = session.get_one(Registration, id_).round_id
        return session.get_one(NearCall, (id_, round_id))


def ended(office: Office, id_: int) -> bool:
    return kept(office, id_).ended_at is not None


def test_who_is_near_is_called_once_with_a_token_of_its_own(office: Office, manager: FakeManager):
    (id_,) = nears(office, number="+989131234567")

    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()

    (call,) = manager.named("Originate")
    token = kept(office, id_).token
    assert (call["ChannelId"], call["ActionID"], call["Context"]) == (token, token, "near")
    assert call["Channel"] == "Local/+989131234567@dial/n"


def test_a_call_that_is_not_answered_is_not_tried_again(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))
    assert not ended(office, id_)

    manager.hangs_up(kept(office, id_).token or "", 19)
    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert len(manager.named("Originate")) == 1
    with reading(office.engine) as session:
        assert session.query(PlacedCall).one().ended_at, "its line is free"
        assert session.get_one(Registration, id_).state is RegistrationState.WAITING


def test_a_call_that_asterisk_refuses_is_over(office: Office, manager: FakeManager):
    manager.refused = {"Originate": "Permission denied"}
    (id_,) = nears(office)

    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert len(manager.named("Originate")) == 1


def test_a_call_of_which_nobody_can_say_whether_it_was_placed_is_not_placed_again(
    office: Office, manager: FakeManager
):
    manager.unanswered = {"Originate"}
    (id_,) = nears(office)

    office.until(lambda: manager.named("Originate"))
    manager.unanswered = set()
    office.until_at_rest()

    assert [c["ChannelId"] for c in manager.named("Originate")] == [kept(office, id_).token]


def test_a_call_that_ended_unseen_is_over(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))

    manager.channels.pop(kept(office, id_).token or "")
    manager.cut()
    office.until(lambda: ended(office, id_))

    office.until_at_rest()
    assert len(manager.named("Originate")) == 1


def test_who_is_taken_out_of_the_line_meanwhile_is_not_called_besides(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    with writing(office.engine) as session:
        session.get_one(Registration, id_).state = RegistrationState.CALLING

    office.until_at_rest()

    assert manager.named("Originate") == []
    assert kept(office, id_).token is None


@pytest.mark.parametrize("number", ["+4930123456", "+982122334455"])
def test_a_number_outside_the_allowed_prefixes_is_never_called(
    office: Office, manager: FakeManager, number: str
):
    (id_,) = nears(office, number=number)

    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert manager.named("Originate") == []


def test_only_a_few_are_called_at_once_and_the_next_when_one_has_ended(office: Office, manager: FakeManager):
    nears(office, 7)

    office.until(lambda: len(manager.named("Originate")) >= 5)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 5

    manager.hangs_up(manager.named("Originate")[0]["ChannelId"])
    office.until(lambda: len(manager.named("Originate")) >= 6)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 6


@pytest.fixture
def by_night(office: Office, settings: Settings) -> Office:
    """It is quiet in the city."""
    with reading(office.engine) as session:
        local = now(session).astimezone(CITY)
    begin, end = ((local + timedelta(hours=h)).time() for h in (-1, 1))
    office._settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    office.restart()
    return office


def test_nobody_is_called_in_quiet_hours(by_night: Office, manager: FakeManager):
    (id_,) = nears(by_night)

    by_night.until_at_rest()

    assert manager.named("Originate") == []
    assert kept(by_night, id_).token is None


def test_a_number_that_was_called_too_often_is_left_in_peace(
    office: Office, manager: FakeManager, settings: Settings
):
    (id_,) = nears(office, number="+989131234567")
    with writing(office.engine) as session:
        for n in range(settings.calls_per_number):
            at = now(session)
            session.add(PlacedCall(token=f"before-{n}", number="+989131234567", at=at, ended_at=at))

    office.until(lambda: ended(office, id_))

    assert manager.named("Originate") == []


def test_a_call_beyond_the_caps_waits_and_leaves_the_line_free(
    office: Office, manager: FakeManager, settings: Settings
):
    (id_,) = nears(office)
    office._settings = settings.model_copy(update={"calls_per_hour": 2})
    office.restart()
    with writing(office.engine) as session:
        at = now(session)
        session.add(PlacedCall(token="before", number=make.a_number(), at=at, ended_at=at))

    office.until_at_rest()
    assert manager.named("Originate") == []
    with reading(office.engine) as session:
        assert [d.registration_id for d in near_calls.due(session, 5)] == [id_]
        assert session.get_one(Round, kept(office, id_).round_id).opened_at

    office._settings = settings
    office.restart()
    office.until(lambda: manager.named("Originate"))
