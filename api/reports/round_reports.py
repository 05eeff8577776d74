"""Reports over a span of days, as JSON and as files."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from api import spreadsheets
from api.access import Database, MayReadReports, Reading
from api.reports import report_texts
from api.rounds.timetable import Day
from db.engine import reading, writing
from db.models import User
from hotline import audit
from hotline.dates import Language
from hotline.reports import round_reports
from hotline.reports.report_scope import By
from hotline.rounds import round_permissions

router = APIRouter(prefix="/reports", tags=["reports"])

_By = Annotated[By, Query()]
_Start = Annotated[Day, Query(alias="from")]


@router.get("")
def show(user: MayReadReports, session: Reading, by: _By, start: _Start, until: Day) -> round_reports.Report:
    """The report of the days from `from` to `until`, both included, grouped by `by`.

    An official gets only the own rounds.
    """
    return round_reports.report(session, by, start, until, round_permissions.where_readable(user))


@router.get(".csv", response_class=StreamingResponse)
def as_csv(
    *,
    user: MayReadReports,
    engine: Database,
    by: _By,
    start: _Start,
    until: Day,
    language: Language = "fa",
) -> StreamingResponse:
    """The report as CSV, with times in minutes; the audit log shows who exported it."""
    report = _taken(engine, user, by, start, until)
    return spreadsheets.make_csv(_name(report), *_table(report, language))


@router.get(".xlsx", response_class=StreamingResponse)
def as_xlsx(
    *,
    user: MayReadReports,
    engine: Database,
    by: _By,
    start: _Start,
    until: Day,
    language: Language = "fa",
) -> StreamingResponse:
    """The report as a spreadsheet, with times in minutes; the audit log shows who exported it."""
    report = _taken(engine, user, by, start, until)
    return spreadsheets.make_xlsx(_name(report), *_table(report, language), language)


def _taken(engine: Engine, user: User, by: By, start: date, until: date) -> round_reports.Report:
    with reading(engine) as session:
        report = round_reports.report(session, by, start, until, round_permissions.where_readable(user))
    with writing(engine) as session:
        audit.record(session, user.username, "reports-exported", "reports", f"{by}, {start} – {until}")
    return report


def _name(report: round_reports.Report) -> str:
    return f"137-{report.by}-{report.start}-{report.until}"


def _table(
    report: round_reports.Report, language: Language
) -> tuple[list[str], Iterator[list[spreadsheets.Cell]]]:
    """Return header and rows, the total last. A reason for not reaching anybody has a column only if it
    occurred.
    """
    reasons = list(report.total.not_reached)
    names = report_texts.list_name_columns(report.by, language)
    words = report_texts.list_words(language)
    header = [*names, *(words[column] for column in _COLUMNS), *(words[reason] for reason in reasons)]

    def rows() -> Iterator[list[spreadsheets.Cell]]:
        for row in report.rows:
            yield [*report_texts.list_names(report.by, row, language), *_cells(row, reasons)]
        blank = [""] * (len(names) - 1)
        yield [words["total"], *blank, *_cells(report.total, reasons)]

    return header, rows()


_COLUMNS = (
    *("registered", "carried_in", "reached", "not_reached", "carried_out", "calls", "conversations"),
    *("median_minutes", "p90_minutes", "calls_per_hour", "conversations_per_hour", "idle_share"),
    *("mos", "bad_share"),
)


def _cells(numbers: round_reports.Numbers, reasons: list[str]) -> list[spreadsheets.Cell]:
    n = numbers
    return [
        *(n.registered, n.carried_in, n.reached, sum(n.not_reached.values()), n.carried_out, n.calls),
        *(n.conversations, _rounded(n.median_seconds, 60, 1), _rounded(n.p90_seconds, 60, 1)),
        *(_rounded(n.calls_per_hour), _rounded(n.conversations_per_hour), _rounded(n.idle_share, 1, 3)),
        *(n.mos, _rounded(n.bad_share, 1, 3)),
        *(n.not_reached.get(reason, 0) for reason in reasons),
    ]


def _rounded(value: float | None, unit: int = 1, places: int = 2) -> float | None:
    return None if value is None else round(value / unit, places)
