"""A desk's phone at an empty desk: a browser's is hung up, and its keys do nothing."""

import pytest
from sqlalchemy import select

from db.engine import reading, writing
from db.models import Desk, Round, User
from db.states import CallbackState
from dialer import empty_desks
from dialplan.variables import REPLACED_CAUSE
from hotline.people import staff
from settings import Settings
from tests.dialer.hall import Hall
from tests.dialer.office import DESK_CHANNEL, Office
from tests.kit.fake_manager import FakeManager

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # a matter of Asterisk's

C = CallbackState


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empty_desks, "_LOOK_S", 0.01)


def _disable(office: Office, settings: Settings) -> None:
    """The person at the first desk cannot sign in any more."""
    with writing(office.engine) as session:
        person = session.scalars(select(User).where(User.desk_id == 1)).one()
        staff.disable(session, person, who="admin", settings=settings)


def _hung_up(manager: FakeManager) -> list[tuple[str, str]]:
    return [(h["Channel"], h["Cause"]) for h in manager.named("Hangup")]


def test_disabled_person_loses_the_browser_phone(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    office.until_at_rest()
    assert _hung_up(manager) == []
    _disable(office, settings)
    office.until(lambda: _hung_up(manager))
    assert set(_hung_up(manager)) == {(DESK_CHANNEL, str(REPLACED_CAUSE))}
    manager.hangs_up("desk.1", REPLACED_CAUSE)
    office.until(lambda: not office.phone_connected())


def test_person_moved_to_another_desk_loses_the_first_phone(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    office.until_at_rest()
    with writing(office.engine) as session:
        person = staff.get(session, office.user.id)
        staff.change(session, person, who="admin", settings=settings, desk_id=2)
    office.until(lambda: _hung_up(manager))
    assert set(_hung_up(manager)) == {(DESK_CHANNEL, str(REPLACED_CAUSE))}


def test_disabled_person_keeps_the_phone_until_the_talk_ends(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    token = office.call(C.TALKING)
    _disable(office, settings)
    office.until_at_rest()
    office.until_at_rest()
    assert _hung_up(manager) == []
    assert office.state(token) is C.TALKING
    manager.hangs_up(token)
    office.until(lambda: _hung_up(manager))
    assert set(_hung_up(manager)) == {(DESK_CHANNEL, str(REPLACED_CAUSE))}


def test_telephone_of_a_desk_stays_when_its_person_is_disabled(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    with writing(office.engine) as session:
        session.get_one(Desk, 1).phone = "sip"
    _disable(office, settings)
    office.until_at_rest()
    office.until_at_rest()
    assert _hung_up(manager) == []
    assert office.phone_connected()


@pytest.mark.parametrize("key", ["next", "pause", "end-round"])
def test_key_at_an_empty_desk_changes_nothing(hall: Hall, settings: Settings, key: str) -> None:
    with writing(hall.engine) as session:
        session.get_one(Desk, 1).phone = "sip"
    _disable(hall, settings)
    with writing(hall.engine) as session:  # the round goes on: whatever a key does would be seen
        session.get_one(Desk, 1).round_id = hall.round_id
    hall.presses(key)
    assert not hall.wants()
    with reading(hall.engine) as session:
        round_ = session.get_one(Round, hall.round_id)
        assert (round_.paused_at, round_.ended_at) == (None, None)


def test_key_at_a_desk_since_emptied_ends_no_conversation(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    talking = hall.brings(C.TALKING)
    _disable(hall, settings)
    for key in ("finishing", "hang-up", "next"):
        hall.presses(key)
    assert (hall.state(talking), hall.callback(talking).finishing_at) == (C.TALKING, None)
    assert manager.named("Hangup") == []
