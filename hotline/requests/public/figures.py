"""Public statistics about requests that identify no single person.

The scheduler counts ahead, so reading costs the same at any number of requests. Requests of the last 30, 90
or 365 days count; a duplicate counts with its original. Of a split request, departments' figures count the
parts, and all other figures count the whole.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.epoch import epoch
from db.models import Category, Department, Rating, Request, RequestFigures, make_literals
from db.states import SOLVED_REQUESTS, RequestState

SPANS = (30, 90, 365)
"""Lengths of the periods in days."""
_DAY_S = 86_400
_S = RequestState
_SOLVED = Request.state.in_(make_literals(SOLVED_REQUESTS))
_COUNTED: dict[str, ColumnElement[bool]] = {
    "solved": _SOLVED,
    "confirmed": and_(Request.state == _S.CLOSED, Request.unanswered.is_(False)),
    "unanswered": Request.unanswered.is_(True),
    "objected": Request.denials > 0,
    "rejected": Request.state == _S.REJECTED,
}
_OF: dict[str, Any] = {
    "category": Request.category,
    "department_id": Request.department_id,
    "all": literal(None),
}


_SMALL = (*_COUNTED, "rated")


class Row(NamedTuple):
    """Figures of a category, a department, or of all (no name).

    `hidden`: too few requests to publish. `few`: names of the single figures that are hidden as well.
    """

    name_fa: str
    name_en: str
    figures: RequestFigures
    hidden: bool
    few: Collection[str]


class Figures(NamedTuple):
    """The figures of one period: in total, by category and by department.

    `counted_at` is None before the first count.
    """

    days: int
    counted_at: datetime | None
    all: Row | None
    categories: Sequence[Row]
    departments: Sequence[Row]


def count(session: Session) -> list[dict[str, Any]]:
    """Count the figures of every period, as rows for `keep`. Only reads."""
    at = now(session)
    return [row for days in SPANS for of in _OF for row in _count(session, of, days, at)]


def _count(session: Session, of: str, days: int, at: datetime) -> Iterator[dict[str, Any]]:
    key = _OF[of].label("key")
    reported = [Request.made_at > at - timedelta(days=days), Request.state != _S.DUPLICATE]
    if of != "department_id":
        reported.append(Request.part_of_id.is_(None))
    grouped = [] if of == "all" else [_OF[of]]
    sums = [func.count().filter(which).label(name) for name, which in _COUNTED.items()]
    counted = select(key, func.count().label("received"), *sums).where(*reported).group_by(*grouped)
    took = epoch(Request.replied_at) - epoch(Request.made_at)
    ranked = (
        select(
            key,
            took.label("took"),
            (func.row_number().over(partition_by=grouped or None, order_by=took) - 1).label("rank"),
            (func.count().over(partition_by=grouped or None) - 1).label("last"),
        )
        .where(*reported, _SOLVED, Request.replied_at.is_not(None))
        .subquery()
    )

    def percentile(share: float) -> ColumnElement[Any]:
        away = func.abs(ranked.c.rank - ranked.c.last * share)
        return func.sum(case((away < 1, ranked.c.took * (1 - away)), else_=0.0)) / _DAY_S

    spans = select(ranked.c.key, percentile(0.5), percentile(0.9)).group_by(ranked.c.key)
    lasted = {each: (float(median), float(ninetieth)) for each, median, ninetieth in session.execute(spans)}
    said = _said(session, of, reported)
    for row in session.execute(counted):
        median, ninetieth = lasted.get(row.key, (None, None))
        rated, satisfaction = said.get(row.key, (0, None))
        if row.received and (row.key is not None or of == "all"):
            yield {
                "days": days,
                "category": row.key if of == "category" else None,
                "department_id": row.key if of == "department_id" else None,
                "received": row.received,
                **{name: getattr(row, name) for name in _COUNTED},
                "rated": rated,
                "satisfaction": satisfaction,
                "median_days": median,
                "ninetieth_days": ninetieth,
                "counted_at": at,
            }


def _said(
    session: Session, of: str, reported: Sequence[ColumnElement[bool]]
) -> dict[Any, tuple[int, float | None]]:
    """Return the number of ratings and their mean; a department's ratings are those of its own replies."""
    key = (Rating.department_id if of == "department_id" else _OF[of]).label("key")
    rated = select(key, func.count(), func.avg(Rating.stars)).join(Request, Request.id == Rating.request_id)
    grouped = rated.where(*reported).group_by(*([] if of == "all" else [key]))
    return {each: (count, float(mean)) for each, count, mean in session.execute(grouped) if count}


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Replace the stored figures by these rows."""
    hold_lock(session, "request-figures")
    session.execute(delete(RequestFigures).execution_options(synchronize_session=False))
    if rows:
        session.execute(insert(RequestFigures), rows)


def read(session: Session, days: int, least: int) -> Figures:
    """Return the publishable figures of a period.

    Counts under `least` are hidden, because they could identify a person.
    """
    named = (
        select(RequestFigures, Category, Department)
        .outerjoin(Category, Category.id == RequestFigures.category)
        .outerjoin(Department, Department.id == RequestFigures.department_id)
        .where(RequestFigures.days == days)
        .order_by(RequestFigures.received.desc(), RequestFigures.id)
    )
    found: list[Any] = [tuple(each) for each in session.execute(named)]
    whole = [each for each in found if not each[1] and not each[2]]
    return Figures(
        days,
        whole[0][0].counted_at if whole else None,
        next(iter(_published(whole, least)), None),
        _published([each for each in found if each[1]], least),
        _published([each for each in found if each[2]], least),
    )


def list_hidden(counts: Mapping[Any, int], least: int) -> set[Any]:
    """Return the keys whose counts are under `least`. If only one is hidden, hide the next smallest too."""
    hidden = {key for key, count in counts.items() if count < least}
    if len(hidden) == 1 and len(counts) > 1:
        hidden.add(min(counts.keys() - hidden, key=lambda key: counts[key]))
    return hidden


def _published(found: Sequence[Any], least: int) -> list[Row]:
    """Return rows with small counts hidden.

    One hidden row alone could be computed from the sum, so a second one follows.
    """
    hidden = list_hidden({figures.id: figures.received for figures, *_ in found}, least)
    few = _few([figures for figures, *_ in found], hidden, least)
    rows = [
        Row(
            category.name_fa if category else department.name_fa if department else "",
            category.name_en if category else department.name_en if department else "",
            figures,
            figures.id in hidden,
            few[figures.id],
        )
        for figures, category, department in found
    ]
    # sort hidden rows by name: their position would reveal their size
    return sorted(rows, key=lambda row: (row.hidden, row.name_fa if row.hidden else ""))


def _few(rows: Sequence[RequestFigures], hidden: set[int], least: int) -> dict[int, set[str]]:
    """Return the names of figures to hide in each row.

    One hidden figure alone in a column hides another one too.
    """
    few: dict[int, set[str]] = {row.id: set() for row in rows}
    for name in _SMALL:
        counts = {row.id: getattr(row, name) for row in rows if getattr(row, name)}
        small = {id_ for id_, count in counts.items() if count < least and id_ not in hidden}
        others = {id_: count for id_, count in counts.items() if id_ not in small and id_ not in hidden}
        if len(small) == 1 and not hidden & counts.keys() and others:
            small.add(min(others, key=lambda id_: others[id_]))
        for id_ in small:
            few[id_].add(name)
    for row in rows:
        if row.rated < least or "rated" in few[row.id]:
            few[row.id] |= {"satisfaction"}
        if row.solved < least or "solved" in few[row.id]:
            few[row.id] |= {"median_days", "ninetieth_days"}
    return few
