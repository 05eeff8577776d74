"""Callers who wait on the line and desks with live calls, between a real database and a manager interface."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, Desk, PlacedCall, Registration, WaitingCaller
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import claims, closing, serving, transitions, waiting_callers
from hotline.ledger.verify import verify
from hotline.line import registration
from hotline.rounds import phases
from settings import Settings
from tests import factories as make
from tests.dialer.office import DESK_CHANNEL, Office, on_sqlite
from tests.kit.fake_manager import FakeManager, Headers

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741

CALLER = "1795652838.7"
OURS = "Local/s@meet-00000001;1"


class Hall(Office):
    """An office whose first desk takes live calls."""

    def __init__(self, settings: Settings, engine: Engine, manager: FakeManager) -> None:
        super().__init__(settings, engine, manager)
        self.takes(True)
        self.until(self.ami.connected.is_set)
        self.until_at_rest()

    def takes(self, takes: bool | None) -> None:
        with writing(self.engine) as session:
            session.get_one(Desk, 1).takes_live = takes

    def joins(self, *, stays: str | None = CALLER) -> int:
        """Somebody joins the operators' line, and stays on the line by this channel."""
        with writing(self.engine) as session:
            made = registration.register(
                session, round_id=phases.get_operators_line(session).id, number=make.a_number(), tell=False
            ).registration_id
        if stays:
            self.stays(made, stays)
        return made

    def stays(self, place: int, channel: str) -> None:
        self.manager.channels[channel] = {"Channel": "PJSIP/trunk-0000002b", "ChannelStateDesc": "Up"}
        with writing(self.engine) as session:
            assert waiting_callers.record_waiting(session, place, channel)

    def leaves(self, channel: str = CALLER) -> None:
        self.manager.channels.pop(channel, None)
        with writing(self.engine) as session:
            waiting_callers.leave(session, channel)

    def calls(self) -> list[Headers]:
        """Return the originated calls without the chime."""
        return [call for call in self.manager.named("Originate") if "ChannelId" in call]

    def of(self, place: int) -> Callback | None:
        with reading(self.engine) as session:
            return transitions.find_by_registration(session, place)

    def place(self, id_: int) -> Registration:
        with reading(self.engine) as session:
            return session.get_one(Registration, id_)

    def meets(self, count: int = 1) -> str:
        """A callback meets the caller; its token."""
        self.until(lambda: len(self.calls()) == count)
        token = self.calls()[-1]["ChannelId"]
        self.manager.channels[token] = {"Channel": OURS, "ChannelStateDesc": "Up", "Application": "AGI"}
        self.manager.stage(token, "confirmed", "AGI")
        self.until(lambda: self.state(token) is C.WAITING)
        return token

    def enters(self, token: str) -> None:
        self.until(lambda: (token, "room", "1") in self.moved())
        self.manager.joins(token, OURS)
        self.until(lambda: self.state(token) is C.TALKING)

    def moved(self) -> list[tuple[str, str, str]]:
        return [(a["Channel"], a["Context"], a["Exten"]) for a in self.manager.named("Redirect")]

    def ends(self, token: str, outcome: Outcome) -> None:
        """The citizen hangs up, and the desk says what it came to."""
        self.manager.hangs_up(token)
        self.until(lambda: self.state(token) is C.ENDED)
        with writing(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback
            closing.record_outcome(session, callback, outcome, self._settings)


@pytest.fixture
def hall(settings: Settings, engine: Engine, manager: FakeManager) -> Iterator[Hall]:
    hall = Hall(settings, engine, manager)
    yield hall
    hall.close()


def test_caller_on_the_line_meets_a_free_desk_without_a_call(
    hall: Hall,
) -> None:
    place = hall.joins()
    token = hall.meets()
    (call,) = hall.calls()
    assert call["Channel"] == "Local/s@meet/n"
    assert (call["Context"], call["Variable"]) == ("waiting", f"HOTLINE_MEETS={CALLER},HOTLINE_LANGUAGE=fa")
    chime = [a for a in hall.manager.named("Originate") if a["Channel"] == "Local/live-call@tone/n"]
    assert [a["Variable"] for a in chime] == [f"HOTLINE_HEARS={DESK_CHANNEL}"]

    hall.leaves()  # the script of whoever is met ends
    hall.enters(token)
    callback = hall.of(place)
    assert callback and callback.on_the_line and callback.desk_id == 1 and callback.user_id == hall.user.id
    with reading(hall.engine) as session:
        assert session.scalars(select(PlacedCall)).all() == []
    hall.ends(token, O.REACHED)
    hall.until_at_rest()
    assert hall.place(place).state is R.REACHED
    assert verify(hall.engine).problems == []


def test_manual_desk_takes_a_caller_on_the_line_without_a_call(
    hall: Hall,
) -> None:
    hall.takes(None)
    place = hall.joins()
    hall.until_at_rest()
    assert hall.calls() == []
    with writing(hall.engine) as session:
        line_id = phases.get_operators_line(session).id
        taken = claims.claim(session, round_id=line_id, desk_id=1, user_id=hall.user.id)
        assert taken and taken.registration_id == place
    hall.until_at_rest()
    assert hall.calls() == []
    hall.asks_call(taken.token)
    assert hall.meets() == taken.token
    hall.leaves()
    hall.enters(taken.token)


def test_next_calls_a_waiting_caller_ahead_without_a_call(
    hall: Hall,
) -> None:
    hall.takes(False)
    hall.joins()
    with writing(hall.engine) as session:
        desk = session.get_one(Desk, 1)
        serving.serve(session, desk, phases.get_operators_line(session).id, hall._settings)
        serving.ask_next(session, desk, None, hall._settings)
    token = hall.meets()
    hall.leaves()
    hall.enters(token)


def test_callback_before_a_waiting_caller_rings_first(
    hall: Hall,
) -> None:
    first, second = hall.joins(stays=None), hall.joins()
    hall.until(hall.calls)
    (call,) = hall.calls()
    assert call["Channel"] == f"Local/{hall.place(first).number}@dial/n"
    assert hall.of(second) is None
    hall.manager.ringing(call["ChannelId"])
    hall.manager.refuses(call["ChannelId"], 486)
    token = hall.meets(2)
    callback = hall.of(second)
    assert callback and callback.token == token
    assert hall.place(first).last_outcome is O.BUSY
    assert verify(hall.engine).problems == []


def test_callback_held_by_a_full_trunk_is_not_passed(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hall._dialer._caps, "room", lambda share=1.0: 0)
    first, second = hall.joins(stays=None), hall.joins()
    hall.until_at_rest()
    assert (hall.calls(), hall.of(first), hall.of(second)) == ([], None, None)
    hall.stays(first, "1795652838.8")
    hall.until(hall.calls)
    assert hall.of(first) and hall.calls()[0]["Channel"] == "Local/s@meet/n"


@pytest.mark.parametrize("how", ["before Asterisk finds them", "with music"])
def test_caller_who_hangs_up_before_meeting_keeps_the_place(hall: Hall, how: str) -> None:
    place = hall.joins()
    if how == "with music":
        token = hall.meets()
    else:
        hall.until(hall.calls)
        token = hall.calls()[0]["ChannelId"]
    hall.leaves()
    hall.manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)

    kept = hall.place(place)
    assert (kept.state, kept.attempts, kept.not_before) == (R.WAITING, 0, None)
    assert hall.callback(token).outcome is O.RETURNED
    hall.until_at_rest()
    assert len(hall.calls()) == 1
    with writing(hall.engine) as session:
        assert waiting_callers.has_just_left(session, place)
        session.get_one(WaitingCaller, place).left_at = now(session) - timedelta(minutes=1)
        line_id = phases.get_operators_line(session).id
        taken = claims.claim(session, round_id=line_id, desk_id=1, user_id=hall.user.id)
        assert taken and taken.registration_id == place
    hall.asks_call(taken.token)
    hall.until(lambda: len(hall.calls()) == 2)
    assert hall.calls()[1]["Channel"] == f"Local/{kept.number}@dial/n"


def test_caller_who_hangs_up_when_taken_is_not_dialled(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    place = hall.joins()
    with writing(hall.engine) as session:
        operators_line = phases.get_operators_line(session)
        taken = claims.call_for(session, operators_line, 1, hall.user.id)
        assert taken
        waiting_callers.leave(session, CALLER)
    hall.until(lambda: hall.state(taken.token) is C.CLOSED)
    assert hall.callback(taken.token).outcome is O.RETURNED
    assert (hall.calls(), hall.place(place).state) == ([], R.WAITING)


def test_refusal_by_asterisk_before_meeting_keeps_the_place(hall: Hall) -> None:
    hall.manager.refused["Originate"] = "no"
    place = hall.joins()
    hall.until(lambda: hall.manager.named("Originate") and hall.of(place) is None)
    kept = hall.place(place)
    assert (kept.state, kept.attempts, kept.last_outcome) == (R.WAITING, 0, O.RETURNED)


@pytest.mark.parametrize("met", [False, True])
def test_caller_lost_with_asterisk_is_called_back(hall: Hall, met: bool) -> None:
    hall.takes(met)
    place = hall.joins()
    with writing(hall.engine) as session:
        session.get_one(WaitingCaller, place).since -= make.MINUTE
    if met:
        token = hall.meets()
        hall.change(token, placed_at=hall.callback(token).placed_at - make.MINUTE)
    hall.takes(False)
    for channel in list(hall.manager.channels):
        if channel != "desk.1":
            del hall.manager.channels[channel]
    hall.restart()
    hall.until_at_rest()
    kept = hall.place(place)
    assert (kept.state, kept.attempts) == (R.WAITING, 0)
    with reading(hall.engine) as session:
        assert waiting_callers.find(session, place) is None


def test_new_dialer_connects_the_waiting_caller(hall: Hall) -> None:
    hall.takes(False)
    hall.joins()
    hall.until_at_rest()
    hall.restart()
    hall.takes(True)
    token = hall.meets()
    hall.leaves()
    hall.restart()
    hall.enters(token)


@on_sqlite
def test_new_dialer_asks_whether_a_met_caller_is_there(hall: Hall) -> None:
    hall.joins()
    token = hall.meets()
    hall.leaves()
    hall.enters(token)
    hall.restart()
    asked = len(hall.manager.named("Getvar"))

    def counts_packets() -> bool:
        since = hall.manager.named("Getvar")[asked:]
        return any("rxcount" in each["Variable"] and each["Channel"] == CALLER for each in since)

    hall.until(counts_packets)


def test_hang_up_after_a_live_talk_leaves_outcome_to_the_desk(
    hall: Hall,
) -> None:
    place = hall.joins()
    token = hall.meets()
    hall.leaves()
    hall.enters(token)
    hall.manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.ENDED)
    assert hall.place(place).state is R.CALLING


@on_sqlite
def test_desk_owing_an_outcome_gets_no_other_caller(
    hall: Hall,
) -> None:
    hall.joins()
    second = hall.joins(stays="1795652838.9")
    token = hall.meets()
    hall.leaves()
    hall.enters(token)
    hall.until_at_rest()
    assert hall.of(second) is None
    hall.ends(token, O.REACHED)
    hall.meets(2)
    assert hall.of(second)
