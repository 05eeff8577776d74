"""Headers and row names of exported reports; the words stand in hotline/words/staff/."""

from collections.abc import Mapping
from datetime import date

from api.spreadsheets import Cell
from hotline import dates
from hotline.dates import Language
from hotline.reports.report_scope import By
from hotline.reports.round_reports import Row
from hotline.timetable import days
from hotline.words import STAFF

_NAMES: Mapping[By, tuple[str, ...]] = {
    By.ROUND: ("official", "day", "iso"),
    By.OFFICIAL: ("official",),
    By.DISTRICT: ("district",),
    By.SUBJECT: ("subject",),
    By.WEEK: ("week", "iso"),
}


def list_words(language: Language) -> Mapping[str, str]:
    """Return the columns' words."""
    return STAFF.table(language, "report")


def list_name_columns(by: By, language: Language) -> list[str]:
    """Return the headers of the columns that name a row."""
    return [list_words(language)[column] for column in _NAMES[by]]


def list_names(by: By, row: Row, language: Language) -> list[Cell]:
    """Return a row's name, a cell for each of `list_name_columns`."""
    said = list_words(language)
    name = (row.name_fa if language == "fa" else row.name_en) or ""
    if by is By.ROUND:
        day = days.find_local_day(row.starts_at) if row.starts_at else None
        return [name, *_dated(day, language)]
    if by is By.OFFICIAL:
        return [name]
    if by is By.DISTRICT:
        return [said["whole_city"] if row.district is None else row.district]
    if by is By.SUBJECT:
        return [said["none"] if row.subject is None else name]
    return _dated(row.week, language)


def _dated(day: date | None, language: Language) -> list[Cell]:
    return [dates.format_day(day, language), day.isoformat()] if day else ["", ""]
