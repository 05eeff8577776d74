"""The inbox of requests: the list in the order of work, its counts, and the map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Escalation, Official, Request, RequestEntry, Role, User, make_literal, make_literals
from db.states import ENDED_REQUESTS, IN_WORK, RequestState
from hotline.requests import cursors
from hotline.requests.cursors import Place

_OBJECTED = Request.state == make_literal(RequestState.REOPENED)
_OTHERS = tuple(state for state in RequestState if state is not RequestState.REOPENED)
_JOINED = and_(Request.state == make_literal(RequestState.DUPLICATE), Request.part_of_id.is_not(None))
"""Condition: a part that was joined into its whole again. It is in no list, and no duplicate."""
_ESCALATED = Request.escalated_to == make_literal(Escalation.SUPERVISORS)


@dataclass(frozen=True)
class Filter:
    """Which requests to list; None does not restrict.

    `mine`: requests in which this user has taken a step. `promised`: by an official. `escalated`: to the
    supervisors, because the department is late. `seen_by`: the user who asks.
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
    """The number of requests in each state, of overdue ones, and of those escalated to the supervisors."""

    by_state: dict[RequestState, int]
    overdue: int
    escalated: int


class District(NamedTuple):
    """The counts of one district (None: unknown to the citizen): reported, still open, overdue."""

    district: int | None
    reported: int
    open: int
    overdue: int


def find_district(session: Session, user: User) -> int | None:
    """Return the only district whose requests this person may see, or None for all districts.

    A district manager sees their own. An official's account without an official sees none: no district has
    the number 0.
    """
    if user.role is Role.OFFICIAL and user.official_id is None:
        return 0
    official = session.get(Official, user.official_id) if user.official_id else None
    return official.district if official else None


class _Rank(NamedTuple):
    """A section of the inbox: its conditions, and its order (earliest day first, or newest first)."""

    number: int
    which: list[ColumnElement[bool]]
    by_day: bool = False


def list_page(
    session: Session, wanted: Filter, *, after: str | None, limit: int
) -> tuple[Sequence[Request], str | None]:
    """Return at most `limit` requests, and the `after` of the next page (None: last page).

    Objections come first; then overdue requests, longest overdue first; then the newest. Promises are ordered
    by their day. Raises Refused("invalid-input") for an invalid `after`.
    """
    at = now(session)
    last = cursors.parse(after, by_day=(1, 2), others=(0, 3)) if after else None
    seen: dict[int, Place] = {}
    for rank in _ranks(wanted, at):
        query = select(Request.id, Request.owed_at).where(*rank.which, *_is(wanted, at))
        if wanted.escalated:
            query = query.where(_ESCALATED)
        if index := _index(wanted, rank):
            query = query.with_hint(Request, f"INDEXED BY {index}", "sqlite")
        if last and rank.number <= last.rank:
            if rank.number < last.rank:
                continue
            query = query.where(_follows(last))
        if rank.by_day:
            query = query.order_by(Request.owed_at)
        query = query.order_by(Request.id.desc()).limit(limit + 1 - len(seen))
        for id_, day in session.execute(query):
            seen.setdefault(id_, Place(rank.number, day if rank.by_day else None, id_))
        if len(seen) > limit:
            break
    ids = list(seen)[:limit]
    there = {each.id: each for each in session.scalars(select(Request).where(Request.id.in_(ids)))}
    more = str(seen[ids[-1]]) if len(seen) > limit else None
    return [there[id_] for id_ in ids], more


class Newest(Protocol):
    """A query that returns at most `limit` requests older than `before`, newest first."""

    def __call__(self, session: Session, *, before: int | None, limit: int) -> Sequence[Request]:
        """Run one query."""


def list_newest(session: Session, wanted: Filter, *, before: int | None, limit: int) -> Sequence[Request]:
    """Return matching requests by descending id, so that no request comes twice while others change."""
    query = select(Request).where(*where_matching(wanted, now(session)))
    # Scan by id: with another index SQLite would sort all matches for each page.
    query = query.with_hint(Request, "NOT INDEXED", "sqlite")
    return list_in_pages(session, query, before, limit)


def list_in_pages(
    session: Session, query: Select[Request], before: int | None, limit: int
) -> Sequence[Request]:
    """Return at most `limit` requests of the query with ids below `before`, newest first."""
    if before is not None:
        query = query.where(Request.id < before)
    return session.scalars(query.order_by(Request.id.desc()).limit(limit)).all()


def where_matching(wanted: Filter, at: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of the requests that a page shows."""
    which = _is(wanted, at)
    if wanted.states:
        which.append(Request.state.in_(make_literals(wanted.states)))
    if not wanted.states or RequestState.DUPLICATE in wanted.states:
        which.append(~_JOINED)
    if wanted.overdue:
        which.append(where_overdue(at))
    if wanted.escalated:
        which.append(_ESCALATED)
    return which


def _ranks(wanted: Filter, at: datetime) -> Iterator[_Rank]:
    """Yield the sections of the inbox. Each is a query of its own, so that an index gives the order.

    Later sections are not read once the page is full.
    """
    states = set(wanted.states or RequestState)
    others = [state for state in _OTHERS if state in states]
    working = [state for state in others if state in IN_WORK]
    late, not_late = where_overdue(at), Request.owed_at >= at
    if RequestState.REOPENED in states:
        yield _Rank(0, [_OBJECTED, late] if wanted.overdue else [_OBJECTED])
    if working:
        yield _Rank(1, [_in(working), late], by_day=True)
    if wanted.overdue:
        return
    if wanted.promised and working:
        yield _Rank(2, [_in(working), not_late], by_day=True)
    if others:
        owes_none = Request.owed_at.is_(None)
        listed = [_in(others), ~_JOINED] if RequestState.DUPLICATE in others else [_in(others)]
        yield _Rank(3, [*listed, owes_none if wanted.promised else or_(owes_none, not_late)])


def _index(wanted: Filter, rank: _Rank) -> str | None:
    """Return the index that SQLite must use: it has no statistics of its own here."""
    if wanted.mine:
        return None
    if wanted.escalated:
        return "requests_escalated"
    if wanted.promised:
        return "ix_requests_promised_by_id"
    return "requests_owed" if rank.by_day and wanted.category is None else None


def _in(states: Sequence[RequestState]) -> ColumnElement[bool]:
    if len(states) == len(_OTHERS):
        return Request.state != make_literal(RequestState.REOPENED)
    return Request.state.in_(make_literals(states))


def _follows(last: Place) -> ColumnElement[bool]:
    """Return the condition for rows after the last row of the previous page."""
    older = Request.id < last.id
    if last.day is None:
        return older
    return and_(Request.owed_at >= last.day, or_(Request.owed_at > last.day, older))


def count_requests(session: Session, wanted: Filter) -> Counts:
    """Count matching requests, ignoring the filter's states. Each count is read from an index.

    Only rows that were once parts are read themselves.
    """
    at = now(session)
    which = _is(wanted, at)
    query = select(Request.state, func.count()).group_by(Request.state)
    rows = session.execute(query.where(Request.state.in_(make_literals(RequestState)), *which)).all()
    by_state = {state: number for state, number in rows}
    number = select(func.count()).select_from(Request).where(*which)
    late = session.scalar(number.where(Request.state.in_(make_literals(IN_WORK)), where_overdue(at))) or 0
    joined = number.where(_JOINED).with_hint(Request, "INDEXED BY ix_requests_part_of_id", "sqlite")
    if RequestState.DUPLICATE in by_state:
        by_state[RequestState.DUPLICATE] -= session.scalar(joined) or 0
    helped = number.where(_ESCALATED).with_hint(Request, "INDEXED BY requests_escalated", "sqlite")
    escalated = session.scalar(helped) or 0
    return Counts(by_state, late, escalated)


def count_by_district(session: Session, wanted: Filter) -> list[District]:
    """Return the counts of every district that has requests, for the map."""
    at = now(session)
    query = select(
        Request.district,
        func.count().filter(Request.part_of_id.is_(None)),
        func.count().filter(Request.state.not_in(ENDED_REQUESTS), Request.part_of_id.is_(None)),
        func.count().filter(where_overdue(at)),
    ).group_by(Request.district)
    if wanted.category is None and wanted.department_id is None and not wanted.mine and not wanted.promised:
        query = query.with_hint(Request, "INDEXED BY requests_on_map", "sqlite")
    return [District(*row) for row in session.execute(query.where(*_is(wanted, at)))]


def where_not_anothers(user: User) -> ColumnElement[bool]:
    """Condition on Request: not a promise of another official.

    Only the office and its official see a promise.
    """
    if user.role is not Role.OFFICIAL:
        return true()
    return or_(Request.promised_by_id.is_(None), Request.promised_by_id == user.official_id)


def answer_is_late(request: Request, at: datetime) -> bool:
    """Return whether the first answer to the citizen is overdue."""
    missed = request.answered_at is None and request.answer_by is not None and request.answer_by < at
    return missed and request.state in IN_WORK


def where_overdue(at: datetime) -> ColumnElement[bool]:
    """Condition on Request: what is owed next was due before `at`."""
    return Request.owed_at < at


def _is(wanted: Filter, at: datetime) -> list[ColumnElement[bool]]:
    """Return the filter's conditions without the states."""
    w = wanted
    conditions: list[tuple[bool, ColumnElement[bool]]] = [
        (w.category is not None, Request.category == w.category),
        (w.district is not None, Request.district == w.district),
        (w.department_id is not None, Request.department_id == w.department_id),
        (w.promised, Request.promised_by_id.is_not(None)),
        (w.seen_by is not None, where_not_anothers(w.seen_by) if w.seen_by else true()),
        (w.since_days is not None, Request.made_at > at - timedelta(days=w.since_days or 0)),
        (
            w.mine is not None,
            Request.id.in_(select(RequestEntry.request_id).where(RequestEntry.who == w.mine)),
        ),
    ]
    return [condition for applies, condition in conditions if applies]
