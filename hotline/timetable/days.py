"""The city's days: its clock, its holidays, and the days that a recurring rule names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from dateutil.rrule import rrule, rrulestr
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.engine import core
from db.models import Holiday
from hotline.errors import Refused
from settings import CITY

# One RRULE value: no second line that adds dates, nothing that recurs within a day. A rule that names no day
# is looked through to the year 9999: daily and weekly ones, the slow ones, take no parts that lead there.
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


def moment(day: date, at: time) -> datetime:
    """The moment (UTC) at which the city's clocks show `at` on that day."""
    return datetime.combine(day, at, CITY).astimezone(UTC)


def local_day(at: datetime) -> date:
    """The city's day at the moment `at`."""
    return at.astimezone(CITY).date()


def week_of(day: date) -> date:
    """The Saturday with which the day's week begins."""
    return day - timedelta(days=(day.weekday() + 2) % 7)


def recurring(rule: str, starts_on: date, first: date, last: date) -> Sequence[date]:
    """The days from `first` to `last`, both included, that the RFC 5545 rule names from `starts_on` on."""
    found = _parsed(rule, starts_on).between(_midnight(first), _midnight(last), inc=True)
    return [each.date() for each in found]


def check_rule(rule: str, starts_on: date) -> None:
    """Raises Refused("rule-days") unless it is one RRULE that names a day."""
    try:
        if not _RRULE.fullmatch(rule):
            raise ValueError("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, with its usual parts")
        if next(iter(_parsed(rule, starts_on)), None) is None:
            raise ValueError("names no day")
    except (ValueError, IndexError, OverflowError) as error:
        raise Refused("rule-days", f"{rule!r}: {error}") from None


@dataclass(frozen=True)
class DayOff:
    """What the calendar, or the city's `own` word, says of a day. `closed`: the city does not answer."""

    name_fa: str
    name_en: str
    """The city's own days have one name, which is in both."""
    closed: bool
    own: bool
    in_calendar: bool


def holidays(session: Session, first: date, last: date) -> dict[date, str]:
    """The days from `first` to `last` on which the city does not answer, with the holiday's Persian name."""
    return {day: found.name_fa for day, found in off(session, first, last).items() if found.closed}


def off(session: Session, first: date, last: date) -> dict[date, DayOff]:
    """The days from `first` to `last` of which the calendar or the city's own list says something.

    The library computes Islamic holidays ahead; the moon may set them a day later. So the city's own list
    wins: it closes a day, or says of a holiday that it is a working day.
    """
    found: dict[date, DayOff] = {}
    for year in range(first.year, last.year + 1):
        english = _calendar(year, "en_US")
        found |= {
            day: DayOff(name.replace(";", "،"), english[day], closed=True, own=False, in_calendar=True)
            for day, name in _calendar(year, "fa_IR").items()
            if first <= day <= last
        }
    for day, works, name in core(session).execute(_OWN, {"first": first, "last": last}):
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
