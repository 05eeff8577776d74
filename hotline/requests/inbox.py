"""The inbox of requests: which there are, in the order of work; counts; the map; probable duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.engine import now
from db.models import Escalation, Official, Request, RequestEntry, Role, User
from db.states import IN_WORK, OPEN_REQUESTS, RequestState
from hotline.errors import Refused

_ALIKE = 0.5
"""So much of two texts' words is the same in probable duplicates."""
_CANDIDATES, _SHOWN = 200, 8
_BY_DAY = (1, 2)
"""Of the ranks of the inbox, what is overdue, and what is promised: the earliest day first."""


@dataclass(frozen=True)
class Filter:
    """Which requests are meant; what is None does not matter.

    `mine`: this user has done something; `promised`: by an official; `escalated`: to the supervisors, because
    the department is late; `seen_by`: the one who asks.
    """

    states: Sequence[RequestState] = ()
    category: int | None = None
    district: int | None = None
    department_id: int | None = None
    overdue: bool = False
    escalated: bool = False
    mine: str | None = None
    promised: bool = False
    seen_by: User | None = None
    since_days: int | None = None


class Counts(NamedTuple):
    """How many there are in each state, how many are overdue, and with how many the supervisors must help."""

    by_state: dict[RequestState, int]
    overdue: int
    escalated: int


class District(NamedTuple):
    """What was reported of a district (None: the citizen did not know it): all, still open, overdue."""

    district: int | None
    reported: int
    open: int
    overdue: int


class Alike(NamedTuple):
    """A probable duplicate: from the same number, or `likeness` of the words (0 to 1)."""

    request: Request
    same_number: bool
    likeness: float


def district_of(session: Session, user: User) -> int | None:
    """The only district whose requests this person sees: a district manager's own. None: all of them.

    An official of no office sees none: no district has the number 0.
    """
    if user.role is Role.OFFICIAL and user.official_id is None:
        return 0
    official = session.get(Official, user.official_id) if user.official_id else None
    return official.district if official else None


def page(
    session: Session, wanted: Filter, *, after: str | None, limit: int
) -> tuple[Sequence[Request], str | None]:
    """At most `limit` of them, and what to hand in as `after` for those that follow.

    First those that the citizen says are not solved; then the overdue ones, the longest first; then the
    newest. Promises go by their day. Raises Refused("invalid-input") for an `after` that is none.
    """
    at = now(session)
    objected = Request.state == RequestState.REOPENED
    rank = case((objected, 0), (overdue(at), 1), (_PROMISED_YET if wanted.promised else false(), 2), else_=3)
    by_day = rank.in_(_BY_DAY)
    query = select(Request.id, rank).where(*_is(wanted, at))  # whole rows would be sorted, too
    if wanted.states:
        query = query.where(Request.state.in_(wanted.states))
    if wanted.overdue:
        query = query.where(overdue(at))
    if wanted.escalated:
        query = query.where(_ESCALATED)
    if after:
        query = query.where(_follows(session, rank, after))
    due = case((by_day, _due))
    rows = session.execute(query.order_by(rank, due, Request.id.desc()).limit(limit + 1)).all()
    ids = [id_ for id_, _ in rows[:limit]]
    there = {each.id: each for each in session.scalars(select(Request).where(Request.id.in_(ids)))}
    found = [there[id_] for id_ in ids]
    more = f"{rows[limit - 1][1]}-{ids[-1]}" if len(rows) > limit else None
    return found, more


def _follows(session: Session, rank: ColumnElement[int], after: str) -> ColumnElement[bool]:
    """Comes after the row that the last page ended with, which may have been changed since."""
    try:
        last_rank, last_id = map(int, after.split("-"))
    except ValueError:
        last_rank, last_id = 0, 0
    if not (0 <= last_rank <= 3 and 0 < last_id < 2**31):
        raise Refused("invalid-input", "after: it comes from the page before")
    older = Request.id < last_id
    if last_rank in _BY_DAY:
        due = session.scalar(select(_due).where(Request.id == last_id))
        older = or_(_due > due, and_(_due == due, older)) if due else older
    return or_(rank > last_rank, and_(rank == last_rank, older))


def counts(session: Session, wanted: Filter) -> Counts:
    """How many match, whatever their states."""
    at = now(session)
    late = func.count().filter(overdue(at))
    escalated = func.count().filter(_ESCALATED)
    query = select(Request.state, func.count(), late, escalated).group_by(Request.state)
    rows = session.execute(query.where(*_is(wanted, at))).all()
    by_state = {state: n for state, n, *_ in rows}
    return Counts(by_state, sum(row[2] for row in rows), sum(row[3] for row in rows))


def by_district(session: Session, wanted: Filter) -> list[District]:
    """The map: every district that has any."""
    at = now(session)
    query = select(
        Request.district,
        func.count(),
        func.count().filter(Request.state.in_(OPEN_REQUESTS)),
        func.count().filter(overdue(at)),
    ).group_by(Request.district)
    return [District(*row) for row in session.execute(query.where(*_is(wanted, at)))]


def alike(session: Session, request: Request, days: int) -> list[Alike]:
    """Probable duplicates: of the same subject and district, reported within so many days of it; those from
    the same number first, then the most alike in words.
    """
    span = timedelta(days=days)
    found = session.scalars(
        select(Request)
        .where(
            Request.id != request.id,
            Request.category == request.category,
            Request.district.is_not_distinct_from(request.district),
            Request.made_at.between(request.made_at - span, request.made_at + span),
            Request.state.not_in([RequestState.DUPLICATE, RequestState.REJECTED]),
        )
        .order_by(Request.id.desc())
        .limit(_CANDIDATES)
    )
    seen = [Alike(other, _same(request, other), _likeness(request.written, other.written)) for other in found]
    seen.sort(key=lambda one: (not one.same_number, -one.likeness))
    return [one for one in seen if one.same_number or _may_be(request, one)][:_SHOWN]


def _may_be(request: Request, one: Alike) -> bool:
    """Words tell only of two that are written; what was spoken nobody knows without listening."""
    return one.likeness >= _ALIKE or not (request.written and one.request.written)


def _same(one: Request, other: Request) -> bool:
    return one.number is not None and one.number == other.number


def _likeness(one: str, other: str) -> float:
    words, others = (sorted(set(text.replace("\u200c", " ").split())) for text in (one, other))
    return SequenceMatcher(None, words, others, autojunk=False).ratio() if words and others else 0.0


_Moment = ColumnElement[datetime | None] | InstrumentedAttribute[datetime | None]


def _earlier(one: _Moment, other: _Moment) -> ColumnElement[datetime | None]:
    """The earlier one of two, of which either may be missing."""
    return case((one < other, one), else_=func.coalesce(other, one))


_first_answer = case((Request.answered_at.is_(None), Request.answer_by))
"""Until when its citizen is told anything, while nothing was told."""
_due = _earlier(
    _earlier(Request.promised_until, func.coalesce(Request.due_at, Request.solve_by)), _first_answer
)


_ESCALATED = Request.escalated_to == Escalation.SUPERVISORS
_PROMISED_YET = and_(Request.state.in_(IN_WORK), _due.is_not(None))
"""It is not done, and has a day."""


def not_anothers(user: User) -> ColumnElement[bool]:
    """In a query of Request: no promise of another official, which only the office sees besides."""
    if user.role is not Role.OFFICIAL:
        return true()
    return or_(Request.promised_by_id.is_(None), Request.promised_by_id == user.official_id)


def due_of(request: Request) -> datetime | None:
    """Until when something is owed: that it is done, by the department, without one as its category says; or
    as was promised; or a first answer; whichever is earlier.
    """
    first_answer = request.answer_by if request.answered_at is None else None
    days = [at for at in (request.due_at or request.solve_by, request.promised_until, first_answer) if at]
    return min(days) if days and request.state in IN_WORK else None


def answer_is_late(request: Request, at: datetime) -> bool:
    """Whether its citizen should have been told something by now."""
    missed = request.answered_at is None and request.answer_by is not None and request.answer_by < at
    return missed and request.state in IN_WORK


def overdue(at: datetime) -> ColumnElement[bool]:
    """In a query of Request: something is owed since, see `due_of`."""
    return and_(Request.state.in_(IN_WORK), _due < at)


def _is(wanted: Filter, at: datetime) -> list[ColumnElement[bool]]:
    """What is asked for, but for the states."""
    w = wanted
    conditions: list[tuple[bool, ColumnElement[bool]]] = [
        (w.category is not None, Request.category == w.category),
        (w.district is not None, Request.district == w.district),
        (w.department_id is not None, Request.department_id == w.department_id),
        (w.promised, Request.promised_by_id.is_not(None)),
        (w.seen_by is not None, not_anothers(w.seen_by) if w.seen_by else true()),
        (w.since_days is not None, Request.made_at > at - timedelta(days=w.since_days or 0)),
        (
            w.mine is not None,
            exists().where(RequestEntry.request_id == Request.id, RequestEntry.who == w.mine),
        ),
    ]
    return [condition for applies, condition in conditions if applies]
