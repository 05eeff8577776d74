"""The city's working time: the due date of a promise in working hours or days."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy.orm import Session

from db.models import TimeUnit
from hotline.timetable import days
from settings import WorkingWeek

_DAY = timedelta(days=1)


class Span(NamedTuple):
    """An amount of the city's working time."""

    amount: int
    unit: TimeUnit


def find_due(at: datetime, span: Span, week: WorkingWeek, is_closed: Callable[[date], bool]) -> datetime:
    """Return when a promise made at the moment `at` is due, by the working week and closed days.

    An hour runs only while the city works. A day is a whole working day after the day of the promise. A
    promise made outside working hours counts from their next start.
    """

    def works(day: date) -> bool:
        return day.weekday() in week.days and not is_closed(day)

    def until(day: date) -> datetime:
        return days.find_moment(day, week.hours.end)

    day = days.find_local_day(at)
    while not works(day) or at >= until(day):
        day += _DAY
    if span.unit is TimeUnit.DAYS:
        for _ in range(span.amount):
            day = _next(day, works)
        return until(day)
    return _run(at, timedelta(hours=span.amount), week, works)


def _run(at: datetime, left: timedelta, week: WorkingWeek, works: Callable[[date], bool]) -> datetime:
    """Return when the duration `left` of working time has passed since `at`."""

    def until(day: date) -> datetime:
        return days.find_moment(day, week.hours.end)

    day = days.find_local_day(at)
    while not works(day) or at >= until(day):
        day += _DAY
    begins = max(at, days.find_moment(day, week.hours.begin))
    while left > until(day) - begins:
        left -= until(day) - begins
        day = _next(day, works)
        begins = days.find_moment(day, week.hours.begin)
    return begins + left


def is_working_time(session: Session, at: datetime, week: WorkingWeek) -> bool:
    """Return whether the city works at that moment."""
    day = days.find_local_day(at)
    begins, ends = (days.find_moment(day, each) for each in week.hours)
    return (
        day.weekday() in week.days
        and begins <= at < ends
        and day not in days.find_holidays(session, day, day)
    )


def find_due_by_calendar(session: Session, at: datetime, span: Span, week: WorkingWeek) -> datetime:
    """Return what `find_due` returns, by the holidays of the timetable."""
    return find_all_due_by_calendar(session, at, (span,), week)[0]


def find_all_due_by_calendar(
    session: Session, at: datetime, spans: Iterable[Span], week: WorkingWeek
) -> Sequence[datetime]:
    """Return what `find_due_by_calendar` returns for each of the spans, reading the holidays once."""
    is_closed = _closed(session)
    return [find_due(at, span, week, is_closed) for span in spans]


def add_working_days(session: Session, at: datetime, working_days: int, week: WorkingWeek) -> datetime:
    """Return the moment after `working_days` full days of working hours since `at`, counted hour by hour."""
    day = date(2000, 1, 1)
    length = datetime.combine(day, week.hours.end) - datetime.combine(day, week.hours.begin)
    is_closed = _closed(session)
    return _run(
        at, working_days * length, week, lambda day: day.weekday() in week.days and not is_closed(day)
    )


def _closed(session: Session) -> Callable[[date], bool]:
    @cache
    def closed(year: int) -> frozenset[date]:
        return frozenset(days.find_holidays(session, date(year, 1, 1), date(year, 12, 31)))

    return lambda day: day in closed(day.year)


def _next(day: date, works: Callable[[date], bool]) -> date:
    day += _DAY
    while not works(day):
        day += _DAY
    return day
