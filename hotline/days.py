"""The city's days: its clock, its holidays, and the days that a recurring rule names."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from holidays import country_holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Holiday
from hotline.errors import Refused

ZONE = ZoneInfo("Asia/Tehran")

# One RRULE value: no second line that adds dates, nothing that recurs within a day.
_RRULE = re.compile(r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(?!BY(HOUR|MINUTE|SECOND)=)[A-Z]+=[A-Z0-9,+-]+)*")
_YEARS_LOOKED_AT = 5


def moment(day: date, at: time) -> datetime:
    """The moment (UTC) at which the city's clocks show `at` on that day."""
    return datetime.combine(day, at, ZONE).astimezone(UTC)


def local_day(at: datetime) -> date:
    """The city's day at the moment `at`."""
    return at.astimezone(ZONE).date()


def recurring(rule: str, starts_on: date, first: date, last: date) -> Sequence[date]:
    """The days from `first` to `last`, both included, that the RFC 5545 rule names from `starts_on` on."""
    found = _parsed(rule, starts_on).between(_midnight(first), _midnight(last), inc=True)
    return [each.date() for each in found]


def check_rule(rule: str, starts_on: date) -> None:
    """Raises Refused("rule-days") unless it is one RRULE of whole days that names some day soon."""
    try:
        if not _RRULE.fullmatch(rule):
            raise ValueError("not FREQ=DAILY, WEEKLY, MONTHLY or YEARLY with parts such as ;BYDAY=WE")
        # bounded: a rule for the 30th of February would be looked for until the year 9999
        last = _midnight(starts_on.replace(year=starts_on.year + _YEARS_LOOKED_AT, day=1))
        parsed = _parsed(rule, starts_on)
        if "UNTIL=" not in rule and "COUNT=" not in rule:
            parsed = parsed.replace(until=last)
        if next(iter(parsed), None) is None:
            raise ValueError("names no day")
    except ValueError as error:
        raise Refused("rule-days", f"{rule!r}: {error}") from None


def holidays(session: Session, first: date, last: date) -> dict[date, str]:
    """The days from `first` to `last` on which the city does not answer, with the holiday's Persian name.

    The library computes Islamic holidays ahead; the moon may set them a day later. So the city's own list
    wins: it closes a day, or says of a holiday that it is a working day.
    """
    closed: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        closed |= {day: name for day, name in _calendar(year).items() if first <= day <= last}
    for own in session.scalars(select(Holiday).where(Holiday.day.between(first, last))):
        closed.pop(own.day, None)
        if not own.works:
            closed[own.day] = own.name
    return closed


@cache
def _calendar(year: int) -> dict[date, str]:
    return dict(country_holidays("IR", years=year, language="fa_IR", islamic_show_estimated=False))


def _parsed(rule: str, starts_on: date) -> rrule:
    return rrulestr(rule, dtstart=_midnight(starts_on))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
