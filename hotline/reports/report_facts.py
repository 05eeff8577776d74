"""Counts of the statistics in SQL: the same statements on both databases, and only sums leave the database.

A statement counts by a key (`By`) in the rounds of a `Scope`. A percentile lies between the two nearest
values, as percentile_cont computes it, which SQLite lacks. The closer a value's rank is to the wanted one,
the more it weighs.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.epoch import epoch
from db.models import Callback, CallQuality, Carry, Official, Registration, Round
from db.states import Outcome, RegistrationState
from hotline.callbacks import call_quality
from hotline.reports.report_scope import By, Scope, find_row_key, select_calls
from hotline.reports.report_sittings import Sitting, list_sittings

NEVER_CALLED = "never_called"
MERGED = "merged"
MEDIAN, P90 = 0.5, 0.9


class Waits(NamedTuple):
    """Seconds from registration to conversation, of the citizens who were reached."""

    median: float
    p90: float


class Sound(NamedTuple):
    """The conversations with measured sound: their number, their mean MOS, and how many were bad."""

    measured: int
    mos: float
    bad: int


@dataclass
class Facts:
    """All counts, by key. A key without a count is missing in that field."""

    ends: dict[int | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    carried_in: dict[int | None, int] = field(default_factory=dict)
    carried_out: dict[int | None, int] = field(default_factory=dict)
    calls: dict[int | None, tuple[int, int]] = field(default_factory=dict)
    waits: dict[int | None, Waits] = field(default_factory=dict)
    sounds: dict[int | None, Sound] = field(default_factory=dict)
    sittings: dict[int | None, Sitting] = field(default_factory=lambda: defaultdict(Sitting))


def count_facts(session: Session, scope: Scope, by: By | None, at: datetime) -> Facts:
    """Count everything in the scope, by key. With `by` None all counts are under the key 0."""
    found = Facts()
    _ends(session, scope, by, found)
    found.carried_in = _carried(session, scope, by, Carry.to_round_id)
    found.carried_out = _carried(session, scope, by, Carry.from_round_id)
    _calls(session, scope, by, found)
    _waits(session, scope, by, found)
    _sounds(session, scope, by, found)
    if by is not By.SUBJECT:  # no time belongs to a subject
        found.sittings = list_sittings(session, scope, by, at)
    return found


def _ends(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    """Count how each place in a round ended, including places that were carried over to another round."""
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
        find_row_key(scope, by, Registration.registered_at),
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
    key = find_row_key(scope, by, Carry.at)
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


def _calls(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    key = find_row_key(scope, by, Callback.called_at)
    query = select_calls(scope, key, func.count(), func.count(Callback.talking_at)).group_by(key)
    found.calls = {key: (calls, talks) for key, calls, talks in session.execute(query)}


def _waits(session: Session, scope: Scope, by: By | None, found: Facts) -> None:
    key = find_row_key(scope, by, Callback.called_at)
    wait = epoch(Callback.talking_at) - epoch(Registration.registered_at)
    ranked = (
        select_calls(
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
    key = find_row_key(scope, by, Callback.called_at)
    bad = func.sum(case((CallQuality.mos < call_quality.BAD_MOS, 1), else_=0))
    query = (
        select_calls(scope, key, func.count(), func.avg(CallQuality.mos), bad)
        .join(CallQuality, CallQuality.callback_id == Callback.id)
        .group_by(key)
    )
    found.sounds = {
        key: Sound(measured, round(float(mos), 2), bad) for key, measured, mos, bad in session.execute(query)
    }
