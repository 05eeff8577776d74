"""The supervisor's room on both databases: desks, lines and alarms of a day made by hand."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, BreakReason, Callback, Desk, Hearing, Node, Registration, Role, Round
from db.states import CallbackState, Phase, RegistrationState
from hotline.control import control_room
from hotline.control.alarms import AlarmCause, AlarmKind
from hotline.control.control_room import DeskDoing, LiveDesk
from hotline.desks import desk_messages
from hotline.nodes import administration, draining, leases
from hotline.rounds import phases
from settings import Settings
from tests import factories as make
from tests.factories import HOUR, MINUTE
from tests.hotline.nodes.conftest import a_node

C = CallbackState


@pytest.fixture
def live(session: Session) -> Round:
    """A live round with an hour left and three who have waited for long."""
    round_ = make.a_round(session)
    make.some_registrations(session, round_, 3)
    return round_


@pytest.fixture
def desk(session: Session, live: Round) -> Desk:
    """Somebody sits at it, with its phone, and serves the round."""
    desk = make.a_desk(session)
    make.a_user(session, desk)
    desk.round_id = live.id
    session.flush()
    return desk


def seen(session: Session, desk: Desk) -> LiveDesk:
    return next(one for one in control_room.show(session).desks if one.desk_id == desk.id)


def speaks(session: Session, round_: Round, state: CallbackState = C.TALKING) -> Callback:
    """A desk of the round with a citizen."""
    callback = make.a_callback(session, state)
    callback.round_id = callback.registration.round_id = round_.id
    session.get_one(Desk, callback.desk_id).round_id = round_.id
    session.flush()
    return callback


def kinds(session: Session) -> list[AlarmKind]:
    return [alarm.kind for alarm in control_room.show(session).alarms]


def test_city_at_night_shows_a_quiet_control_room(session: Session) -> None:
    make.a_round(session, Phase.OVER)
    line = phases.get_operators_line(session)
    make.some_registrations(session, line, 2)
    make.a_desk(session, connected=False)  # nobody's
    room = control_room.show(session)
    assert (room.alarms, room.desks) == ([], [])
    assert [live.line.round_id for live in room.lines] == [line.id], "the operators' line never ends"


def test_round_without_a_desk_is_unserved_with_its_cause(session: Session, live: Round) -> None:
    [line] = control_room.show(session).lines
    assert (line.line.waiting, line.desks, line.fits, line.served_at) == (3, 0, 9, None)
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.cause, alarm.round_id) == (AlarmKind.NOBODY_SERVED, AlarmCause.NO_DESK, live.id)
    live.paused_at = now(session)
    session.flush()
    assert control_room.show(session).alarms[0].cause is AlarmCause.PAUSED


def test_round_past_its_start_is_unserved_without_a_desk(
    session: Session,
) -> None:
    late, later = make.a_round(session, opened=False), make.a_round(session, Phase.OPEN)
    for round_ in (late, later):
        make.some_registrations(session, round_, 3)
    room = control_room.show(session)
    assert [(live.line.round_id, live.line.waiting) for live in room.lines] == [(late.id, 3)]
    [alarm] = room.alarms
    assert (alarm.kind, alarm.cause, alarm.round_id) == (AlarmKind.NOBODY_SERVED, AlarmCause.NO_DESK, late.id)


def test_desk_that_has_not_asked_is_the_cause(session: Session, desk: Desk) -> None:
    [alarm] = control_room.show(session).alarms
    assert alarm.cause is AlarmCause.NOBODY_ASKS
    desk.break_reason, desk.break_since = BreakReason.PRAYER, now(session)
    session.flush()
    assert control_room.show(session).alarms[0].cause is AlarmCause.ON_BREAK


@pytest.mark.parametrize("state", [C.TALKING, C.HELD])
def test_long_conversation_keeps_the_line_served(session: Session, live: Round, state: CallbackState) -> None:
    speaks(session, live, state).talking_at = now(session) - 20 * MINUTE
    session.flush()
    assert kinds(session) == []


def test_ended_conversation_leaves_the_line_unserved_since_then(session: Session, live: Round) -> None:
    callback = speaks(session, live, C.CLOSED)
    callback.talking_at = now(session) - 10 * MINUTE
    callback.ended_at = now(session) - 2 * MINUTE
    live.ends_at += 24 * HOUR  # time for all of them, at any pace
    session.flush()
    assert kinds(session) == []
    callback.ended_at = ended_at = now(session) - 4 * MINUTE
    session.flush()
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.since) == (AlarmKind.NOBODY_SERVED, ended_at)


def test_line_with_nobody_due_raises_no_alarm(session: Session, live: Round) -> None:
    session.execute(update(Registration).values(not_before=now(session) + 5 * MINUTE))
    assert kinds(session) == []
    session.execute(update(Registration).values(not_before=now(session) - MINUTE))
    assert kinds(session) == [], "due for a minute only"
    session.execute(update(Registration).values(not_before=now(session) - 4 * MINUTE))
    assert kinds(session) == [AlarmKind.NOBODY_SERVED]


def test_stalled_operators_line_with_a_desk_raises_an_alarm(
    session: Session,
) -> None:
    line = phases.get_operators_line(session)
    line.opened_at = line.starts_at = now(session) - HOUR
    make.some_registrations(session, line, 1)
    desk = make.a_desk(session)
    make.a_user(session, desk)
    assert kinds(session) == [], "nobody works on it: it waits for the morning"
    desk.round_id = line.id
    session.flush()
    assert kinds(session) == [AlarmKind.NOBODY_SERVED]


def test_line_beyond_its_time_is_reported_with_both_numbers(session: Session, live: Round) -> None:
    speaks(session, live)
    make.some_registrations(session, live, 10)
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.waiting, alarm.fits) == (AlarmKind.TOO_LONG, 13, 9)
    live.ends_at += HOUR
    session.flush()
    assert kinds(session) == []


def test_lost_node_raises_an_alarm_unless_drained(session: Session, settings: Settings) -> None:
    for name in ("one", "two"):
        a_node(session, settings, name)
    one = session.get_one(Node, "one")
    one.lease_until = now(session) - leases.GRACE / 2
    session.flush()
    assert kinds(session) == []  # it may just start again
    one.lease_until, one.fences = now(session) - HOUR, False  # of which nobody takes the work by itself
    session.flush()
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.node, alarm.since) == (AlarmKind.NODE_SILENT, "one", one.lease_until)
    one.lost_at = now(session)
    session.flush()
    assert kinds(session) == [AlarmKind.NODE_SILENT]
    administration.drain(session, "one", who="sara")
    assert kinds(session) == []


def test_node_without_its_trunk_raises_an_alarm(session: Session, settings: Settings) -> None:
    for name, answers in (("one", True), ("two", False)):
        a_node(session, settings, name)
        draining.tell_trunk(session, name, answers=answers)
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.node) == (AlarmKind.NODE_WITHOUT_TRUNK, "two")
    assert alarm.since == session.get_one(Node, "two").trunk_told_at
    draining.tell_trunk(session, "two", answers=True)
    assert kinds(session) == []


def test_open_breaker_is_the_only_alarm(session: Session, live: Round) -> None:
    since = now(session) - MINUTE
    session.add(Breaker(name="trunk", failures=3, probes=0, tried="", suspects=False, opened_at=since))
    session.flush()
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.cause, alarm.since) == (AlarmKind.CALLS_DOWN, AlarmCause.TRUNK, since)


def test_each_desk_state_is_shown_apart(session: Session, live: Round) -> None:
    assert seen_after(session, live, C.TALKING).at is DeskDoing.SPEAKING
    assert seen_after(session, live, C.HELD).at is DeskDoing.HELD
    held = session.scalars(select(Callback).where(Callback.state == C.HELD)).one()
    held.on_hold_at = held.held_at = now(session)
    held.talking_at, held.held_s = held.held_at - 5 * MINUTE, 20
    session.flush()
    on_hold = seen(session, session.get_one(Desk, held.desk_id))
    assert on_hold.at is DeskDoing.ON_HOLD
    assert (on_hold.talking_at, on_hold.held_at) == (held.talking_at, held.held_at), "the talk goes on"
    assert on_hold.held_seconds == 20
    assert seen_after(session, live, C.RINGING).at is DeskDoing.CALLING
    over = seen_after(session, live, C.ENDED)
    assert (over.at, over.talking_at) == (DeskDoing.WRAP_UP, None)
    desk = make.a_desk(session)
    make.a_user(session, desk)
    assert seen(session, desk).at is DeskDoing.FREE
    desk.round_id, desk.next_asked_at = live.id, now(session)
    session.flush()
    assert seen(session, desk).at is DeskDoing.WAITING
    live.paused_at = now(session)
    session.flush()
    assert seen(session, desk).at is DeskDoing.PAUSED
    desk.break_reason, desk.break_since = BreakReason.MEAL, now(session) - MINUTE
    session.flush()
    mine = seen(session, desk)
    assert (mine.at, mine.break_reason, mine.since) == (DeskDoing.BREAK, BreakReason.MEAL, desk.break_since)
    desk.break_reason = desk.break_since = None
    desk.phone_connected = False
    session.flush()
    assert seen(session, desk).at is DeskDoing.AWAY


def seen_after(session: Session, live: Round, state: CallbackState) -> LiveDesk:
    callback = speaks(session, live, state)
    mine = seen(session, session.get_one(Desk, callback.desk_id))
    assert (mine.callback_id, mine.ticket) == (callback.id, callback.registration.ticket)
    return mine


def test_supervision_and_read_message_are_shown_at_the_desk(session: Session, live: Round) -> None:
    callback = speaks(session, live)
    desk = session.get_one(Desk, callback.desk_id)
    supervisor = make.a_user(session, make.a_desk(session), "the-supervisor")
    supervisor.role = Role.SUPERVISOR
    own = session.get_one(Desk, supervisor.desk_id)
    own.hears_desk_id, own.hears_how, own.hears_callback_id = desk.id, Hearing.WHISPER, callback.id
    session.flush()
    message = desk_messages.send(session, desk.id, "کوتاه‌تر", who="the-supervisor")
    mine = seen(session, desk)
    assert [(ear.how, ear.name) for ear in mine.ears] == [(Hearing.WHISPER, supervisor.name)]
    assert mine.message is not None and mine.message.read_at is None
    assert seen(session, own).at is DeskDoing.HEARS
    desk_messages.confirm(session, desk.id, message.id, who="x")
    read = seen(session, desk).message
    assert read is not None and read.read_at is not None
    message.read_at = now(session) - 2 * HOUR
    session.flush()
    assert seen(session, desk).message is None


def test_owed_outcome_is_among_the_alarms(session: Session, live: Round) -> None:
    callback = speaks(session, live, C.ENDED)
    callback.ended_at = now(session) - timedelta(minutes=16)
    session.execute(update(Registration).values(state=RegistrationState.CALLING))
    session.flush()
    [alarm] = control_room.show(session).alarms
    assert (alarm.kind, alarm.desk_id) == (AlarmKind.OWED, callback.desk_id)
