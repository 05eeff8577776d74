"""Calls made ahead, between a real database and a manager interface that does what a test says."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from db.engine import now, reading, writing
from db.models import Callback, Desk, PlacedCall, Registration, Round, User
from db.states import CallbackState, Outcome, RegistrationState
from dialer import ahead, keys, rooms
from dialplan.variables import CAPPED_CAUSE
from hotline.callbacks import callbacks, claims, closing, conversations, screening, serving
from hotline.rounds import planning
from settings import Settings
from tests import factories as make
from tests.dialer.test_dialer import DESK_CHANNEL, LONG_AGO, Office, manager, quick
from tests.kit.fake_manager import FakeManager

__all__ = ["manager", "quick"]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
OPERATOR, OPERATOR_CHANNEL = 3, "PJSIP/desk-3-00000023"
OURS = "Local/x@dial-00000001;1"
THE_RULE = ahead.round_statistics.calls_wanted


class Hall(Office):
    """An office whose first desk serves a round with a line; an operator sits at the third."""

    def __init__(self, settings: Settings, engine: Engine, manager: FakeManager) -> None:
        super().__init__(settings, engine, manager)
        self.wanted = 0
        with writing(engine) as session:
            round_ = make.a_round(session)
            self.round_id = round_.id
            self.line = [r.id for r in make.some_registrations(session, round_, 6)]
            make.a_user(session, make.a_desk(session))
            serving.serve(session, session.get_one(Desk, 1), round_.id, settings)
        manager.channels["desk.3"] = {"Channel": OPERATOR_CHANNEL, "Application": "ConfBridge"}
        self.until(self.ami.connected.is_set)

    def calls_wanted(self, session: object, round_: Round, *_: object) -> int:
        return self.wanted if round_.id == self.round_id else 0

    # --- what happens ---

    def dials(self) -> str:
        """The next citizen of the line is called ahead."""
        before = len(self.manager.named("Originate"))
        self.wanted = 1
        while len(self.manager.named("Originate")) == before:
            self.step()
            taken = any(c.placed_at is None for c in self.live()) or len(self.live()) > before
            self.wanted = 0 if taken else 1  # one that a cap refused is gone again: the next one
        self.wanted = 0
        return self.manager.named("Originate")[before]["ChannelId"]

    def brings(self, to: CallbackState = C.WAITING, *, desk: int = 1, token: str = "") -> str:
        """A citizen is called ahead, if not `token`'s, and comes so far."""
        token = token or self.dials()
        steps: list[tuple[CallbackState, Callable[[], object]]] = [
            (C.RINGING, lambda: self.manager.ringing(token)),
            (C.ANSWERED, lambda: self.manager.stage(token, "answered", "AGI")),
            (C.WAITING, lambda: self.manager.stage(token, "confirmed", "BridgeWait")),
        ]
        for state, happens in steps:
            if self.state(token) is to:
                return token
            happens()
            self.until(lambda state=state: self.state(token) is state)
        if to is C.SCREENING:
            self.screens(token)
            self.until(lambda: (token, "screening", str(OPERATOR)) in self.moved())
            self.manager.joins(token, OURS, f"desk-{OPERATOR}", "screening")
            self.until_at_rest()
        if to is C.TALKING:
            self.asks_next(desk)
            self.enters(token, desk)
        return token

    def calls_by_hand(self) -> str:
        """The operator takes the next citizen and has them called."""
        with writing(self.engine) as session:
            user = session.scalars(select(User).where(User.desk_id == OPERATOR)).one()
            taken = claims.claim(session, round_id=self.round_id, desk_id=OPERATOR, user_id=user.id)
            assert taken
            callbacks.ask_call(session, taken, self._settings)
        self.until(lambda: taken.token in self.manager.channels)
        return taken.token

    def enters(self, token: str, desk: int = 1) -> None:
        """The citizen comes into the desk's room, to speak."""
        self.until(lambda: (token, "room", str(desk)) in self.moved())
        self.manager.joins(token, OURS, f"desk-{desk}")
        self.until(lambda: self.state(token) is C.TALKING)

    def asks_next(self, desk: int = 1, after: str | None = None) -> Callback | None:
        with writing(self.engine) as session:
            ended = callbacks.by_token(session, after).id if after else None  # type: ignore[union-attr]
            at = session.get_one(Desk, desk)
            return serving.ask_next(session, at, ended, self._settings, confirmed=True)

    def parts(self, token: str) -> None:
        """The citizen, whose conversation is over, is taken out of the room."""
        self.until(lambda: (token, "parting", "s") in self.moved())
        self.manager.stage(token, "parting", "Wait")

    def screens(self, token: str) -> None:
        with writing(self.engine) as session:
            callback, desk = callbacks.by_token(session, token), session.get_one(Desk, OPERATOR)
            assert callback is not None
            screening.screen(session, callback, desk)

    def hands_over(self, token: str) -> None:
        with writing(self.engine) as session:
            callback = callbacks.by_token(session, token)
            assert callback is not None
            screening.hand_over(session, callback)

    def ends_round(self) -> None:
        with writing(self.engine) as session:
            planning.end(session, session.get_one(Round, self.round_id), who="somebody", reason="")

    def presses(self, key: str, channel: str = DESK_CHANNEL) -> None:
        self.manager.event("UserEvent", UserEvent="HotlineKey", Key=key, Channel=channel, Uniqueid="desk.1")
        self.until_at_rest()

    def thinks(self) -> None:
        """The dialer has looked once more whether somebody is to be called, and called them."""
        self._dialer._ahead.keep_ready()
        self.until_at_rest()

    # --- what is so ---

    def called(self) -> list[str]:
        """The tokens of all citizens' calls that Asterisk was asked for, in their order."""
        return [o["ChannelId"] for o in self.manager.named("Originate")]

    def later(self, token: str, **moments: timedelta) -> None:
        """So much time has passed since these moments of the callback."""
        callback = self.callback(token)
        self.change(token, **{name: getattr(callback, name) - passed for name, passed in moments.items()})

    def live(self) -> list[Callback]:
        with reading(self.engine) as session:
            return list(session.scalars(select(Callback).where(Callback.state != C.CLOSED)).all())

    def desk(self, desk: int = 1) -> Desk:
        with reading(self.engine) as session:
            return session.get_one(Desk, desk)

    def wants(self, desk: int = 1) -> bool:
        return self.desk(desk).next_asked_at is not None

    def moved(self) -> list[tuple[str, str, str]]:
        return [(r["Channel"], r["Context"], r["Exten"]) for r in self.manager.named("Redirect")]

    def ended_with(self, token: str) -> tuple[Outcome | None, RegistrationState, int]:
        callback = self.callback(token)
        return callback.outcome, callback.registration.state, callback.registration.attempts

    def aged(self, token: str) -> None:
        """It was placed some minutes ago."""
        at = self.callback(token).claimed_at - LONG_AGO
        self.change(token, called_at=at, placed_at=at)
        with writing(self.engine) as session:
            session.get_one(PlacedCall, token).at = at


@pytest.fixture
def hall(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    monkeypatch.setattr(rooms, "_AGAIN_S", 60.0)  # however slow this machine is at the moment
    hall = Hall(settings, engine, manager)
    monkeypatch.setattr(ahead.round_statistics, "calls_wanted", hall.calls_wanted)
    yield hall
    hall.close()
    called = [o["ChannelId"] for o in manager.named("Originate") if o["Context"] != "aside"]
    assert len(set(called)) == len(called), "nobody's phone rings twice for one callback"
    with reading(engine) as session:
        written = set(session.scalars(select(PlacedCall.token)))
    assert set(called) <= written, "every call is written down"


@pytest.fixture
def impatient(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Asterisk did not do is asked for again at once."""
    monkeypatch.setattr(rooms, "_AGAIN_S", 0.05)


# --- from the line to the desk ---


def test_given_a_served_round_when_calls_are_wanted_then_the_line_is_called_in_its_order_for_no_desk(
    hall: Hall, manager: FakeManager
) -> None:
    tokens = [hall.dials() for _ in range(3)]
    assert [hall.callback(t).registration_id for t in tokens] == hall.line[:3]
    assert [hall.callback(t).desk_id for t in tokens] == [None] * 3
    numbers = [hall.callback(t).registration.number for t in tokens]
    assert [o["Channel"] for o in manager.named("Originate")] == [f"Local/{n}@dial/n" for n in numbers]


def test_given_a_citizen_who_waits_when_a_desk_asks_then_they_meet_and_the_desk_has_what_it_asked_for(
    hall: Hall,
) -> None:
    token = hall.brings()
    hall.until_at_rest()
    assert hall.moved() == [], "nobody is moved to a desk that did not ask"
    given = hall.asks_next()
    assert given is not None and given.token == token
    assert hall.wants(), "until the conversation begins"
    hall.enters(token)
    assert not hall.wants()
    assert hall.moved() == [(token, "room", "1")]


def test_given_a_desk_that_asked_when_a_citizen_presses_one_then_they_meet(hall: Hall) -> None:
    assert hall.asks_next() is None
    token = hall.brings()
    hall.enters(token)
    assert hall.callback(token).desk_id == 1


def test_given_a_conversation_and_one_ready_when_next_is_pressed_twice_then_one_ends_and_leaves_first(
    hall: Hall, manager: FakeManager
) -> None:
    talking, ready, third = hall.brings(C.TALKING), hall.brings(), hall.brings()
    first = hall.asks_next(after=talking)
    second = hall.asks_next(after=talking)
    assert first is not None and second is not None and first.token == second.token == ready
    hall.until(lambda: (talking, "parting", "s") in hall.moved())
    for _ in range(5):
        hall.step()
    assert (ready, "room", "1") not in hall.moved(), "the room is not empty yet"
    hall.parts(talking)
    hall.enters(ready)
    assert hall.ended_with(talking) == (None, R.CALLING, 0), "still on the line"
    hall.later(talking, parting_at=conversations.UNDO)
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [talking])
    manager.hangs_up(talking)
    hall.until(lambda: hall.state(talking) is C.CLOSED)
    assert hall.ended_with(talking) == (O.REACHED, R.REACHED, 1)
    assert hall.callback(talking).ended_at is not None
    assert hall.state(third) is C.WAITING


def test_given_two_in_flight_when_the_later_one_answers_first_then_the_first_in_order_is_spoken_with_first(
    hall: Hall, manager: FakeManager
) -> None:
    talking, first, second = hall.brings(C.TALKING), hall.dials(), hall.dials()
    hall.brings(token=second)
    hall.brings(token=first)
    given = hall.asks_next(after=talking)
    assert given is not None and given.token == first
    hall.parts(talking)
    hall.enters(first)
    assert hall.state(second) is C.WAITING, "the next one ready"
    given = hall.asks_next(after=first)
    assert given is not None and given.token == second
    hall.parts(first)
    hall.enters(second)
    assert len(manager.named("Originate")) == 3, "nobody was hung up on or called once more"
    assert second not in {h["Channel"] for h in manager.named("Hangup")}


def test_given_a_free_desk_and_two_ringing_when_one_answers_then_the_other_rings_on_and_is_ready_next(
    hall: Hall, manager: FakeManager
) -> None:
    hall.asks_next()
    first, second = hall.brings(C.RINGING), hall.brings(C.RINGING)
    hall.brings(token=second)
    hall.enters(second)
    hall.until_at_rest()
    assert (hall.state(first), manager.named("Hangup")) == (C.RINGING, [])
    hall.brings(token=first)
    given = hall.asks_next(after=second)
    assert given is not None and given.token == first
    hall.parts(second)
    hall.enters(first)


# --- by the rule that runs live ---


@pytest.fixture
def paced(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    """The hall whose calls are placed by hotline.callbacks.pacing itself; its first desk is free."""
    monkeypatch.setattr(ahead.round_statistics, "calls_wanted", THE_RULE)
    hall.asks_next()
    return hall


def test_given_an_idle_official_when_those_called_say_nothing_then_others_ring_beside_them_in_the_lines_order(
    paced: Hall, manager: FakeManager
) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    silent, unanswered = paced.called()
    paced.brings(C.ANSWERED, token=silent)
    paced.brings(C.RINGING, token=unanswered)
    paced.thinks()
    assert paced.called() == [silent, unanswered], "one of the two may well come"
    paced.later(silent, placed_at=timedelta(seconds=60), answered_at=timedelta(seconds=50))
    paced.later(unanswered, placed_at=timedelta(seconds=29))
    paced.until(lambda: len(paced.called()) == 4)
    paced.thinks()
    assert [paced.callback(t).registration_id for t in paced.called()] == paced.line[:4]
    assert paced.state(silent) is C.ANSWERED and paced.state(unanswered) is C.RINGING
    assert manager.named("Hangup") == [], "nobody's phone rings in vain"


def test_given_an_idle_official_when_two_press_1_then_they_meet_in_order_and_nobody_else_is_called(
    paced: Hall,
) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    first, second = paced.called()
    paced.brings(token=second)
    paced.enters(second)
    paced.brings(token=first)
    paced.thinks()
    assert paced.state(first) is C.WAITING, "with music, until the official asks"
    paced.asks_next(after=second)
    paced.parts(second)
    paced.enters(first)
    paced.thinks()
    assert paced.called() == [first, second]


@on_sqlite
def test_given_one_who_pressed_nothing_when_they_press_1_late_then_they_are_the_next_one_ready(
    paced: Hall, manager: FakeManager
) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    late, _ = paced.called()
    paced.brings(C.ANSWERED, token=late)
    paced.later(late, placed_at=timedelta(seconds=60), answered_at=timedelta(seconds=50))
    paced.until(lambda: len(paced.called()) == 3)
    third = paced.called()[-1]
    paced.brings(token=third)
    paced.enters(third)
    manager.stage(late, "confirmed", "BridgeWait")
    paced.until(lambda: paced.state(late) is C.WAITING)
    given = paced.asks_next(after=third)
    assert given is not None and given.token == late


@on_sqlite
def test_given_caps_when_the_rule_wants_more_calls_then_the_caps_decide(
    settings: Settings, engine: Engine, manager: FakeManager
) -> None:
    hall = Hall(settings.model_copy(update={"calls_at_once": 1}), engine, manager)
    try:
        hall.asks_next()
        hall.until(lambda: len(hall.called()) == 1)
        hall.thinks()
        assert len(hall.called()) == len(hall.live()) == 1, "nobody else is taken out of the line"
    finally:
        hall.close()


# --- «next» ---


@on_sqlite
def test_given_a_redirect_that_asterisk_refuses_when_next_was_pressed_then_nobody_joins_the_old_one(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    manager.refused = {"Redirect": "not now"}
    hall.asks_next(after=talking)
    hall.until(lambda: hall.moved().count((talking, "parting", "s")) >= 3)
    assert (ready, "room", "1") not in hall.moved()
    manager.refused = {}
    count = hall.moved().count((talking, "parting", "s"))
    hall.until(lambda: hall.moved().count((talking, "parting", "s")) > count)
    hall.parts(talking)
    hall.enters(ready)


def test_given_a_citizen_who_hangs_up_on_the_way_when_another_waits_then_the_desk_has_that_one_unasked(
    hall: Hall, manager: FakeManager
) -> None:
    gone, ready = hall.brings(), hall.brings()
    hall.asks_next()
    manager.hangs_up(gone)
    hall.enters(ready)
    assert hall.ended_with(gone) == (O.HUNG_UP, R.WAITING, 1)


@on_sqlite
def test_given_a_citizen_who_presses_two_when_given_to_a_desk_then_they_keep_their_place_and_the_desk_asks_on(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    manager.stage(token, "later")
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.CALL_AGAIN, R.WAITING, 0)
    assert hall.wants()
    hall.enters(hall.brings())


def test_given_a_desk_whose_phone_goes_before_they_meet_when_it_is_back_then_they_meet(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    manager.hangs_up("desk.1")
    hall.until(lambda: not hall.phone_connected())
    with writing(hall.engine) as session:  # a moment before, the desk was given the citizen
        callback, desk = callbacks.by_token(session, token), session.get_one(Desk, 1)
        assert callback is not None
        callback.desk_id, desk.next_asked_at = 1, now(session)
    hall.until(lambda: hall.callback(token).desk_id is None)
    manager.joins("desk.1", DESK_CHANNEL)
    hall.enters(token)


@on_sqlite
def test_given_one_taken_back_on_the_way_when_they_come_into_the_empty_room_then_they_hear_music_again(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert hall.state(token) is C.WAITING


@on_sqlite
def test_given_a_citizen_who_comes_just_after_the_desks_phone_went_then_nobody_spoke_and_they_wait(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    hall.until(lambda: (token, "room", "1") in hall.moved())
    manager.hangs_up("desk.1")
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert (hall.state(token), hall.callback(token).talking_at) == (C.WAITING, None)


@on_sqlite
def test_given_what_happens_while_asterisk_is_asked_what_is_true_then_it_is_asked_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.until_at_rest()
    asked: list[bool] = []

    def run(_catch_up: Callable[[], None], _no_channel_s: float) -> bool:
        asked.append(True)
        hall._dialer._hearing.in_sync = len(asked) > 1  # a desk's phone leaves while the first one runs
        return True

    monkeypatch.setattr(hall._dialer._reconciler, "run", run)
    hall._dialer._hearing.in_sync = False
    hall.until(lambda: len(asked) == 2)


# --- screening ---


def test_given_one_who_waits_when_an_operator_speaks_first_and_hands_over_then_each_move_is_made_once(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings(C.SCREENING)
    assert hall.state(token) is C.SCREENING
    hall.hands_over(token)
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    manager.stage(token, "confirmed", "BridgeWait")
    hall.until_at_rest()
    hall.asks_next()
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "waiting", "s"), (token, "room", "1")]


def test_given_a_desk_that_asked_when_the_operator_hands_over_then_the_citizen_goes_straight_to_it(
    hall: Hall,
) -> None:
    token = hall.brings(C.SCREENING)
    hall.asks_next()
    hall.hands_over(token)
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "room", "1")]


@on_sqlite
def test_given_an_operator_who_serves_the_round_too_when_screening_then_the_same_room_serves_both(
    hall: Hall, settings: Settings
) -> None:
    with writing(hall.engine) as session:
        serving.serve(session, session.get_one(Desk, OPERATOR), hall.round_id, settings)
    token = hall.brings(C.SCREENING)
    assert hall.asks_next(OPERATOR) is None, "who screens gets no second citizen"
    hall.hands_over(token)
    hall.enters(token, OPERATOR)


def test_given_an_operator_whose_phone_goes_before_the_citizen_comes_then_the_citizen_waits_again(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.screens(token)
    manager.hangs_up("desk.3")
    hall.until(lambda: hall.state(token) is C.WAITING)


@on_sqlite
def test_given_a_citizen_who_hangs_up_while_screened_then_it_is_so(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings(C.SCREENING)
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.HUNG_UP, R.WAITING, 1)


# --- the desk's keys ---


@on_sqlite
def test_given_a_conversation_when_keys_are_pressed_then_they_do_what_the_page_does(
    hall: Hall, manager: FakeManager
) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.presses("finishing")
    assert hall.callback(talking).finishing_at is not None
    hall.later(talking, talking_at=conversations.CONFIRM)
    hall.presses("next")
    assert (hall.state(talking), hall.callback(talking).said) == (C.PARTING, O.REACHED)
    hall.parts(talking)
    hall.enters(ready)
    hall.presses("hang-up")
    assert (hall.state(ready), hall.callback(ready).said) == (C.PARTING, None)
    hall.parts(ready)
    manager.hangs_up(ready)
    hall.until(lambda: hall.state(ready) is C.ENDED)


@on_sqlite
def test_given_a_conversation_that_has_just_begun_when_next_is_pressed_then_only_a_second_press_ends_it(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking = hall.brings(C.TALKING)
    hall.presses("next")
    assert hall.state(talking) is C.TALKING
    (word,) = [o for o in manager.named("Originate") if o["Context"] == "aside"]
    assert word["Channel"] == "Local/official-confirm-next@tone/n"
    assert word["Variable"] == f"HOTLINE_HEARS={DESK_CHANNEL}"
    monkeypatch.setattr(keys, "_CONFIRM_S", 0.0)
    hall.presses("next")
    assert hall.state(talking) is C.TALKING, "too late: asked once more"
    monkeypatch.setattr(keys, "_CONFIRM_S", 60.0)
    hall.presses("next")
    assert hall.state(talking) is C.PARTING


@on_sqlite
def test_given_an_end_by_mistake_when_undone_by_the_key_then_they_speak_on_and_the_next_one_waits(
    hall: Hall, manager: FakeManager
) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.asks_next(after=talking)
    hall.parts(talking)
    hall.enters(ready)
    hall.presses("undo")
    hall.until(lambda: (ready, "waiting", "s") in hall.moved())
    assert hall.moved()[-1] == (ready, "waiting", "s"), "nobody hears the other"
    assert (hall.state(ready), hall.callback(ready).talking_at) == (C.WAITING, None)
    manager.stage(ready, "confirmed", "AGI")
    hall.until(lambda: hall.moved()[-1] == (talking, "room", "1"))
    manager.joins(talking, OURS)
    hall.until(lambda: hall.state(talking) is C.TALKING)
    assert not hall.wants()
    assert manager.named("Hangup") == []
    hall.asks_next(after=talking)
    hall.parts(talking)
    hall.enters(ready)


@on_sqlite
def test_given_a_desk_that_asked_when_not_now_pause_and_end_are_pressed_then_it_is_left_in_peace(
    hall: Hall,
) -> None:
    hall.presses("next")
    assert hall.wants()
    hall.presses("not-now")
    assert not hall.wants()
    hall.presses("next")
    hall.presses("pause")
    with reading(hall.engine) as session:
        assert session.get_one(Round, hall.round_id).paused_at is not None
    hall.presses("pause")
    token = hall.brings()
    hall.enters(token)
    hall.presses("end-round")
    with reading(hall.engine) as session:
        assert session.get_one(Round, hall.round_id).ended_at is not None
    assert hall.state(token) is C.TALKING, "a conversation goes on"


@on_sqlite
@pytest.mark.parametrize("channel", [OURS, "PJSIP/trunk-00000001", ""])
def test_given_a_key_event_of_a_stranger_when_it_comes_then_nothing_changes(hall: Hall, channel: str) -> None:
    hall.presses("next", channel)
    hall.presses("reboot")
    assert not hall.wants()


# --- the end of a round ---


def test_given_calls_made_ahead_when_the_round_ends_then_each_ends_kindly_once_and_keeps_its_place(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking = hall.brings(C.TALKING)
    waiting, ringing, dialing = hall.brings(), hall.brings(C.RINGING), hall.dials()
    hall.ends_round()
    hall.until(lambda: (waiting, "let-go", "s") in hall.moved())
    hall.until(lambda: {h["Channel"] for h in manager.named("Hangup")} == {ringing, dialing})
    manager.channels[waiting] |= {"Context": "let-go", "Application": "Playback"}
    hall.until_at_rest()  # asks Asterisk anew, too
    hall.restart()
    hall.until_at_rest()
    assert hall.moved().count((waiting, "let-go", "s")) == 1, "the kind word is heard to its end"
    for token in (waiting, ringing, dialing):
        manager.hangs_up(token)
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (waiting, ringing, dialing)))
    for token in (waiting, ringing, dialing):
        assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)
    assert hall.state(talking) is C.TALKING


def test_given_calls_of_desks_and_of_nobody_when_the_round_is_cancelled_then_all_but_a_talk_end_kindly(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking = hall.brings(C.TALKING)
    answered, by_hand = hall.brings(C.ANSWERED), hall.calls_by_hand()
    manager.ringing(by_hand)
    with writing(hall.engine) as session:
        planning.cancel(session, session.get_one(Round, hall.round_id), who="u", reason="بیماری")
    hall.until(lambda: (answered, "let-go", "s") in hall.moved())
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [by_hand])
    for token in (answered, by_hand):
        manager.hangs_up(token)
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (answered, by_hand)))
    for token in (answered, by_hand):
        assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)
    assert hall.state(talking) is C.TALKING
    with reading(hall.engine) as session:
        assert callbacks.live_at_desk(session, OPERATOR) is None


def test_given_one_on_the_way_to_a_desk_when_the_round_is_cancelled_then_they_do_not_meet(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    hall.until(lambda: (token, "room", "1") in hall.moved())
    with writing(hall.engine) as session:
        planning.cancel(session, session.get_one(Round, hall.round_id), who="u", reason="بیماری")
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    manager.joins(token, OURS, "desk-1")
    hall.until_at_rest()
    assert hall.state(token) is C.WAITING
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)


@on_sqlite
def test_given_a_kind_word_that_does_not_end_when_its_time_is_over_then_the_call_is_ended(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = hall.brings()
    hall.ends_round()
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    monkeypatch.setattr(rooms, "_GOODBYE_S", 0.0)
    hall.until(lambda: manager.named("Hangup"))


@on_sqlite
def test_given_a_desk_that_asked_when_the_round_is_over_then_nobody_is_given_to_it(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.ends_round()
    with writing(hall.engine) as session:
        session.get_one(Desk, 1).next_asked_at = now(session)
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    assert hall.callback(token).desk_id is None


# --- the dialer is killed ---


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING, C.ANSWERED, C.WAITING, C.SCREENING, C.TALKING])
def test_given_a_dialer_killed_in_each_state_when_another_comes_then_it_goes_on_with_the_call_where_it_is(
    hall: Hall, manager: FakeManager, state: CallbackState
) -> None:
    token = hall.brings(state)
    moved = hall.moved()
    hall.restart()
    hall.until_at_rest()
    assert hall.state(token) is state
    assert hall.moved() == moved
    assert len(manager.named("Originate")) == 1
    if state in (C.DIALING, C.RINGING):
        manager.refuses(token, 486)
    else:
        manager.hangs_up(token)
    hall.until(lambda: hall.state(token) in (C.ENDED, C.CLOSED))
    outcome = {C.DIALING: O.BUSY, C.RINGING: O.BUSY, C.TALKING: None}.get(state, O.HUNG_UP)
    assert hall.callback(token).outcome is outcome


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING, C.ANSWERED, C.WAITING, C.SCREENING, C.TALKING])
def test_given_a_call_that_ended_while_the_dialer_was_dead_when_another_comes_then_its_end_is_true(
    hall: Hall, manager: FakeManager, state: CallbackState
) -> None:
    token = hall.brings(state)
    hall.aged(token)
    if state is C.TALKING:
        hall.later(token, talking_at=conversations.MET)
        manager.channels["desk.1"]["Duration"] = "01:23:45"  # there all the while: it was the citizen's end
    manager.channels.pop(f"{token}.phone", None)
    del manager.channels[token]
    hall.restart()
    hall.until(lambda: hall.state(token) in (C.ENDED, C.CLOSED))
    if state is C.TALKING:
        assert hall.ended_with(token) == (None, R.CALLING, 0), "whoever was in a room: a person says"
        assert hall.asks_next(after=token) is None
        assert hall.ended_with(token) == (O.REACHED, R.REACHED, 1)
    else:
        assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0), "nobody spoke with them"
        assert hall.callback(token).registration.not_before is None, "our own fault: nobody waits for it"
    hall.until_at_rest()
    assert len(manager.named("Originate")) == 1
    with reading(hall.engine) as session:
        assert session.get_one(PlacedCall, token).ended_at is not None


@pytest.mark.parametrize("in_the_room", [True, False])
def test_given_a_dialer_killed_between_asking_and_meeting_when_another_comes_then_they_meet(
    hall: Hall, manager: FakeManager, in_the_room: bool
) -> None:
    token = hall.brings()
    hall.restart()
    hall.asks_next()
    if in_the_room:  # the old dialer's last act
        manager.channels[token] |= {"Application": "ConfBridge", "Exten": "1", "Context": "room"}
        hall.until(lambda: hall.state(token) is C.TALKING)
        assert hall.moved() == []
    else:
        hall.enters(token)
    assert not hall.wants()


@on_sqlite
def test_given_a_dialer_killed_after_next_when_another_comes_then_the_old_one_leaves_and_the_new_one_enters(
    hall: Hall, manager: FakeManager
) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.restart()
    hall.asks_next(after=talking)
    hall.until(lambda: (talking, "parting", "s") in hall.moved())
    assert (ready, "room", "1") not in hall.moved()
    hall.parts(talking)
    hall.enters(ready)


@on_sqlite
def test_given_a_dialer_killed_before_the_operators_wish_when_another_comes_then_they_speak(
    hall: Hall,
) -> None:
    token = hall.brings()
    hall.restart()
    hall.screens(token)
    hall.until(lambda: (token, "screening", "3") in hall.moved())
    assert hall.state(token) is C.SCREENING


@on_sqlite
def test_given_a_dialer_killed_before_the_call_when_another_comes_then_it_is_placed_once(
    hall: Hall, manager: FakeManager
) -> None:
    with writing(hall.engine) as session:
        made = claims.call_ahead(session, session.get_one(Round, hall.round_id))
    assert made is not None
    hall.restart()
    hall.until(lambda: manager.named("Originate"))
    hall.until_at_rest()
    assert [o["ChannelId"] for o in manager.named("Originate")] == [made.token]


# --- cuts, lost answers, refusals ---


def test_given_a_cut_connection_when_a_desk_asks_meanwhile_then_they_meet_once_it_is_back(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    manager.cut()
    hall.asks_next()
    hall.enters(token)
    assert hall.moved() == [(token, "room", "1")]


@pytest.mark.parametrize("how", ["unanswered", "cut_on"])
@on_sqlite
def test_given_the_answer_to_a_call_is_lost_when_there_is_no_channel_then_it_failed_and_costs_no_attempt(
    hall: Hall, manager: FakeManager, how: str
) -> None:
    setattr(manager, how, {"Originate"})
    manager.before = {"Originate": lambda: manager.channels.pop(manager.actions[-1]["ChannelId"])}
    token = hall.dials()
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()
    assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    assert len(manager.named("Originate")) == 1


@pytest.mark.parametrize("how", ["unanswered", "cut_on", "refused"])
@on_sqlite
def test_given_a_redirect_that_is_lost_or_refused_when_the_citizen_still_waits_then_it_is_asked_for_again(
    hall: Hall, manager: FakeManager, how: str, impatient: None
) -> None:
    token = hall.brings()
    setattr(manager, how, {"Redirect": "not now"} if how == "refused" else {"Redirect"})
    hall.asks_next()
    hall.until(lambda: len(manager.named("Redirect")) >= 2)
    setattr(manager, how, {} if how == "refused" else set())
    count = len(manager.named("Redirect"))
    hall.until(lambda: len(manager.named("Redirect")) > count)
    hall.enters(token)
    assert set(hall.moved()) == {(token, "room", "1")}


def test_given_asterisk_restarted_when_it_is_back_then_calls_ahead_failed_and_the_desk_judges_its_own(
    hall: Hall, manager: FakeManager
) -> None:
    talking, ringing = hall.brings(C.TALKING), hall.brings(C.RINGING)
    waiting, screened = hall.brings(), hall.brings(C.SCREENING)
    for token in (talking, waiting, ringing, screened):
        hall.aged(token)
    manager.channels.clear()
    manager.cut()
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (waiting, ringing, screened)))
    for token in (waiting, ringing, screened):
        assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    assert (hall.state(talking), hall.phone_connected()) == (C.ENDED, False)
    manager.joins("desk.1", DESK_CHANNEL)
    hall.until(hall.phone_connected)
    assert hall.asks_next(after=talking) is None
    assert hall.ended_with(talking) == (O.CALL_AGAIN, R.WAITING, 0), "it was our side that cut it"
    next_one = hall.brings()
    assert hall.callback(next_one).registration_id == hall.line[1], "the first who does not wait"
    hall.enters(next_one)


@on_sqlite
def test_given_a_citizen_on_the_way_who_was_lost_unseen_when_next_is_pressed_then_they_are_called_again(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.aged(token)
    manager.refused = {"Redirect": "not now"}
    hall.asks_next()
    del manager.channels[token]
    manager.event("FullyBooted")
    hall.until(lambda: hall.state(token) is C.ENDED)
    assert hall.asks_next(after=token) is None
    assert hall.ended_with(token) == (O.CALL_AGAIN, R.WAITING, 0), "nobody was seen to speak with them"


def test_given_the_database_away_for_a_while_when_it_is_back_then_all_goes_on(
    hall: Hall, manager: FakeManager, engine: Engine
) -> None:
    token, ringing = hall.brings(), hall.brings(C.RINGING)

    def refuse(_connection: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    manager.stage(ringing, "answered", "AGI")
    manager.stage(ringing, "confirmed", "BridgeWait")
    for _ in range(5):
        hall.step()
    event.remove(engine, "begin", refuse)
    hall.asks_next()
    hall.enters(token)
    hall.until(lambda: hall.state(ringing) is C.WAITING)
    assert len(manager.named("Originate")) == 2


@on_sqlite
def test_given_a_round_with_everybody_called_when_the_dialer_dies_over_and_over_then_nobody_is_called_twice(
    hall: Hall, manager: FakeManager
) -> None:
    hall.wanted = 10
    for turn in range(12):
        hall.step()
        hall.restart()
        if turn % 4 == 1:
            manager.cut()
    hall.wanted = 0
    hall.until_at_rest()
    numbers = [o["Channel"] for o in manager.named("Originate")]
    assert len(numbers) == len(set(numbers)) == len(hall.line)


# --- caps ---


@on_sqlite
def test_given_the_trunks_channels_in_use_when_more_are_wanted_then_nobody_is_taken_out_of_the_line(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall(settings.model_copy(update={"calls_at_once": 2}), engine, manager)
    monkeypatch.setattr(ahead.round_statistics, "calls_wanted", hall.calls_wanted)
    try:
        hall.wanted = 5
        hall.until(lambda: len(manager.named("Originate")) == 2)
        hall.until_at_rest()
        assert len(manager.named("Originate")) == len(hall.live()) == 2
        hall.wanted = 1
        manager.refuses(manager.named("Originate")[0]["ChannelId"], 486)
        hall.until(lambda: len(manager.named("Originate")) == 3)
        assert hall.live()[-1].registration_id == hall.line[2]
    finally:
        hall.close()


@on_sqlite
def test_given_a_cap_reached_by_another_at_the_last_moment_when_a_call_is_taken_up_then_it_is_given_back(
    hall: Hall, manager: FakeManager, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(hall.engine) as session:
        made = claims.call_ahead(session, session.get_one(Round, hall.round_id))
        for number in range(settings.calls_at_once):
            session.add(PlacedCall(token=f"x{number}", number=f"+98913{number:07}", at=now(session)))
    assert made is not None
    hall._dialer._placing.place(made.token)
    assert hall.ended_with(made.token) == (O.RETURNED, R.WAITING, 0)
    assert hall.callback(made.token).registration.not_before is None
    assert manager.named("Originate") == []
    held_back = [
        (r.levelname, r.getMessage()) for r in caplog.records if "no call is placed" in r.getMessage()
    ]
    assert held_back == [("ERROR", "no call is placed now: at-once")]


@on_sqlite
def test_given_a_number_that_was_called_so_often_when_its_turn_comes_then_it_is_passed_over_for_a_day(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    with writing(hall.engine) as session:
        first, at = session.get_one(Registration, hall.line[0]), now(session)
        for number in range(settings.calls_per_number):
            session.add(PlacedCall(token=f"x{number}", number=first.number, at=at, ended_at=at))
    token = hall.dials()
    assert hall.callback(token).registration_id == hall.line[1]
    with reading(hall.engine) as session:
        first = session.get_one(Registration, hall.line[0])
        assert (first.state, first.last_outcome, first.attempts) == (R.WAITING, O.FAILED, 0)
        assert first.not_before is not None
        assert first.not_before > at + 23 * make.HOUR


@on_sqlite
def test_given_a_call_that_the_dialplan_itself_refused_as_one_too_many_then_it_is_as_if_never_made(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.dials()
    manager.hangs_up(token, CAPPED_CAUSE)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)


@on_sqlite
def test_given_somebody_in_a_room_whose_callback_is_over_when_seen_then_they_are_hung_up(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    talking = hall.brings(C.TALKING)
    with writing(hall.engine) as session:
        callbacks.move(session, talking, C.ENDED)
        closing.close(session, talking, O.REACHED, settings)
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [talking])
