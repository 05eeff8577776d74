"""A timetable in tests: rules of officials, and rounds made of them at a moment that a test names."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Official, Round, TimetableRule
from hotline.timetable import days, timetable_rules
from scheduler import jobs
from settings import Settings
from tests.factories import an_official

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEDNESDAYS = "FREQ=WEEKLY;BYDAY=WE"
DAILY = "FREQ=DAILY"

Clock = Callable[[datetime], datetime]


def noon(year: int, month: int, day: int) -> datetime:
    """Noon by the city's clock."""
    return days.find_moment(date(year, month, day), time(12))


def some_officials(session: Session, count: int) -> list[Official]:
    made = [an_official(session) for _ in range(count)]
    session.flush()
    return made


def a_rule(session: Session, in_turn: Sequence[Official] | int = 3, **values: Any) -> TimetableRule:
    """Each Wednesday 9 to 12, committed."""
    if isinstance(in_turn, int):
        in_turn = some_officials(session, in_turn)
    given = {
        "name": "چهارشنبه‌ها",
        "rrule": WEDNESDAYS,
        "starts_on": date(2020, 1, 1),
        "starts_at": time(9),
        "ends_at": time(12),
        **values,
    }
    rule = timetable_rules.add(session, officials=in_turn, **given)
    session.commit()
    return rule


def extend(session: Session, settings: Settings, days_ahead: int = 28) -> None:
    """Extend the timetable as the scheduler does every minute."""
    session.commit()
    jobs.make_rounds(session.get_bind(), settings.model_copy(update={"timetable_days": days_ahead}))


def made(session: Session) -> Sequence[Round]:
    in_order = select(Round).where(Round.rule_id.is_not(None)).order_by(Round.starts_at, Round.turn)
    found = session.scalars(in_order, execution_options={"populate_existing": True}).all()
    session.commit()  # no lock of the test's own stands in anybody's way
    return found


def days_of(found: Sequence[Round]) -> list[date | None]:
    return [r.occurs_on for r in found]
