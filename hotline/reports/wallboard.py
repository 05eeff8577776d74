"""The wallboard: every line, every desk, and today by the hour, from a few indexed queries.

It names the person at a desk; citizens are only counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import BindParameter, Row, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.epoch import epoch
from db.models import Callback, Desk, Incoming, LineCount, Registration, Round, User
from db.states import IN_TALK, UNDER_WAY, CallbackState, Outcome, Phase, RegistrationState
from hotline.callbacks import transitions, waiting_callers, wrap_up
from hotline.outbound import overflow
from hotline.reports import call_counts
from hotline.rounds import phases
from hotline.timetable import days

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TOO_EARLY = timedelta(minutes=10)
"""The pace of a round is shown after this time."""
_HAS_TIME = (Phase.OPEN, Phase.CLOSED, Phase.LIVE)
"""Phases of a round that may continue past midnight, even if nobody has opened it."""

Talks = Sequence[Row[int, int | None, int, int, int, datetime | None]]


Waits = tuple[int, datetime | None]
"""How many wait, and since when the first of them has waited."""
_NOBODY: Waits = (0, None)


class Doing(StrEnum):
    """The activity of a desk."""

    AWAY = "away"  # its phone is not in its room
    BREAK = "break"
    SPEAKING = "speaking"
    CALLING = "calling"  # it has a citizen in hand, but does not speak with them yet
    WRAP_UP = "wrap-up"  # a conversation has ended, and it has not asked for the next citizen
    WAITING = "waiting"  # it has asked for the next citizen
    FREE = "free"


@dataclass(frozen=True)
class WallLine:
    """A line at this moment, and its results of today. `per_hour` is the pace of the last hour."""

    round_id: int
    office_fa: str
    office_en: str
    is_operators_line: bool
    phase: Phase
    starts_at: datetime
    ends_at: datetime
    paused_at: datetime | None
    waiting: int
    waiting_since: datetime | None  # when the first of those who wait registered
    ready: int
    ready_since: datetime | None  # when the first of those on the phone with music confirmed
    on_the_line: int  # callers who wait for an operator on the line
    on_the_line_since: datetime | None  # since when the first of them has waited
    calling: int
    speaking: int
    reached: int
    per_hour: float | None


@dataclass(frozen=True)
class WallDesk:
    """A desk, its person, its activity, and since when (None: unknown)."""

    desk_id: int
    name: str
    round_id: int | None
    doing: Doing
    since: datetime | None


@dataclass(frozen=True)
class WallHour:
    """One hour of today, by its beginning."""

    at: datetime
    reached: int
    answered: int
    turned_away: int
    left_number: int
    """Callers turned away who left their number; each is called once."""


@dataclass(frozen=True)
class Board:
    """The whole wallboard. `hours` are all hours of the city's day, future ones included."""

    at: datetime
    lines: list[WallLine]
    desks: list[WallDesk]
    hours: list[WallHour]


def build_wallboard(session: Session) -> Board:
    """Return the wallboard at this moment."""
    at = now(session)
    midnight = days.find_moment(days.find_local_day(at), time())
    live, talks = _live(session), _talks(session, midnight, at)
    shown = _rounds(session, midnight, at)
    return Board(
        at=at,
        lines=_lines(session, shown, at, live, talks),
        desks=_desks(session, live, talks),
        hours=_hours(session, midnight, talks),
    )


def _rounds(session: Session, midnight: datetime, at: datetime) -> list[Round]:
    """Return the operators' line, today's rounds, and a round that continues past midnight, by start."""
    near = and_(Round.starts_at >= midnight - _DAY, Round.starts_at < midnight + _DAY)
    found = session.scalars(
        select(Round).where(or_(Round.is_operators_line, near)).order_by(Round.starts_at, Round.id)
    )
    return [
        round_
        for round_ in found
        if (phase := phases.find_phase(round_, at)) in _HAS_TIME
        or (round_.starts_at >= midnight and phase is not Phase.PLANNED)
    ]


def _live(session: Session) -> Sequence[Callback]:
    """Return the callbacks in progress.

    The state is a literal in the statement, so that SQLite uses its index.
    """
    closed: BindParameter[CallbackState] = bindparam("closed", CallbackState.CLOSED, literal_execute=True)
    return session.scalars(select(Callback).where(Callback.state != closed)).all()


def _talks(session: Session, midnight: datetime, at: datetime) -> Talks:
    """Count today's conversations by round, desk and hour: all reached, those of the last hour, and the last
    end.
    """
    hour = (epoch(Callback.talking_at) - int(midnight.timestamp())) // 3600
    reached = case((Callback.outcome == Outcome.REACHED, 1), else_=0)
    lately = case((Callback.talking_at > at - _HOUR, reached), else_=0)
    keys = (Callback.round_id, Callback.desk_id, hour.label("hour"))
    return session.execute(
        select(
            *keys,
            func.sum(reached).label("reached"),
            func.sum(lately).label("lately"),
            func.max(Callback.ended_at).label("ended_at"),
        )
        .where(Callback.talking_at >= midnight)
        .group_by(*keys)
    ).all()


def _lines(
    session: Session, shown: Sequence[Round], at: datetime, live: Sequence[Callback], talks: Talks
) -> list[WallLine]:
    waiting = _waiting(session, [round_.id for round_ in shown])
    return [
        _line(
            round_,
            at,
            [callback for callback in live if callback.round_id == round_.id],
            [talk for talk in talks if talk.round_id == round_.id],
            (
                waiting.get(round_.id, _NOBODY),
                waiting_callers.count_waiting(session) if round_.is_operators_line else _NOBODY,
            ),
        )
        for round_ in shown
    ]


def _line(
    round_: Round,
    at: datetime,
    live: Sequence[Callback],
    talks: Talks,
    waiting: tuple[Waits, Waits],
) -> WallLine:
    ready = [c for c in live if c.state in (CallbackState.WAITING, CallbackState.SCREENING)]
    in_line, staying = waiting
    phase, speaker = phases.find_phase(round_, at), phases.find_speaker(round_)
    return WallLine(
        round_id=round_.id,
        office_fa=speaker.office_fa,
        office_en=speaker.office_en,
        is_operators_line=round_.is_operators_line,
        phase=phase,
        starts_at=round_.starts_at,
        ends_at=round_.ends_at,
        paused_at=round_.paused_at,
        waiting=in_line[0],
        waiting_since=in_line[1],
        ready=len(ready),
        ready_since=min((c.confirmed_at for c in ready if c.confirmed_at), default=None),
        on_the_line=staying[0],
        on_the_line_since=staying[1],
        calling=sum(c.state in UNDER_WAY for c in live),
        speaking=sum(c.state in IN_TALK for c in live),
        reached=sum(talk.reached for talk in talks),
        per_hour=_pace(round_, at, sum(talk.lately for talk in talks)) if phase is Phase.LIVE else None,
    )


def _pace(round_: Round, at: datetime, lately: int) -> float | None:
    if round_.opened_at is None or at - round_.opened_at < _TOO_EARLY:
        return None
    return lately / (min(_HOUR, at - round_.opened_at) / _HOUR)


def _waiting(session: Session, round_ids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    """Return for each line how many wait and when the first registered; the line's length costs no time.

    LineCount has the counts.
    """
    classes = (LineCount.round_id, LineCount.moved_up, LineCount.rounds_missed)
    counted = (
        select(*classes, func.sum(LineCount.waiting).label("waiting"))
        .where(LineCount.round_id.in_(round_ids), LineCount.level == 0, LineCount.waiting > 0)
        .group_by(*classes)
        .subquery()
    )
    first = (
        select(func.min(Registration.registered_at))
        .where(
            Registration.round_id == counted.c.round_id,
            Registration.state == RegistrationState.WAITING,
            Registration.moved_up == counted.c.moved_up,
            Registration.rounds_missed == counted.c.rounds_missed,
        )
        .scalar_subquery()
    )
    found: dict[int, tuple[int, datetime | None]] = {}
    for round_id, waiting, since in session.execute(select(counted.c.round_id, counted.c.waiting, first)):
        before, earliest = found.get(round_id, (0, None))
        found[round_id] = (before + waiting, min(filter(None, (earliest, since)), default=None))
    return found


def _desks(session: Session, live: Sequence[Callback], talks: Talks) -> list[WallDesk]:
    at_desk = {callback.desk_id: callback for callback in live if transitions.is_occupying(callback)}
    ended: dict[int | None, datetime] = {}
    for talk in talks:
        if talk.ended_at:
            ended[talk.desk_id] = max(talk.ended_at, ended.get(talk.desk_id, talk.ended_at))
    seats = select(Desk, User.name).outerjoin(User, User.desk_id == Desk.id).order_by(Desk.id)
    found = session.execute(seats).all()
    after = wrap_up.find_idle_since(session, [desk for desk, _name in found])
    return [
        _desk(desk, name or "", at_desk.get(desk.id), (after.get(desk.id), ended.get(desk.id)))
        for desk, name in found
    ]


def _desk(
    desk: Desk, name: str, callback: Callback | None, idle: tuple[datetime | None, datetime | None]
) -> WallDesk:
    """`idle`: since when the desk is in wrap-up, and when its last conversation ended."""
    doing, since = _doing(desk, callback, *idle)
    round_id = callback.round_id if callback else desk.round_id
    return WallDesk(desk_id=desk.id, name=name, round_id=round_id, doing=doing, since=since)


def _doing(
    desk: Desk, callback: Callback | None, after: datetime | None, ended: datetime | None
) -> tuple[Doing, datetime | None]:
    if callback and callback.state in IN_TALK:
        return Doing.SPEAKING, callback.talking_at
    if not desk.phone_connected:
        return Doing.AWAY, None
    if callback and callback.state not in wrap_up.OVER:
        return Doing.CALLING, callback.claimed_at
    if desk.break_reason:
        return Doing.BREAK, desk.break_since
    if callback or after:
        return Doing.WRAP_UP, wrap_up.find_over_since(callback) if callback else after
    return (Doing.WAITING, desk.next_asked_at) if desk.next_asked_at else (Doing.FREE, ended)


def _hours(session: Session, midnight: datetime, talks: Talks) -> list[WallHour]:
    calls = call_counts.count_by_hour(session, midnight)
    left = overflow.count_by_hour(session, midnight)
    return [
        WallHour(
            at=(at := midnight + hour * _HOUR),
            reached=sum(talk.reached for talk in talks if talk.hour == hour),
            answered=calls.get(at, {}).get(Incoming.ANSWERED, 0),
            turned_away=calls.get(at, {}).get(Incoming.TURNED_AWAY, 0),
            left_number=left.get(at, 0),
        )
        for hour in range(24)
    ]
