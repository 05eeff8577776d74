"""Citizens' satisfaction with the answers to their requests, as JSON and as files."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from api import spreadsheets
from api.access import Database, InForce, MayReadReports, Reading
from api.reports import report_texts
from api.rounds.timetable import Day
from db.engine import reading, writing
from db.models import User
from hotline import audit
from hotline.dates import Language
from hotline.reports import satisfaction as rules
from hotline.reports.satisfaction import SatisfactionReport
from settings import Settings

router = APIRouter(prefix="/reports/satisfaction", tags=["reports"])

_Start = Annotated[Day, Query(alias="from")]


@router.get("")
def satisfaction(
    _user: MayReadReports, session: Reading, settings: InForce, start: _Start, until: Day
) -> SatisfactionReport:
    """Ratings of the days from `from` to `until`, both included, by category and by department.

    Small figures are hidden, as on the public page.
    """
    return rules.measure_satisfaction(session, start, until, settings.figures_least)


@router.get(".csv", response_class=StreamingResponse)
def satisfaction_as_csv(
    *,
    user: MayReadReports,
    engine: Database,
    settings: InForce,
    start: _Start,
    until: Day,
    language: Language = "fa",
) -> StreamingResponse:
    """Satisfaction as CSV; a hidden value is empty. The audit log shows who exported it."""
    found = _taken(engine, settings, user, start, until)
    return spreadsheets.make_csv(_name(found), *_table(found, language))


@router.get(".xlsx", response_class=StreamingResponse)
def satisfaction_as_xlsx(
    *,
    user: MayReadReports,
    engine: Database,
    settings: InForce,
    start: _Start,
    until: Day,
    language: Language = "fa",
) -> StreamingResponse:
    """Satisfaction as a spreadsheet; a hidden value is empty. The audit log shows who exported it."""
    found = _taken(engine, settings, user, start, until)
    return spreadsheets.make_xlsx(_name(found), *_table(found, language), language)


def _taken(engine: Engine, settings: Settings, user: User, start: date, until: date) -> SatisfactionReport:
    with reading(engine) as session:
        found = rules.measure_satisfaction(session, start, until, settings.figures_least)
    with writing(engine) as session:
        audit.record(
            session, user.username, "reports-exported", "reports", f"satisfaction, {start} – {until}"
        )
    return found


def _name(found: SatisfactionReport) -> str:
    return f"137-satisfaction-{found.start}-{found.until}"


def _table(
    found: SatisfactionReport, language: Language
) -> tuple[list[str], Iterator[list[spreadsheets.Cell]]]:
    words = report_texts.list_words(language)
    header = [words[column] for column in ("of", "name", "rated", "satisfaction")]

    def rows() -> Iterator[list[spreadsheets.Cell]]:
        for of, named in (("category", found.categories), ("department", found.departments)):
            for row in named:
                name = (row.name_fa if language == "fa" else row.name_en) or words["office"]
                yield [words[of], name, row.rated, row.satisfaction]
        yield [words["total"], "", found.total.rated, found.total.satisfaction]

    return header, rows()
