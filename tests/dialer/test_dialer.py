"""The dialer between a real database and a manager interface that does what a test says."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from db.engine import now, reading, writing
from db.models import Callback, Confirmation, Desk, Event, PlacedCall, Registration
from db.states import ON_THE_PHONE, CallbackState, Outcome, RegistrationState
from dialer import ami as ami_module
from dialer import dialer as module
from dialer import hearing, placing, rooms
from dialer.ami import Ami
from dialer.dialer import Dialer
from hotline import heartbeats
from hotline.callbacks import callbacks, conversations, on_the_line, toll
from hotline.line import confirmation_calls, engaged
from hotline.line.registration import cancel
from settings import Settings
from tests import factories as make
from tests.kit.fake_manager import PATIENCE_S, FakeManager

C, O = CallbackState, Outcome  # noqa: E741

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what is a matter of Asterisk's; what the database decides is shown on both."""

DESK_CHANNEL = "PJSIP/desk-1-0000001f"
DESK_SIP_CHANNEL = "PJSIP/desk-1-sip-00000020"
OTHER_DESK_CHANNEL = "PJSIP/desk-2-00000021"
LONG_AGO = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds in the field takes moments here."""
    monkeypatch.setattr(ami_module, "_READ_S", 0.3)
    monkeypatch.setattr(ami_module, "_RETRY_S", 0.02)
    monkeypatch.setattr(hearing, "NO_CHANNEL_S", 0.1)
    for name in ("POLL_S", "CALM_S", "REST_S", "_BACKOFF_S", "_RECONCILE_S"):
        monkeypatch.setattr(module, name, 0.01)


@pytest.fixture
def manager(settings: Settings) -> Iterator[FakeManager]:
    with FakeManager(settings.ami) as manager:
        yield manager


class Office:
    """A dialer at work in an office of two desks: somebody sits at the first, nobody at the second."""

    def __init__(self, settings: Settings, engine: Engine, manager: FakeManager) -> None:
        self.engine = engine
        self.manager = manager
        self._settings = settings
        self.ami = Ami(settings.ami, "dialer", "secret")
        self._thread = threading.Thread(target=self.ami.run)
        self._thread.start()
        with writing(engine) as session:
            self.user = make.a_user(session, make.a_desk(session))
            make.a_desk(session, connected=False)
        manager.channels["desk.1"] = {"Channel": DESK_CHANNEL, "Application": "ConfBridge"}
        self.restart()

    def restart(self) -> None:
        """A new dialer takes the old one's place; all it knows is in the database."""
        self._dialer = Dialer(self._settings, self.engine, self.ami)

    def close(self) -> None:
        self.ami.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    # --- the dialer works ---

    def until(self, condition: Callable[[], object]) -> None:
        """Let the dialer work until this is so."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "it never came to that"
            self._dialer.step()

    def step(self) -> None:
        self._dialer.step()

    def until_heard(self) -> None:
        """Let the dialer work until it has taken in everything that was sent: the last is a phone joining."""
        self.manager.joins("desk.2", OTHER_DESK_CHANNEL)
        self.until(lambda: self.phone_connected(2))

    def until_at_rest(self) -> None:
        """Let the dialer work until it has taken in everything and has asked Asterisk anew what is true."""
        self.until_heard()
        self.manager.hangs_up("desk.2")
        self.until(lambda: not self.phone_connected(2))

    # --- what the database says ---

    def callback(self, token: str) -> Callback:
        with reading(self.engine) as session:
            callback = callbacks.by_token(session, token)
            assert callback is not None
            return callback

    def state(self, token: str) -> CallbackState:
        return self.callback(token).state

    def phone_connected(self, desk: int = 1) -> bool:
        with reading(self.engine) as session:
            return session.get_one(Desk, desk).phone_connected

    def changes(self) -> list[str]:
        """What has become of callbacks and registrations, in order."""
        with reading(self.engine) as session:
            return list(session.scalars(select(Event.what).where(Event.kind != "desk").order_by(Event.id)))

    # --- what the desk does ---

    def change(self, token: str, **values: Any) -> None:
        with writing(self.engine) as session:
            callback = callbacks.by_token(session, token)
            assert callback is not None
            for name, value in values.items():
                setattr(callback, name, value)

    def claims(self, state: CallbackState = C.CLAIMED, **registered: Any) -> str:
        """The desk holds a callback in this state, placed some minutes ago if it may be on the phone."""
        with writing(self.engine) as session:
            callback = make.a_callback(session, state, self.user, **registered)
            if state in ON_THE_PHONE:
                callback.called_at = callback.placed_at = now(session) - LONG_AGO
            return callback.token

    def asks_call(self, token: str) -> None:
        with writing(self.engine) as session:
            callbacks.ask_call(session, callbacks.by_token(session, token), self._settings)

    def asks_hangup(self, token: str) -> None:
        with writing(self.engine) as session:
            callbacks.ask_hangup(session, callbacks.by_token(session, token))

    # --- a callback goes its way ---

    def call(self, to: CallbackState = C.DIALING, **registered: Any) -> str:
        """A callback that the desk has asked for and the dialer has placed, brought to this state."""
        token = self.claims(**registered)
        self.asks_call(token)
        self.until(lambda: token in self.manager.channels)
        steps: list[tuple[CallbackState, Callable[[], None]]] = [
            (C.RINGING, lambda: self.manager.ringing(token)),
            (C.ANSWERED, lambda: self.manager.stage(token, "answered", "AGI")),
            (C.WAITING, lambda: self.manager.stage(token, "confirmed", "BridgeWait")),
            (C.TALKING, lambda: self.manager.joins(token, "PJSIP/trunk-0000002a")),
        ]
        for state, happens in steps:
            if self.state(token) is to:
                break
            happens()
            self.until(lambda state=state: self.state(token) is state)
        assert self.state(token) is to
        return token


@pytest.fixture
def office(settings: Settings, engine: Engine, manager: FakeManager) -> Iterator[Office]:
    office = Office(settings, engine, manager)
    yield office
    office.close()


# --- placing ---


def test_a_call_that_the_desk_asks_for_is_placed_with_its_token(
    office: Office, manager: FakeManager, settings: Settings
):
    token = office.claims(number="+989131234567")
    office.until_at_rest()
    assert manager.named("Originate") == [], "a claim alone rings no phone"

    office.asks_call(token)
    office.until(lambda: manager.named("Originate"))

    assert manager.named("Originate")[0] == {
        "Action": "Originate",
        "ActionID": token,
        "ChannelId": token,
        "Channel": "Local/+989131234567@dial/n",
        "Context": "callback",
        "Exten": "s",
        "Priority": "1",
        "CallerID": "137 <137>",
        "Timeout": str((settings.ring_seconds + 5) * 1000),
        "Async": "true",
    }
    assert office.callback(token).placed_at is not None


def test_a_call_is_placed_once_whatever_happens_to_the_dialer_and_its_connection(
    office: Office, manager: FakeManager
):
    token = office.call()

    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.until_at_rest()
    office.restart()
    office.until_at_rest()

    assert [action["ChannelId"] for action in manager.named("Originate")] == [token]
    assert office.state(token) is C.DIALING


def test_two_dialers_by_mistake_place_a_call_once(
    office: Office, manager: FakeManager, settings: Settings, engine: Engine
):
    tokens = []
    for _ in range(5):
        with writing(engine) as session:
            user = make.a_user(session, make.a_desk(session))
            callback = make.a_callback(session, C.DIALING, user)
            callback.called_at = now(session)
            tokens.append(callback.token)
    other = Dialer(settings, engine, office.ami)
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(PATIENCE_S)
        for _ in range(10):
            other.step()

    thread = threading.Thread(target=work)
    office.until(office.ami.connected.is_set)
    thread.start()
    gate.wait(PATIENCE_S)
    office.until(lambda: len(manager.named("Originate")) >= 5)
    thread.join(PATIENCE_S)
    office.until_at_rest()

    assert sorted(action["ChannelId"] for action in manager.named("Originate")) == sorted(tokens)


@on_sqlite
@pytest.mark.parametrize("number", ["+4930123456", "+982122334455", "+5371234567", "+97144123456"])
def test_a_number_outside_the_allowed_prefixes_is_never_dialled(
    office: Office, manager: FakeManager, number: str
):
    token = office.claims(number=number)
    office.asks_call(token)

    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.FAILED
    office.until_at_rest()
    assert manager.named("Originate") == []


def test_a_call_asked_for_long_ago_is_given_up_and_not_placed_late(office: Office, manager: FakeManager):
    token = office.claims()
    office.asks_call(token)
    called = office.callback(token).called_at
    assert called is not None
    office.change(token, called_at=called - timedelta(seconds=placing.STALE_S + 1))

    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert callback.outcome is O.RETURNED
    assert (callback.registration.state, callback.registration.attempts) == (RegistrationState.WAITING, 0)
    assert callback.registration.not_before is None
    office.until_at_rest()
    assert manager.named("Originate") == []


def test_a_call_that_the_desk_took_back_in_time_is_not_placed(office: Office, manager: FakeManager):
    token = office.claims()
    office.asks_call(token)
    office.asks_hangup(token)

    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert callback.outcome is O.RETURNED
    assert (callback.registration.state, callback.registration.not_before) == (
        RegistrationState.WAITING,
        None,
    )
    office.until_at_rest()
    assert manager.named("Originate") == []


@on_sqlite
def test_a_refused_call_is_our_own_fault_and_costs_the_citizen_no_attempt(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    manager.refused = {"Originate": "Permission denied"}
    token = office.claims()
    office.asks_call(token)

    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    callback = office.callback(token)
    assert (callback.state, callback.outcome) == (C.CLOSED, O.FAILED)
    assert callback.registration.attempts == 0
    assert len(manager.named("Originate")) == 1


@on_sqlite
def test_a_call_that_fails_without_a_channel_is_our_own_fault(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    token = office.call()
    del manager.channels[token]
    manager.event("OriginateResponse", ActionID=token, Response="Failure", Reason="0")

    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.FAILED


@on_sqlite
@pytest.mark.parametrize("failure_first", [True, False])
def test_the_cause_of_the_hang_up_is_the_truth_and_not_the_failure_beside_it(
    office: Office, manager: FakeManager, failure_first: bool, monkeypatch: pytest.MonkeyPatch
):
    if failure_first:  # the hang-up comes in time, however slow this machine is at the moment
        monkeypatch.setattr(hearing, "NO_CHANNEL_S", 60.0)
    token = office.call()

    def failure() -> None:
        manager.event("OriginateResponse", ActionID=token, Response="Failure", Reason="0")

    if failure_first:
        failure()
    manager.refuses(token, 486)
    if not failure_first:
        failure()
    office.until(lambda: office.state(token) is C.CLOSED)
    office.until_at_rest()

    assert office.callback(token).outcome is O.BUSY


# --- a lost answer ---


@on_sqlite
@pytest.mark.parametrize("how", ["unanswered", "cut_on"])
def test_a_call_whose_answer_is_lost_is_not_given_up_while_the_phone_rings(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(hearing, "NO_CHANNEL_S", 0)
    setattr(manager, how, {"Originate"})

    token = office.call(C.RINGING)
    office.until_at_rest()
    office.until_at_rest()

    assert office.state(token) is C.RINGING
    assert len(manager.named("Originate")) == 1
    manager.refuses(token, 486)
    office.until(lambda: office.state(token) is C.CLOSED)
    assert office.callback(token).outcome is O.BUSY


@on_sqlite
def test_a_call_whose_answer_is_lost_and_that_has_no_channel_is_left_to_the_desk(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    manager.unanswered = {"Originate"}
    manager.before = {"Originate": manager.channels.clear}
    token = office.claims()
    office.asks_call(token)

    office.until(lambda: office.state(token) not in (C.CLAIMED, C.DIALING))
    office.until_at_rest()

    callback = office.callback(token)
    assert (callback.state, callback.outcome) == (C.ENDED, None)
    assert len(manager.named("Originate")) == 1


# --- how it ends ---


@pytest.mark.parametrize(
    ("state", "sip", "outcome", "attempts"),
    [
        (C.DIALING, 486, O.BUSY, 1),
        (C.DIALING, 404, O.UNREACHABLE, 1),
        (C.DIALING, 480, O.UNREACHABLE, 1),
        (C.RINGING, 480, O.NO_ANSWER, 1),
        (C.RINGING, 180, O.NO_ANSWER, 1),
        (C.RINGING, 486, O.BUSY, 1),
        (C.RINGING, 603, O.REJECTED, 1),
        (C.DIALING, 503, O.FAILED, 0),
        (C.DIALING, 403, O.FAILED, 0),
        (C.DIALING, 0, O.FAILED, 0),
        (C.RINGING, 500, O.FAILED, 0),
    ],
)
def test_each_answer_of_the_network_has_its_own_outcome(
    office: Office, manager: FakeManager, state: CallbackState, sip: int, outcome: Outcome, attempts: int
):
    token = office.call(state)

    manager.refuses(token, sip)
    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert (callback.outcome, callback.ended_at is not None) == (outcome, True)
    registration = callback.registration
    assert (registration.state, registration.attempts) == (RegistrationState.WAITING, attempts)


@pytest.mark.parametrize(
    ("state", "sip"), [(C.DIALING, 486), (C.RINGING, 486), (C.RINGING, 180), (C.DIALING, 480)]
)
@pytest.mark.parametrize("waits", [True, False])
def test_who_is_on_the_line_with_us_when_called_back_pays_nothing_and_has_their_place(
    office: Office, manager: FakeManager, state: CallbackState, sip: int, waits: bool
):
    token = office.call(state)
    callback = office.callback(token)
    with writing(office.engine) as session:
        registration = session.get_one(Registration, callback.registration_id)
        registration.attempts = 2  # the third is the last
        heartbeats.beat(session, "ivr")
        if waits:
            assert on_the_line.stay(session, registration.id, "channel-1")
        else:
            engaged.callers_changed(session, {"channel-1": registration.number}, [])

    manager.refuses(token, sip)
    office.until(lambda: office.state(token) is C.CLOSED)

    registration = office.callback(token).registration
    assert office.callback(token).outcome is O.RETURNED
    assert (registration.state, registration.attempts) == (RegistrationState.WAITING, 2)
    assert registration.not_before is not None, "not at once again"
    with reading(office.engine) as session:
        assert not waits or on_the_line.is_there(session, registration.id, "channel-1")


@pytest.mark.parametrize(
    ("state", "cause", "outcome", "registration", "attempts"),
    [
        (C.DIALING, 17, O.FAILED, RegistrationState.WAITING, 0),  # what the network said was lost on the way
        (C.ANSWERED, 16, O.HUNG_UP, RegistrationState.WAITING, 1),
        (C.WAITING, 16, O.HUNG_UP, RegistrationState.WAITING, 1),
        (C.WAITING, 44, O.FAILED, RegistrationState.WAITING, 0),  # no sound came from the trunk
        (C.TALKING, 16, None, RegistrationState.CALLING, 0),
    ],
)
def test_each_end_of_an_answered_call_has_its_own_outcome(
    office: Office,
    manager: FakeManager,
    state: CallbackState,
    cause: int,
    outcome: Outcome | None,
    registration: RegistrationState,
    attempts: int,
):
    token = office.call(state)

    manager.hangs_up(token, cause)
    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    callback = office.callback(token)
    assert callback.outcome is outcome
    assert callback.state is (C.CLOSED if outcome else C.ENDED)
    assert callback.ended_at is not None
    assert (callback.registration.state, callback.registration.attempts) == (registration, attempts)


NO_SOUND = 44


@on_sqlite
@pytest.mark.parametrize("leg_late", [False, True])
@pytest.mark.parametrize(("cause", "default"), [(NO_SOUND, O.CALL_AGAIN), (16, O.REACHED)])
def test_only_a_citizen_who_hangs_up_ends_a_conversation_as_reached(
    office: Office, manager: FakeManager, cause: int, default: Outcome, leg_late: bool
):
    token = office.call(C.TALKING)
    with reading(office.engine) as session:
        office.change(token, talking_at=now(session) - LONG_AGO)

    manager.hangs_up(token, cause, leg_late=leg_late)
    office.until(lambda: office.state(token) is C.ENDED)

    callback = office.callback(token)
    assert conversations.default_outcome(callback) is default
    assert (callback.held_until is not None) == (cause == NO_SOUND), (
        "our side cut it: called again by one key"
    )
    assert callback.registration.attempts == 0


@on_sqlite
def test_the_word_of_a_leg_that_never_comes_is_not_awaited_for_long(office: Office, manager: FakeManager):
    token = office.call(C.WAITING)
    del manager.channels[token]

    manager.event("Hangup", Channel="Local/x@dial-00000001;1", Uniqueid=token, Linkedid=token, Cause="16")
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
def test_a_desk_that_hangs_up_is_no_leg_of_the_call_it_was_in(office: Office, manager: FakeManager):
    token = office.call(C.WAITING)

    manager.event("Hangup", Channel=DESK_CHANNEL, Uniqueid="desk.1", Linkedid=token, Cause=str(NO_SOUND))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
@pytest.mark.parametrize("cause", ["", "x", "-1", "۱۷"])
def test_a_cause_that_is_no_number_is_an_end_all_the_same(office: Office, manager: FakeManager, cause: str):
    token = office.call(C.ANSWERED)
    del manager.channels[token]

    manager.event("Hangup", Channel="PJSIP/trunk-0000002a", Uniqueid=token, Cause=cause)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
@pytest.mark.parametrize(("stage", "outcome"), [("not-confirmed", O.NOT_CONFIRMED), ("failed", O.FAILED)])
def test_what_the_dialplan_says_of_an_answered_call_stands(
    office: Office, manager: FakeManager, stage: str, outcome: Outcome
):
    token = office.call(C.ANSWERED)

    manager.stage(token, stage)
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)
    office.until_at_rest()

    assert office.callback(token).outcome is outcome


def test_the_moments_of_a_call_are_kept(office: Office):
    callback = office.callback(office.call(C.TALKING))

    moments = [
        *(callback.claimed_at, callback.called_at, callback.placed_at),
        *(callback.answered_at, callback.talking_at),
    ]
    assert None not in moments
    assert moments == sorted(moments)


def test_late_and_repeated_steps_do_not_turn_a_call_back(office: Office, manager: FakeManager):
    token = office.call(C.TALKING)

    manager.event("DialState", DialStatus="RINGING", Uniqueid=f"{token};2")
    for stage in ("answered", "confirmed", "answered"):
        manager.event("UserEvent", Uniqueid=token, UserEvent="HotlineStage", Stage=stage)
    office.until_at_rest()

    assert office.state(token) is C.TALKING


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (C.DIALING, O.RETURNED),
        (C.RINGING, O.NO_ANSWER),
        (C.ANSWERED, O.CALL_AGAIN),
        (C.WAITING, O.CALL_AGAIN),
    ],
)
def test_the_desk_may_end_a_call_at_any_moment(
    office: Office, manager: FakeManager, state: CallbackState, outcome: Outcome
):
    token = office.call(state)

    office.asks_hangup(token)
    office.until(lambda: manager.named("Hangup"))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert manager.named("Hangup")[0].items() >= {"Channel": token, "Cause": "16"}.items()
    assert office.callback(token).outcome is outcome


@on_sqlite
def test_a_hang_up_that_had_no_effect_is_asked_for_again(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "_AGAIN_S", 0.05)
    token = office.call(C.RINGING)

    office.asks_hangup(token)

    office.until(lambda: len(manager.named("Hangup")) >= 3)


@on_sqlite
def test_a_conversation_ended_by_the_desk_is_the_desks_to_judge(office: Office, manager: FakeManager):
    token = office.call(C.TALKING)

    office.asks_hangup(token)
    office.until(lambda: manager.named("Hangup"))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.ENDED)

    assert office.callback(token).outcome is None


# --- bringing together ---


def test_a_confirmed_citizen_is_moved_to_the_desk_that_is_there(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    assert manager.named("Redirect") == [], "a citizen who has not pressed 1 may be a machine"

    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: manager.named("Redirect"))

    wanted = {"Channel": token, "Context": "room", "Exten": "1", "Priority": "1"}
    assert manager.named("Redirect")[0].items() >= wanted.items()


@on_sqlite
def test_a_confirmed_citizen_waits_for_a_desk_whose_phone_is_away(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())

    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: office.state(token) is C.WAITING)
    office.until_at_rest()  # another desk's phone comes and goes
    assert manager.named("Redirect") == []

    manager.joins("desk.1", DESK_CHANNEL)
    office.until(lambda: manager.named("Redirect"))

    assert [(r["Channel"], r["Exten"]) for r in manager.named("Redirect")] == [(token, "1")]


@on_sqlite
@pytest.mark.parametrize("state", [C.RINGING, C.ANSWERED, C.TALKING])
def test_a_desk_that_comes_back_takes_nobody_who_does_not_wait(
    office: Office, manager: FakeManager, state: CallbackState
):
    office.call(state)
    before = len(manager.named("Redirect"))

    manager.joins("desk.9", DESK_SIP_CHANNEL)
    office.until_at_rest()

    assert len(manager.named("Redirect")) == before


@on_sqlite
def test_a_citizen_who_hung_up_just_before_being_moved_is_no_trouble(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    manager.refused = {"Redirect": "Channel does not exist"}
    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: manager.named("Redirect"))

    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


# --- the desks' phones ---


def test_a_desks_phone_is_there_from_joining_its_room_to_hanging_up(office: Office, manager: FakeManager):
    office.until_at_rest()
    assert office.phone_connected()

    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())

    manager.joins("desk.1", DESK_SIP_CHANNEL)
    office.until(office.phone_connected)


@on_sqlite
def test_a_desk_with_two_phones_is_there_while_one_is(office: Office, manager: FakeManager):
    manager.joins("desk.1b", DESK_SIP_CHANNEL)
    office.until_at_rest()

    manager.hangs_up("desk.1")
    office.until_at_rest()
    assert office.phone_connected()

    manager.hangs_up("desk.1b")
    office.until(lambda: not office.phone_connected())


@on_sqlite
def test_presence_is_asked_of_asterisk_and_not_remembered(office: Office, manager: FakeManager):
    office.until_at_rest()

    manager.channels.clear()
    office.restart()
    office.until(lambda: not office.phone_connected())

    manager.channels["desk.1"] = {"Channel": DESK_CHANNEL, "Application": "ConfBridge"}
    office.restart()
    office.until(office.phone_connected)


@on_sqlite
def test_a_desk_whose_key_is_obeyed_as_asterisk_is_asked_is_there(office: Office, manager: FakeManager):
    """The dialplan leaves the room's application for that moment, and nobody tells of the return."""
    office.until_at_rest()
    pressing = {"Channel": DESK_CHANNEL, "ChannelStateDesc": "Up", "Context": "desk-keys", "Exten": "next"}
    manager.channels["desk.1"] = pressing | {"Application": "UserEvent"}
    office.restart()
    office.until_at_rest()

    assert office.phone_connected()


@on_sqlite
def test_a_phone_that_rings_or_a_channel_with_a_like_name_is_no_presence(
    office: Office, manager: FakeManager
):
    manager.channels = {
        "1": {"Channel": DESK_CHANNEL, "Application": "AGI"},
        "2": {"Channel": "PJSIP/desk-1x-0000001f", "Application": "ConfBridge"},
        "3": {"Channel": "PJSIP/trunk-desk-1-0000001f", "Application": "ConfBridge"},
    }

    office.until(lambda: not office.phone_connected())


@on_sqlite
def test_a_desk_that_joins_right_after_asterisk_was_asked_stays_there(office: Office, manager: FakeManager):
    office.until_at_rest()
    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())
    manager.after = {"CoreShowChannels": lambda: manager.joins("desk.1", DESK_CHANNEL)}
    manager.event("FullyBooted")
    office.until(office.phone_connected)
    manager.after.clear()
    office.until_heard()

    assert office.phone_connected()


# --- asking again ---


@on_sqlite
@pytest.mark.parametrize(
    ("channel", "state"),
    [
        ({"ChannelStateDesc": "Ringing", "Application": ""}, C.RINGING),
        ({"ChannelStateDesc": "Up", "Application": "AGI", "Context": "callback"}, C.ANSWERED),
        ({"ChannelStateDesc": "Up", "Application": "AGI", "Context": "waiting"}, C.WAITING),
        ({"ChannelStateDesc": "Up", "Application": "ConfBridge", "Exten": "1"}, C.TALKING),
    ],
)
def test_a_new_dialer_takes_over_a_living_call_where_it_is(
    office: Office, manager: FakeManager, channel: dict[str, str], state: CallbackState
):
    token = office.claims(C.DIALING)
    manager.channels[token] = {"Channel": "PJSIP/trunk-0000002a", **channel}

    office.until(lambda: office.state(token) is state)
    office.until_heard()

    assert manager.named("Originate") == []
    moved = [redirect["Channel"] for redirect in manager.named("Redirect")]
    assert moved == ([token] if state is C.WAITING else [])


@on_sqlite
def test_a_new_dialer_sees_that_the_phone_of_a_call_rings(office: Office, manager: FakeManager):
    """Our half of the call is down all the while; the phone has a channel of its own."""
    token = office.claims(C.DIALING)
    manager.channels[token] = {
        "Channel": "Local/x@dial-0001;1",
        "ChannelStateDesc": "Down",
        "Application": "",
    }
    manager.ringing(token)

    office.until(lambda: office.state(token) is C.RINGING)


@on_sqlite
def test_a_new_dialer_brings_together_one_who_was_just_told_to_wait(office: Office, manager: FakeManager):
    """The old dialer died as the citizen pressed 1; the dialplan is still saying «please hold»."""
    token = office.claims(C.ANSWERED)
    manager.channels[token] = {
        "Channel": "PJSIP/trunk-2a",
        "ChannelStateDesc": "Up",
        "Application": "",
        "Context": "callback",
    }
    office.until(lambda: manager.named("CoreShowChannels"))

    manager.channels[token] |= {
        "Application": "AGI",
        "Context": "waiting",
    }  # of which Asterisk sends no event
    office.until(lambda: manager.named("Redirect"))

    assert [redirect["Channel"] for redirect in manager.named("Redirect")] == [token]


@on_sqlite
def test_given_calls_in_the_books_when_asterisk_has_the_channel_of_one_then_the_others_line_is_free(
    office: Office, manager: FakeManager
):
    with writing(office.engine) as session:
        for token in ("callback-here", "callback-gone"):
            session.add(PlacedCall(token=token, number="+989131234567", at=now(session) - LONG_AGO))
    manager.channels["callback-here"] = {"Channel": "Local/s@dial-1;1"}
    office.restart()

    office.until_at_rest()
    with reading(office.engine) as session:
        assert toll.on_the_phone(session).keys() == {"callback-here"}


@pytest.mark.parametrize("state", sorted(ON_THE_PHONE))
def test_a_call_that_ended_unseen_is_left_to_the_desk_and_never_dialled_again(
    office: Office, manager: FakeManager, state: CallbackState
):
    token = office.claims(state)

    office.until(lambda: office.state(token) is C.ENDED)
    office.until_at_rest()

    callback = office.callback(token)
    assert (callback.outcome, callback.registration.state) == (None, RegistrationState.CALLING)
    assert manager.named("Originate") == []


@on_sqlite
def test_a_call_placed_just_now_is_given_time_to_come_into_being(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hearing, "NO_CHANNEL_S", 60)
    token = office.claims(C.DIALING)
    with writing(office.engine) as session:
        at = now(session)
    office.change(token, called_at=at, placed_at=at)

    office.until(lambda: len(manager.named("CoreShowChannels")) >= 3)

    assert office.state(token) is C.DIALING


@on_sqlite
def test_an_end_that_came_before_the_list_of_channels_keeps_its_true_cause(
    office: Office, manager: FakeManager
):
    token = office.claims(C.RINGING)
    manager.before = {"CoreShowChannels": lambda: manager.refuses(token, 486)}

    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    assert office.callback(token).outcome is O.BUSY


@on_sqlite
def test_a_cut_connection_loses_no_callback(office: Office, manager: FakeManager):
    talking = office.call(C.TALKING)

    manager.cut()
    del manager.channels[talking]  # its end is an event that nobody hears
    office.until(lambda: office.state(talking) is C.ENDED)

    assert len(manager.named("Login")) in (2, 3)  # a slow machine may lose the second connection, too


def test_after_a_moment_without_the_database_asterisk_is_asked_again(
    office: Office, manager: FakeManager, engine: Engine
):
    token = office.call(C.WAITING)
    refusals: list[str] = []

    def refuse(_connection: object) -> None:
        refusals.append("begin")
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    manager.hangs_up(token, 16)
    for _ in range(10):
        office.step()
    event.remove(engine, "begin", refuse)

    assert len(refusals) >= 3
    office.until(lambda: office.state(token) is C.ENDED)
    assert office.callback(token).outcome is None, "nobody can know any more: the desk says"


# --- strangers ---


@on_sqlite
@pytest.mark.parametrize(
    "stranger", ["1700000000.17", "", "callback-", "callback-" + "f" * 32, "' OR 1=1 --"]
)
def test_what_is_no_callbacks_channel_touches_nothing(office: Office, manager: FakeManager, stranger: str):
    token = office.call(C.RINGING)
    office.until_at_rest()
    before = office.changes()

    manager.event("DialState", DialStatus="RINGING", Uniqueid=stranger)
    for stage in ("answered", "confirmed", "not-confirmed", "failed", "reached", ""):
        manager.event("UserEvent", Uniqueid=stranger, UserEvent="HotlineStage", Stage=stage)
    manager.event("ConfbridgeJoin", Channel="PJSIP/trunk-00000001", Uniqueid=stranger)
    manager.event("OriginateResponse", Response="Failure", ActionID=stranger, Uniqueid=stranger)
    manager.event("Hangup", Channel="PJSIP/trunk-00000001", Uniqueid=stranger, Cause="17")
    office.until_at_rest()

    assert office.changes() == before
    assert office.state(token) is C.RINGING


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"UserEvent": "SomethingElse", "Stage": "failed"},
        {"UserEvent": "HotlineStage", "Stage": "reached"},
        {"UserEvent": "HotlineStage"},
        {},
    ],
)
def test_a_user_event_that_is_no_stage_touches_nothing(
    office: Office, manager: FakeManager, headers: dict[str, str]
):
    token = office.call(C.ANSWERED)
    before = office.changes()

    manager.event("UserEvent", Uniqueid=token, **headers)
    office.until_at_rest()

    assert office.changes() == before


@on_sqlite
def test_events_without_any_header_touch_nothing(office: Office, manager: FakeManager):
    token = office.call(C.RINGING)
    before = office.changes()

    for name in ("DialState", "UserEvent", "ConfbridgeJoin", "Hangup", "OriginateResponse", "Unheard"):
        manager.event(name)
    office.until_at_rest()

    assert office.changes() == before
    assert office.state(token) is C.RINGING


# --- its own life ---


def test_it_says_that_it_works_and_that_asterisk_does_once_it_is_connected(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    def alive(process: str) -> bool:
        with reading(engine) as session:
            return heartbeats.alive(session, process)

    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0)
    manager.secret = "another"
    with closing(Office(settings, engine, manager)) as office:
        manager.wait_for("Login")
        office.until(lambda: alive("dialer"))
        office.step()
        assert not alive("asterisk")

        manager.secret = "secret"
        office.until(lambda: alive("asterisk"))


# --- confirming keyed-in numbers ---


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


def test_a_keyed_in_number_is_called_once_with_a_token_of_its_own(
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


def test_a_confirmation_without_an_answer_is_tried_again_later_and_given_up_after_three(
    office: Office, manager: FakeManager
):
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
def test_a_number_outside_the_allowed_prefixes_is_never_called_to_confirm_it(
    office: Office, manager: FakeManager, number: str
):
    id_ = keyed_in(office, number)
    for _ in range(3):
        comes_due(office, id_)
        office.until_at_rest()

    assert state_of(office, id_) is RegistrationState.CANCELLED
    assert manager.named("Originate") == []


@on_sqlite
def test_only_a_few_are_called_at_once_and_the_next_when_one_has_ended(office: Office, manager: FakeManager):
    ids = [keyed_in(office) for _ in range(8)]

    office.until(lambda: len(manager.named("Originate")) >= 5)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 5

    manager.hangs_up(manager.named("Originate")[0]["ChannelId"])
    office.until(lambda: len(manager.named("Originate")) >= 6)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 6
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
def test_a_confirmation_of_which_nobody_can_say_whether_it_was_placed_is_not_placed_again(
    office: Office, manager: FakeManager
):
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
    office: Office, manager: FakeManager, settings: Settings, engine: Engine
):
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
