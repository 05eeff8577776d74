"""Citizens' satisfaction in a period of days, by category and by department."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Category, Department, Rating, Request
from hotline.reports.round_reports import check_span
from hotline.requests.public import figures
from hotline.timetable import days


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The number of ratings and their mean, 1 to 5.

    None: no ratings, or so few that they identify a person.
    """

    rated: int | None
    satisfaction: float | None


@dataclass(frozen=True, kw_only=True)
class NamedMean(Mean):
    """The mean of a category, or of the department that had replied; no name: the office itself."""

    name_fa: str | None
    name_en: str | None


@dataclass(frozen=True)
class SatisfactionReport:
    """The satisfaction in the days from `start` to `until`, both included."""

    start: date
    until: date
    total: Mean
    categories: list[NamedMean]
    departments: list[NamedMean]


def measure_satisfaction(session: Session, start: date, until: date, least: int) -> SatisfactionReport:
    """Return the satisfaction in the period; counts under `least` are hidden.

    Raises Refused("invalid-input").
    """
    check_span(start, until)
    begin, end = (days.find_moment(day, time()) for day in (start, until + timedelta(days=1)))
    said = (
        select(func.count().label("rated"), func.avg(Rating.stars).label("mean"))
        .select_from(Rating)
        .join(Request, Request.id == Rating.request_id)
        .where(Rating.at >= begin, Rating.at < end)
    )

    def by(table: Any, of: Any) -> list[NamedMean]:
        named = said.add_columns(table.id, table.name_fa, table.name_en).outerjoin(table, table.id == of)
        found = session.execute(named.group_by(table.id, table.name_fa, table.name_en)).all()
        hidden = figures.list_hidden({row.id: row.rated for row in found}, least)
        rows = [NamedMean(name_fa=r.name_fa, name_en=r.name_en, **_mean(r, r.id in hidden)) for r in found]
        # by name: the position must not show the size
        return sorted(rows, key=lambda row: (row.name_fa is None, row.name_fa))

    whole = session.execute(said).one()
    return SatisfactionReport(
        start,
        until,
        total=Mean(**_mean(whole, whole.rated < least)),
        categories=by(Category, Request.category),
        departments=by(Department, Rating.department_id),
    )


def _mean(row: Any, hidden: bool) -> dict[str, Any]:
    if hidden:
        return {"rated": None, "satisfaction": None}
    return {"rated": row.rated, "satisfaction": round(float(row.mean), 2)}
