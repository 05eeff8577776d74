"""The dialer calls a third person for a desk, once, and leads whoever pressed 1 into the conversation."""

import pytest

from db.engine import reading, writing
from db.models import Guest
from db.states import CallbackState, GuestEnd, GuestState
from hotline.callbacks import conversations, third_party, transitions
from settings import Settings
from tests.dialer.hall import OURS, Hall
from tests.dialer.office import LONG_AGO, on_sqlite
from tests.kit.fake_manager import FakeManager

pytestmark = on_sqlite
C, G = CallbackState, GuestState
NUMBER = "+989137654321"


class Third:
    """A third person whom the first desk wants in its conversation."""

    def __init__(self, hall: Hall, manager: FakeManager, settings: Settings) -> None:
        self.hall, self.manager = hall, manager
        self.citizen = hall.brings(C.TALKING)
        with writing(hall.engine) as session:
            callback = transitions.find_by_token(session, self.citizen)
            assert callback is not None
            self.token = third_party.ask(session, callback, NUMBER, settings, who="operator1").token

    def row(self) -> Guest:
        with reading(self.hall.engine) as session:
            guest = third_party.find_by_token(session, self.token)
            assert guest is not None
            return guest

    def comes(self, to: GuestState) -> None:
        """They come so far."""
        self.hall.until(lambda: self.token in self.manager.channels)
        steps = [
            (G.DIALING, lambda: None),
            (G.RINGING, lambda: self.manager.ringing(self.token)),
            (G.ANSWERED, lambda: self.manager.stage(self.token, "answered", "AGI")),
            (G.TALKING, self.enters),
        ]
        for state, happens in steps:
            happens()
            self.hall.until(lambda state=state: self.row().state is state)
            if state is to:
                return

    def enters(self) -> None:
        """They press 1, and come into the room."""
        self.manager.stage(self.token, "confirmed", "BridgeWait")
        self.hall.until(lambda: (self.token, "guest-room", "1") in self.hall.moved())
        self.manager.joins(self.token, OURS, "desk-1", "guest-room")

    def calls(self) -> int:
        return sum(call["ChannelId"] == self.token for call in self.manager.named("Originate"))

    def is_hung_up(self) -> bool:
        return any(asked["Channel"] == self.token for asked in self.manager.named("Hangup"))

    def ends(self, cause: int = 16) -> None:
        self.manager.hangs_up(self.token, cause)
        self.hall.until(lambda: self.row().ended_at)

    def wants(self, what: str, settings: Settings) -> None:
        """The desk does this with the citizen."""
        with writing(self.hall.engine) as session:
            callback = transitions.find_by_token(session, self.citizen)
            assert callback is not None
            if what == "hold":
                conversations.hold(session, callback, settings)
            elif what == "resume":
                conversations.resume(session, callback, settings)
            else:
                conversations.hang_up(session, callback)


@pytest.fixture
def third(hall: Hall, manager: FakeManager, settings: Settings) -> Third:
    return Third(hall, manager, settings)


def test_third_person_is_called_once_and_admitted_by_key_1(
    third: Third, hall: Hall, manager: FakeManager
) -> None:
    third.comes(G.ANSWERED)
    assert (third.token, "guest-room", "1") not in hall.moved(), "a voicemail is not let in"
    third.enters()
    hall.until(lambda: third.row().state is G.TALKING)
    (call,) = [call for call in manager.named("Originate") if call["ChannelId"] == third.token]
    assert (call["Channel"], call["Context"]) == (f"Local/{NUMBER}@dial/n", "guest")
    third.ends()
    assert (third.row().state, third.row().ended_by) == (G.ENDED, GuestEnd.LEFT)
    assert hall.state(third.citizen) is C.TALKING


@pytest.mark.parametrize("state", [G.DIALING, G.RINGING, G.ANSWERED, G.TALKING])
def test_new_dialer_resumes_a_guest_call_at_any_step(
    third: Third, hall: Hall, manager: FakeManager, state: GuestState
) -> None:
    third.comes(state)
    hall.restart()
    hall.until_at_rest()
    assert third.row().state is state
    assert not manager.named("Hangup"), "neither half of the call is a stranger"
    third.ends()
    hall.restart()
    hall.until_at_rest()
    assert third.calls() == 1


def test_new_dialer_places_the_pending_guest_call(third: Third, hall: Hall) -> None:
    hall.restart()
    third.comes(G.RINGING)
    assert third.calls() == 1


def test_guest_call_without_a_channel_has_failed(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    manager.refused["Originate"] = ""  # Asterisk takes it
    third = Third(hall, manager, settings)
    with writing(hall.engine) as session:
        third_party.take_up(session, third.token, settings)
        guest = third_party.find_by_token(session, third.token)
        assert guest and guest.placed_at
        guest.placed_at -= LONG_AGO
    hall.restart()
    hall.until(lambda: third.row().ended_at)
    assert (third.row().state, third.row().ended_by, third.calls()) == (G.FAILED, GuestEnd.FAILED, 0)


def test_new_dialer_admits_a_guest_who_pressed_1(third: Third, hall: Hall, manager: FakeManager) -> None:
    third.comes(G.ANSWERED)
    manager.channels[third.token] |= {"Application": "BridgeWait", "Context": "guest"}
    hall.restart()
    hall.until(lambda: (third.token, "guest-room", "1") in hall.moved())


@pytest.mark.parametrize(
    ("sip", "reason"),
    [
        (486, GuestEnd.BUSY),
        (480, GuestEnd.NO_ANSWER),
        (603, GuestEnd.REJECTED),
        (404, GuestEnd.UNREACHABLE),
        (503, GuestEnd.FAILED),
    ],
)
def test_reason_of_a_failed_guest_call_reaches_the_desk(
    third: Third, hall: Hall, manager: FakeManager, sip: int, reason: GuestEnd
) -> None:
    third.comes(G.RINGING)
    manager.refuses(third.token, sip)
    hall.until(lambda: third.row().ended_at)
    assert (third.row().state, third.row().ended_by) == (G.FAILED, reason)
    assert hall.state(third.citizen) is C.TALKING


def test_full_trunk_ends_the_guest_call_as_capped(third: Third, hall: Hall) -> None:
    third.comes(G.DIALING)
    third.ends(45)
    assert third.row().ended_by is GuestEnd.CAPPED


def test_voicemail_never_enters_the_conversation(third: Third, hall: Hall, manager: FakeManager) -> None:
    third.comes(G.ANSWERED)
    manager.stage(third.token, "not-confirmed", "Hangup")
    third.ends()
    assert (third.row().state, third.row().ended_by) == (G.FAILED, GuestEnd.NOT_CONFIRMED)
    assert (third.token, "guest-room", "1") not in hall.moved()


@pytest.mark.parametrize("state", [G.RINGING, G.ANSWERED, G.TALKING])
def test_guest_ended_by_the_desk_leaves_the_talk_running(third: Third, hall: Hall, state: GuestState) -> None:
    third.comes(state)
    with writing(hall.engine) as session:
        guest = third_party.find_by_token(session, third.token)
        assert guest
        third_party.end(session, guest, who="operator1")
    hall.until(third.is_hung_up)
    third.ends()
    assert (third.row().state, third.row().ended_by) == (G.ENDED, GuestEnd.BY_DESK)
    assert hall.state(third.citizen) is C.TALKING


def test_hang_up_by_the_citizen_stops_the_guests_ringing(
    third: Third, hall: Hall, manager: FakeManager
) -> None:
    third.comes(G.RINGING)
    manager.hangs_up(third.citizen)
    hall.until(third.is_hung_up)
    third.ends()
    assert (third.row().state, third.row().ended_by) == (G.ENDED, GuestEnd.CONVERSATION)


def test_dead_desk_phone_ends_the_guest_and_holds_the_citizen(
    third: Third, hall: Hall, manager: FakeManager
) -> None:
    third.comes(G.TALKING)
    manager.stage(third.token, "held")
    manager.stage(third.citizen, "held", "BridgeWait")
    manager.hangs_up("desk.1")
    third.ends()
    hall.until(lambda: hall.state(third.citizen) is C.HELD)
    assert third.row().ended_by is GuestEnd.CONVERSATION


def test_citizen_resumed_from_hold_meets_the_guest(
    third: Third, hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    third.wants("hold", settings)
    hall.until(lambda: (third.citizen, "on-hold", "s") in hall.moved())
    manager.stage(third.citizen, "on-hold", "BridgeWait")
    third.comes(G.TALKING)
    third.wants("resume", settings)
    moves = (third.citizen, "room", "1")
    hall.until(lambda: hall.moved().count(moves) == 2)
    manager.joins(third.citizen, OURS, "desk-1")
    hall.until(lambda: hall.state(third.citizen) is C.TALKING)
    assert not third.is_hung_up()


def test_next_citizen_waits_until_the_guest_has_left(
    third: Third, hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    third.comes(G.TALKING)
    following = hall.brings(C.WAITING)
    hall.asks_next(after=third.citizen)
    hall.parts(third.citizen)
    hall.until(third.is_hung_up)
    hall.until_at_rest()
    assert (following, "room", "1") not in hall.moved()
    third.ends()
    hall.until(lambda: (following, "room", "1") in hall.moved())
