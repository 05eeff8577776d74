"""What reports count, as SQL: the same statements on both databases, and no row that is not a sum.

A statement counts by a key (`By`) what happened in the rounds of a `Scope`. Percentiles lie between the two
nearest values, like those of percentile_cont, which SQLite lacks: a value weighs the more, the closer
its rank is to the one that is wanted.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.epoch import epoch
from db.models import Callback, CallQuality, Carry, Official, Registration, Round
from db.states import Outcome, Phase, RegistrationState
from hotline.callbacks import quality
from hotline.rounds import rounds

NEVER_CALLED = "never_called"
MERGED = "merged"

_DAY_S, _WEEK_S = 86_400, 604_800
MEDIAN, P90 = 0.5, 0.9


class By(StrEnum):
    """What the numbers are put together by."""

    ROUND = "round"
    OFFICIAL = "official"
    DISTRICT = "district"
    SUBJECT = "subject"
    WEEK = "week"


class Scope(NamedTuple):
    """Whole rounds, and of the operators' line, which never ends, what begins from `start` on, before `end`.

    `saturday` is the midnight that begins the first week.
    """

    round_ids: Sequence[int]
    start: datetime
    end: datetime
    saturday: datetime

    def covers(
        self, round_id: InstrumentedAttribute[int], at: InstrumentedAttribute[Any]
    ) -> ColumnElement[bool]:
        """The condition that a row of this round, begun at this time, counts."""
        within = and_(at >= self.start, at < self.end)
        return and_(round_id.in_(self.round_ids), or_(Round.is_operators_line.is_(False), within))


@dataclass
class Sitting:
    """Seconds of rounds, or of days of the operators' line: open, from first to last word, spoken."""

    open: int = 0
    whole: int = 0
    spoken: int = 0


class Waits(NamedTuple):
    """Seconds from registering to the conversation, of those reached."""

    median: float
    p90: float


class Sound(NamedTuple):
    """Of the conversations whose sound was measured: how many, their mean MOS, and how many were bad."""

    measured: int
    mos: float
    bad: int


@dataclass
class Facts:
    """Everything counted, by key; a key that has none of something is missing there."""

    ends: dict[int | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    carried_in: dict[int | None, int] = field(default_factory=dict)
    carried_out: dict[int | None, int] = field(default_factory=dict)
    calls: dict[int | None, tuple[int, int]] = field(default_factory=dict)
    waits: dict[int | None, Waits] = field(default_factory=dict)
    sounds: dict[int | None, Sound] = field(default_factory=dict)
    sittings: dict[int | None, Sitting] = field(default_factory=lambda: defaultdict(Sitting))


def facts(session: Session, scope: Scope, by: By | None, at: datetime) -> Facts:
    """Everything that is counted in the scope, by key; `by` None: all together, under the key 0."""
    found = Facts()
    _ends(session, scope, by, found)
    found.carried_in = _carried(session, scope, by, Carry.to_round_id)
    found.carried_out = _carried(session, scope, by, Carry.from_round_id)
    _calls(session, scope, by, found)
    _waits(session, scope, by, found)
    _sounds(session, scope, by, found)
    if by is not By.SUBJECT:  # nobody sits for a subject
        _sittings(session, scope, by, at, found)
    return found


def _key(scope: Scope, by: By | None, at: Any) -> ColumnElement[Any]:
    """The key of a row begun at this time; it names Round, Official and, for subjects, Registration."""
    if by is By.WEEK:
        begun = case((Round.is_operators_line, at), else_=Round.starts_at)
        return ((epoch(begun) - int(scope.saturday.timestamp())) // _WEEK_S).label("key")
    columns: dict[By | None, ColumnElement[Any]] = {
        By.ROUND: Round.id.label("key"),
        By.OFFICIAL: Round.official_id.label("key"),
        By.DISTRICT: Official.district.label("key"),
        By.SUBJECT: Registration.subject.label("key"),
    }
    return columns.get(by, (Round.id - Round.id).label("key"))


def _ends(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    """How it ended for everybody who had a place in a round; those carried on are elsewhere now."""
    ids = scope.round_ids
    places = union_all(
        select(Registration.id, Registration.round_id, literal(0).label("gone")).where(
            Registration.round_id.in_(ids)
        ),
        select(Carry.registration_id, Carry.from_round_id, literal(1)).where(Carry.from_round_id.in_(ids)),
    ).subquery()
    last = (
        select(func.max(Callback.id).label("id"), Callback.registration_id, Callback.round_id)
        .where(Callback.round_id.in_(ids), Callback.outcome != Outcome.RETURNED)
        .group_by(Callback.registration_id, Callback.round_id)
        .subquery()
    )
    of_place = and_(last.c.registration_id == places.c.id, last.c.round_id == places.c.round_id)
    columns = (
        _key(scope, by, Registration.registered_at),
        places.c.gone,
        Registration.merged_into_id.is_not(None).label("merged"),
        Registration.state,
        Callback.outcome,
    )
    query = (
        select(*columns, func.count())
        .select_from(places)
        .join(Registration, Registration.id == places.c.id)
        .join(Round, Round.id == places.c.round_id)
        .join(Official, Official.id == Round.official_id)
        .outerjoin(last, of_place)
        .outerjoin(Callback, Callback.id == last.c.id)
        .where(scope.covers(Round.id, Registration.registered_at))
        .group_by(*columns)
    )
    for key, gone, merged, state, outcome, count in session.execute(query):
        found.ends[key][_end(gone, merged, state, outcome)] += count


def _end(gone: int, merged: bool, state: RegistrationState, outcome: Outcome | None) -> str:
    state_decides = (RegistrationState.CANCELLED, RegistrationState.UNCONFIRMED, RegistrationState.CALLING)
    if not gone and state in state_decides:
        return MERGED if merged else state
    return outcome or NEVER_CALLED


def _carried(
    session: Session, scope: Scope, by: By | None, column: InstrumentedAttribute[int]
) -> dict[int | None, int]:
    key = _key(scope, by, Carry.at)
    query = (
        select(key, func.count())
        .select_from(Carry)
        .join(Registration, Registration.id == Carry.registration_id)
        .join(Round, Round.id == column)
        .join(Official, Official.id == Round.official_id)
        .where(column.in_(scope.round_ids))
        .group_by(key)
    )
    return {key: count for key, count in session.execute(query)}


def _of_calls(scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
    """Of every call that was placed."""
    return (
        select(*columns)
        .select_from(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .join(Round, Round.id == Callback.round_id)
        .join(Official, Official.id == Round.official_id)
        .where(scope.covers(Callback.round_id, Callback.called_at), Callback.called_at.is_not(None))
    )


def _calls(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    key = _key(scope, by, Callback.called_at)
    query = _of_calls(scope, key, func.count(), func.count(Callback.talking_at)).group_by(key)
    found.calls = {key: (calls, talks) for key, calls, talks in session.execute(query)}


def _waits(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    key = _key(scope, by, Callback.called_at)
    wait = epoch(Callback.talking_at) - epoch(Registration.registered_at)
    ranked = (
        _of_calls(
            scope,
            key,
            wait.label("wait"),
            (func.row_number().over(partition_by=key, order_by=wait) - 1).label("rank"),
            (func.count().over(partition_by=key) - 1).label("last"),
        )
        .where(Callback.outcome == Outcome.REACHED, Callback.talking_at.is_not(None))
        .subquery()
    )

    def percentile(share: float) -> ColumnElement[float]:
        away = func.abs(ranked.c.rank - ranked.c.last * share)
        return func.sum(case((away < 1, ranked.c.wait * (1 - away)), else_=0.0))

    query = select(ranked.c.key, percentile(MEDIAN), percentile(P90)).group_by(ranked.c.key)
    found.waits = {key: Waits(round(median, 1), round(p90, 1)) for key, median, p90 in session.execute(query)}


def _sounds(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    key = _key(scope, by, Callback.called_at)
    bad = func.sum(case((CallQuality.mos < quality.BAD_MOS, 1), else_=0))
    query = (
        _of_calls(scope, key, func.count(), func.avg(CallQuality.mos), bad)
        .join(CallQuality, CallQuality.callback_id == Callback.id)
        .group_by(key)
    )
    found.sounds = {
        key: Sound(measured, round(float(mos), 2), bad) for key, measured, mos, bad in session.execute(query)
    }


def _sittings(session: Session, scope: Scope, by: By | None, at: datetime, found: Facts) -> None:
    days = _days(scope, at)
    key = _key(scope, by, days.c.first_call_at)
    query = (
        select(key, Round, days)
        .select_from(Round)
        .join(Official, Official.id == Round.official_id)
        .outerjoin(days, days.c.round_id == Round.id)
        .where(Round.id.in_(scope.round_ids))
    )
    for row in session.execute(query):
        if row.Round.is_operators_line and row.first_call is None:
            continue  # no day of it
        sum_ = found.sittings[row.key]
        sum_.open += _open(row.Round, at, row.first_call, row.last_end)
        sum_.whole += int(row.whole or 0)  # PostgreSQL sums decimals
        sum_.spoken += int(row.spoken or 0)


def _days(scope: Scope, at: datetime) -> Any:
    """For each round, and each day of the operators' line: first call, last end, seconds spoken, of how many.

    Of several conversations at once each second counts once: one counts from where those before it end.
    """
    day = case(
        (Round.is_operators_line, (epoch(Callback.called_at) - int(scope.saturday.timestamp())) // _DAY_S),
        else_=0,
    )
    begun, ended = epoch(Callback.talking_at), func.coalesce(epoch(Callback.ended_at), int(at.timestamp()))
    calls = _of_calls(
        scope,
        Callback.id.label("id"),
        Callback.round_id.label("round_id"),
        Callback.called_at.label("called_at"),
        day.label("day"),
        begun.label("begun"),
        ended.label("ended"),
    ).subquery()
    c = calls.c
    ends = case((c.begun.is_not(None), c.ended))
    before = func.max(ends).over(partition_by=(c.round_id, c.day), order_by=(c.begun, c.id), rows=(None, -1))
    one = select(*c, before.label("before")).subquery()
    o = one.c
    spoken = case(
        (o.begun.is_(None), 0),
        (o.ended <= func.coalesce(o.before, o.begun), 0),
        (o.before > o.begun, o.ended - o.before),
        else_=o.ended - o.begun,
    )
    last_word = func.max(case((o.begun.is_not(None), o.ended)))
    return (
        select(
            o.round_id,
            func.min(o.called_at).label("first_call_at"),
            func.min(epoch(o.called_at)).label("first_call"),
            func.max(o.ended).label("last_end"),
            (last_word - func.min(o.begun)).label("whole"),
            func.sum(spoken).label("spoken"),
        )
        .group_by(o.round_id, o.day)
        .subquery()
    )


def _open(round_: Round, at: datetime, first_call: int | None, last_end: int | None) -> int:
    """Seconds from the opening (none: 0) to the round's end or its last call's; until now while it is live.

    A day of the operators' line goes from its first call to its last one's end.
    """
    if round_.is_operators_line:
        return max(0, (last_end or 0) - (first_call or 0))
    if round_.opened_at is None:
        return 0
    live = rounds.phase(round_, at) is Phase.LIVE
    closed = at if live else round_.ended_at or round_.cancelled_at or round_.ends_at
    return max(0, max(int(closed.timestamp()), last_end or 0) - int(round_.opened_at.timestamp()))
