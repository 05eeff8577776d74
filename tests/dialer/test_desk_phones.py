"""The dialer and the officials: a telephone that it calls for a desk, the soft tone, and «later»."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import Callback, Desk, User
from db.states import CallbackState, Outcome, RegistrationState
from dialer import tone
from hotline.desks import desk_phones
from hotline.people import accounts
from settings import Settings
from tests import factories as make
from tests.dialer.office import DESK_CHANNEL, Office
from tests.kit.fake_manager import FakeManager

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

C = CallbackState
NUMBER = "+989137654321"
TELEPHONE = "Local/+989137654321@dial-00000001;1"


@pytest.fixture
def asked(office: Office, settings: Settings) -> Office:
    """The person at the second desk, who has a telephone and a PIN, wants it called."""
    with writing(office.engine) as session:
        desk = session.get_one(Desk, 2)
        desk.number = NUMBER
        user = session.scalars(select(User)).one()
        user.desk_id = desk.id
        accounts.set_pin(session, user.username, "24680")
        desk_phones.ask_call(session, desk, user, settings)
    return office


def token_of(office: Office) -> str | None:
    with reading(office.engine) as session:
        return session.get_one(Desk, 2).call_token


def called(asked: Office, manager: FakeManager) -> str:
    asked.until(lambda: manager.named("Originate"))
    token = token_of(asked)
    assert token is not None
    return token


def test_desk_telephone_is_called_once_with_its_token(
    asked: Office,
    manager: FakeManager,
    settings: Settings,
):
    token = called(asked, manager)
    asked.until_heard()

    (call,) = manager.named("Originate")
    assert (call["ChannelId"], call["ActionID"], call["Channel"]) == (token, token, f"Local/{NUMBER}@dial/n")
    assert (call["Context"], call["Exten"]) == ("official", "2")


def test_telephone_counts_as_the_desks_while_in_the_room(
    asked: Office,
    manager: FakeManager,
):
    token = called(asked, manager)
    assert not asked.phone_connected(2), "it has not keyed in a PIN"

    manager.joins(token, TELEPHONE, "desk-2")
    asked.until(lambda: asked.phone_connected(2))
    manager.hangs_up(token)
    asked.until(lambda: not asked.phone_connected(2))

    assert token_of(asked) is None


def test_a_telephone_that_does_not_answer_may_be_called_again(asked: Office, manager: FakeManager):
    token = called(asked, manager)
    manager.refuses(token, 480)
    asked.until(lambda: token_of(asked) is None)


def test_new_dialer_knows_present_and_gone_telephones(
    asked: Office,
    manager: FakeManager,
):
    token = called(asked, manager)
    manager.channels[token] |= {
        "Channel": TELEPHONE,
        "ChannelStateDesc": "Up",
        "Application": "ConfBridge",
        "Context": "from-desk",
    }
    asked.restart()
    asked.until(lambda: asked.phone_connected(2))
    assert token_of(asked) == token

    del manager.channels[token]
    asked.restart()
    asked.until(lambda: token_of(asked) is None)
    assert not asked.phone_connected(2)


def looks(asked: Office) -> None:
    """The dialer looks at everything some times more; no other phone comes to the desk meanwhile."""
    for _ in range(3):
        asked._dialer._next_calm = 0.0
        asked.step()


def speaks(asked: Office, manager: FakeManager) -> tuple[str, str]:
    """The telephone is in the room, and speaks with a citizen: its token and the citizen's."""
    token = called(asked, manager)
    manager.joins(token, TELEPHONE, "desk-2")
    asked.until(lambda: asked.phone_connected(2))
    with writing(asked.engine) as session:
        user = session.scalars(select(User)).one()
        citizen = make.a_callback(session, C.TALKING, user)
        citizen.placed_at = citizen.called_at = citizen.claimed_at
    manager.joins(citizen.token, "PJSIP/trunk-00000007", "desk-2")
    looks(asked)
    return token, citizen.token


def is_left(asked: Office, manager: FakeManager, token: str, citizen: str) -> None:
    """The telephone drops; both tell of it, in either order."""
    manager.stage(citizen, "held")
    manager.hangs_up(token)
    asked.until(lambda: asked.state(citizen) is C.HELD)
    asked.until(lambda: not asked.phone_connected(2))


def test_telephone_lost_in_a_conversation_is_redialled_once(asked: Office, manager: FakeManager):
    token, citizen = speaks(asked, manager)
    is_left(asked, manager, token, citizen)
    asked.until(lambda: len(manager.named("Originate")) == 2)
    again = token_of(asked)
    assert again and again != token

    manager.joins(again, TELEPHONE, "desk-2")
    asked.until(lambda: manager.named("Redirect"))
    redirect = manager.named("Redirect")[-1]
    assert (redirect["Channel"], redirect["Context"], redirect["Exten"]) == (citizen, "room", "2")
    manager.joins(citizen, "PJSIP/trunk-00000007", "desk-2")
    asked.until(lambda: asked.state(citizen) is C.TALKING)
    looks(asked)
    assert len(manager.named("Originate")) == 2

    is_left(asked, manager, again, citizen)
    asked.until(lambda: len(manager.named("Originate")) == 3)


def test_one_that_does_not_answer_then_is_left_in_peace(asked: Office, manager: FakeManager):
    token, citizen = speaks(asked, manager)
    is_left(asked, manager, token, citizen)
    asked.until(lambda: len(manager.named("Originate")) == 2)

    manager.refuses(token_of(asked) or "", 486)
    asked.until(lambda: token_of(asked) is None)
    looks(asked)
    asked.restart()
    looks(asked)

    assert len(manager.named("Originate")) == 2
    assert asked.state(citizen) is C.HELD


@pytest.mark.parametrize("lacks", ["number", "pin"])
def test_a_phone_that_could_not_be_let_in_again_is_not_called(
    asked: Office, manager: FakeManager, lacks: str
):
    token, citizen = speaks(asked, manager)
    with writing(asked.engine) as session:
        if lacks == "number":
            session.get_one(Desk, 2).number = None
        else:
            session.scalars(select(User)).one().pin_hash = None
    is_left(asked, manager, token, citizen)
    looks(asked)

    assert len(manager.named("Originate")) == 1


def test_one_that_leaves_while_nobody_speaks_is_not_called(asked: Office, manager: FakeManager):
    token = called(asked, manager)
    manager.joins(token, TELEPHONE, "desk-2")
    asked.until(lambda: asked.phone_connected(2))
    manager.hangs_up(token)
    asked.until(lambda: not asked.phone_connected(2))
    looks(asked)

    assert len(manager.named("Originate")) == 1


def test_who_is_still_asked_for_the_pin_is_not_there(asked: Office, manager: FakeManager):
    token = called(asked, manager)
    manager.channels[token] |= {
        "Channel": TELEPHONE,
        "ChannelStateDesc": "Up",
        "Application": "AGI",
        "Context": "official",
    }
    asked.restart()
    for _ in range(20):
        asked.step()

    assert not asked.phone_connected(2)
    assert token_of(asked) == token


def test_the_tone_sounds_once_in_the_phone_of_the_desk_alone(
    office: Office,
    manager: FakeManager,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(tone, "_LOOK_S", 0.0)
    token = office.call(C.TALKING)
    placed = len(manager.named("Originate"))
    office.until_heard()
    assert len(manager.named("Originate")) == placed, "not before the time"

    office.change(token, talking_at=_now(office) - timedelta(minutes=5, seconds=45))
    office.until(lambda: len(manager.named("Originate")) > placed)
    for _ in range(10):
        office.step()

    (sounded,) = manager.named("Originate")[placed:]
    assert (sounded["Channel"], sounded["Context"]) == ("Local/nearly-over@tone/n", "aside")
    assert sounded["Variable"] == f"HOTLINE_HEARS={DESK_CHANNEL}"
    assert office.callback(token).toned_at is not None


def _now(office: Office) -> datetime:
    with reading(office.engine) as session:
        return now(session)


def test_key_2_while_waiting_returns_the_citizen_before_hang_up(
    office: Office,
    manager: FakeManager,
):
    token = office.call(C.WAITING)

    manager.stage(token, "later", "Playback")
    office.until(lambda: office.state(token) is C.CLOSED)

    assert _left(office, token) == (Outcome.CALL_AGAIN, RegistrationState.WAITING, 0)
    assert not manager.named("Hangup"), "they hear the goodbye to its end"


def test_a_new_dialer_believes_whom_it_finds_on_the_way_out(
    office: Office,
    manager: FakeManager,
):
    token = office.call(C.WAITING)
    manager.channels[token] |= {"Context": "later", "Application": "Playback", "ChannelStateDesc": "Up"}
    office.restart()
    office.until(lambda: office.state(token) is C.CLOSED)

    assert _left(office, token) == (Outcome.CALL_AGAIN, RegistrationState.WAITING, 0)


def _left(office: Office, token: str) -> tuple[Outcome | None, RegistrationState, int]:
    with reading(office.engine) as session:
        callback = session.scalars(select(Callback).where(Callback.token == token)).one()
        registration = callback.registration
        return callback.outcome, registration.state, registration.attempts
