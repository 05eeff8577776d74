"""The dialer calls the owners of keyed-in numbers to have them confirmed."""

import threading

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Confirmation
from db.states import RegistrationState
from dialer import asterisk_events
from dialer.loop import Dialer
from hotline.line import confirmation_calls
from hotline.line.registration import cancel
from settings import Settings
from tests import factories as make
from tests.dialer.office import LONG_AGO, Office, check_five_at_a_time, on_sqlite
from tests.kit.fake_manager import PATIENCE_S, FakeManager


def keyed_in(office: Office, number: str = "") -> int:
    with writing(office.engine) as session:
        return make.keyed_in(session, make.a_round(session), number).id


def confirmation(office: Office, id_: int) -> Confirmation:
    with reading(office.engine) as session:
        return session.get_one(Confirmation, id_)


def state_of(office: Office, id_: int) -> RegistrationState:
    place = confirmation(office, id_).registration
    assert place
    return place.state


def comes_due(office: Office, id_: int) -> None:
    """The wait between two attempts is over."""
    with writing(office.engine) as session:
        session.get_one(Confirmation, id_).not_before = now(session) - LONG_AGO


def test_keyed_in_number_is_called_once_with_its_own_token(
    office: Office, manager: FakeManager, settings: Settings
):
    id_ = keyed_in(office, "+989131234567")

    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()

    token = confirmation(office, id_).token
    assert token is not None
    assert manager.named("Originate") == [
        {
            "Action": "Originate",
            "ActionID": token,
            "ChannelId": token,
            "Channel": "Local/+989131234567@dial/n",
            "Context": "confirm",
            "Exten": "s",
            "Priority": "1",
            "CallerID": "137 <137>",
            "Timeout": str((settings.ring_seconds + 5) * 1000),
            "Async": "true",
        }
    ]


def test_unanswered_confirmation_is_given_up_after_three_calls(office: Office, manager: FakeManager):
    id_ = keyed_in(office)
    for attempt in (1, 2, 3):
        assert state_of(office, id_) is RegistrationState.UNCONFIRMED
        office.until(lambda attempt=attempt: len(manager.named("Originate")) == attempt)
        token = confirmation(office, id_).token
        assert token is not None
        manager.refuses(token, 480)
        office.until(lambda: confirmation(office, id_).token is None)
        office.until_at_rest()
        assert len(manager.named("Originate")) == attempt, "not before the wait is over"
        comes_due(office, id_)

    office.until_at_rest()
    assert state_of(office, id_) is RegistrationState.CANCELLED
    tokens = [action["ChannelId"] for action in manager.named("Originate")]
    assert len(set(tokens)) == 3


@pytest.mark.parametrize(
    ("yes", "state"), [(True, RegistrationState.WAITING), (False, RegistrationState.CANCELLED)]
)
def test_an_answered_confirmation_is_over(
    office: Office, manager: FakeManager, yes: bool, state: RegistrationState
):
    id_ = keyed_in(office)
    office.until(lambda: manager.named("Originate"))
    token = confirmation(office, id_).token or ""
    with writing(office.engine) as session:
        confirmation_calls.answer(session, token, yes=yes)

    manager.hangs_up(token)
    office.until(lambda: confirmation(office, id_).token is None)
    comes_due(office, id_)
    office.until_at_rest()

    assert state_of(office, id_) is state
    assert len(manager.named("Originate")) == 1


@on_sqlite
@pytest.mark.parametrize("number", ["+4930123456", "+982122334455", "+5371234567"])
def test_number_outside_the_allowed_prefixes_is_not_called(office: Office, manager: FakeManager, number: str):
    id_ = keyed_in(office, number)

    def is_given_up() -> bool:
        comes_due(office, id_)
        return state_of(office, id_) is RegistrationState.CANCELLED

    office.until(is_given_up)
    assert manager.named("Originate") == []


@on_sqlite
def test_confirmation_calls_are_limited_at_a_time(office: Office, manager: FakeManager):
    ids = [keyed_in(office) for _ in range(8)]

    check_five_at_a_time(office, manager)
    assert sum(confirmation(office, id_).token is not None for id_ in ids) == 5


@on_sqlite
def test_a_refused_confirmation_is_tried_again_later(office: Office, manager: FakeManager):
    manager.refused = {"Originate": "Permission denied"}
    id_ = keyed_in(office)

    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()

    assert len(manager.named("Originate")) == 1, "not in a tight loop"
    assert state_of(office, id_) is RegistrationState.UNCONFIRMED
    refused = confirmation(office, id_)
    assert (refused.token, refused.attempts) == (None, 0), "our own fault is none of the three tries"

    manager.refused = {}
    comes_due(office, id_)
    office.until(lambda: len(manager.named("Originate")) > 1)
    office.until_at_rest()
    (again,) = manager.named("Originate")[1:]
    tried = confirmation(office, id_)
    assert (tried.token, tried.attempts) == (again["ChannelId"], 1)


@on_sqlite
def test_confirmation_of_unknown_placement_is_not_repeated(office: Office, manager: FakeManager):
    manager.unanswered = {"Originate"}
    id_ = keyed_in(office)

    office.until(lambda: manager.named("Originate"))
    manager.unanswered = set()
    office.until_at_rest()

    token = confirmation(office, id_).token
    assert [action["ChannelId"] for action in manager.named("Originate")] == [token]


def test_a_confirmation_that_ended_unseen_is_tried_again_later(office: Office, manager: FakeManager):
    id_ = keyed_in(office)
    office.until(lambda: manager.named("Originate"))

    manager.channels.pop(confirmation(office, id_).token or "")
    manager.cut()
    office.until(lambda: confirmation(office, id_).token is None)

    kept = confirmation(office, id_)
    assert (kept.attempts, state_of(office, id_)) == (1, RegistrationState.UNCONFIRMED)
    with reading(office.engine) as session:
        assert kept.not_before > now(session)


@on_sqlite
def test_a_place_given_up_before_the_call_is_not_called(office: Office, manager: FakeManager):
    id_ = keyed_in(office)
    with writing(office.engine) as session:
        cancel(session, confirmation(office, id_).registration_id or 0)

    office.until_at_rest()

    assert manager.named("Originate") == []


def test_two_dialers_by_mistake_call_a_keyed_in_number_once(
    office: Office,
    manager: FakeManager,
    settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
):
    # What one is about to call the other does not take for over, however slow this machine is at the moment.
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 60.0)
    ids = [keyed_in(office) for _ in range(4)]
    other = Dialer(settings, engine, office.ami)
    office.until(office.ami.connected.is_set)

    def work() -> None:
        for _ in range(10):
            other.step()

    thread = threading.Thread(target=work)
    thread.start()
    office.until(lambda: len(manager.named("Originate")) >= 4)
    thread.join(PATIENCE_S)
    office.until_at_rest()

    called = sorted(action["ChannelId"] for action in manager.named("Originate"))
    assert called == sorted(confirmation(office, id_).token or "" for id_ in ids)
