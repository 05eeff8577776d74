"""The city's days: its clock, its holidays, and the days of a recurring rule."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from dateutil.rrule import rrule, rrulestr
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.models import Holiday
from hotline.errors import Refused
from settings import CITY

# One RRULE value: no second line that adds dates, and nothing that recurs within a day. dateutil searches a
# rule without days up to the year 9999. That is slow for daily and weekly rules, so they may not have the
# parts that lead there.
_MONTH = r"(1[0-2]|[1-9])"
_PARTS = (
    r"(;(INTERVAL=[1-9][0-9]?|COUNT=[1-9][0-9]{{0,3}}|BYMONTH=" + _MONTH + r"(," + _MONTH + r")*"
    r"|(UNTIL|WKST|BYDAY{more})=[A-Z0-9,+-]+))*"
)
_RRULE = re.compile(
    rf"FREQ=(DAILY|WEEKLY){_PARTS.format(more='')}"
    rf"|FREQ=(MONTHLY|YEARLY){_PARTS.format(more='|BYMONTHDAY|BYYEARDAY|BYWEEKNO|BYSETPOS')}"
)
_OWN = select(Holiday.day, Holiday.works, Holiday.name).where(
    Holiday.day.between(bindparam("first"), bindparam("last"))
)


def find_moment(day: date, at: time) -> datetime:
    """Return the moment (UTC) at which the city's clocks show `at` on that day."""
    return datetime.combine(day, at, CITY).astimezone(UTC)


def find_local_day(at: datetime) -> date:
    """Return the city's day at the moment `at`."""
    return at.astimezone(CITY).date()


def find_week_start(day: date) -> date:
    """Return the Saturday that begins the day's week."""
    return day - timedelta(days=(day.weekday() + 2) % 7)


def list_recurring(rule: str, starts_on: date, first: date, last: date) -> Sequence[date]:
    """Return the rule's days from `first` to `last`, both included (RFC 5545, starting on `starts_on`)."""
    found = _parsed(rule, starts_on).between(_midnight(first), _midnight(last), inc=True)
    return [each.date() for each in found]


def check_rule(rule: str, starts_on: date) -> None:
    """Raises Refused("rule-days") unless the rule is one RRULE with at least one day."""
    try:
        if not _RRULE.fullmatch(rule):
            raise ValueError("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, with its usual parts")
        if next(iter(_parsed(rule, starts_on)), None) is None:
            raise ValueError("names no day")
    except (ValueError, IndexError, OverflowError) as error:
        raise Refused("rule-days", f"{rule!r}: {error}") from None


@dataclass(frozen=True)
class DayOff:
    """The calendar's entry, or the city's `own` entry, for a day. `closed`: the city does not answer."""

    name_fa: str
    name_en: str
    """Equal to the Persian name for the city's own entries, which have one name."""
    closed: bool
    own: bool
    in_calendar: bool


def find_holidays(session: Session, first: date, last: date) -> dict[date, str]:
    """Return the closed days from `first` to `last`, with the holidays' Persian names."""
    return {day: found.name_fa for day, found in list_off_days(session, first, last).items() if found.closed}


def list_off_days(session: Session, first: date, last: date) -> dict[date, DayOff]:
    """Return the calendar's and the city's entries for the days from `first` to `last`.

    The library computes Islamic holidays ahead, and the moon may move one by a day. So the city's own entry
    wins: it closes a day, or makes a holiday a working day.
    """
    found: dict[date, DayOff] = {}
    for year in range(first.year, last.year + 1):
        english = _calendar(year, "en_US")
        found |= {
            day: DayOff(name.replace(";", "،"), english[day], closed=True, own=False, in_calendar=True)
            for day, name in _calendar(year, "fa_IR").items()
            if first <= day <= last
        }
    for day, works, name in session.execute(_OWN, {"first": first, "last": last}):
        found[day] = DayOff(name, name, closed=not works, own=True, in_calendar=day in found)
    return dict(sorted(found.items()))


@cache
def _calendar(year: int, language: str) -> dict[date, str]:
    from holidays import country_holidays  # noqa: PLC0415  (3 MB, of which few processes need any)

    return dict(country_holidays("IR", years=year, language=language, islamic_show_estimated=False))


def _parsed(rule: str, starts_on: date) -> rrule:
    return rrulestr(rule, dtstart=_midnight(starts_on))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
