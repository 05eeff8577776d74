"""The timetable by day: made and future rounds of each day, and what is different on it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import DayOverride, Round, TimetableRule, User
from hotline.rounds import round_permissions
from hotline.timetable import days, timetable_rules
from hotline.timetable.days import DayOff
from hotline.timetable.round_making import Occurrence


@dataclass
class Day:
    """One day of the city."""

    day: date
    off: DayOff | None = None
    """The calendar's or the city's entry for the day; None: an ordinary day."""
    rounds: list[Round] = field(default_factory=list)
    """Rounds that exist, made by hand or by a rule."""
    coming: list[tuple[TimetableRule, Occurrence]] = field(default_factory=list)
    """Rounds that rules will make, or leave out because of a holiday or an override."""
    day_overrides: list[tuple[TimetableRule, DayOverride]] = field(default_factory=list)


def list_days(session: Session, first: date, last: date, user: User) -> Sequence[Day]:
    """Return every day from `first` to `last`, both included; an official sees only their own rounds."""
    found = [Day(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    by_day = {each.day: each for each in found}
    for day, off in days.list_off_days(session, first, last).items():
        by_day[day].off = off
    for day, made in _rounds(session, first, last, user).items():
        by_day[day].rounds = made
    for rule in timetable_rules.list_all(session):
        for occurrence in timetable_rules.list_readable_days(session, user, rule, first, last):
            of_day = by_day[occurrence.day]
            if occurrence.override:
                of_day.day_overrides.append((rule, occurrence.override))
            left_out = occurrence.holiday or (occurrence.override and occurrence.override.dropped)
            if occurrence.lacking or (rule.active and left_out and not occurrence.rounds):
                of_day.coming.append((rule, occurrence))
    return found


def _rounds(session: Session, first: date, last: date, user: User) -> dict[date, list[Round]]:
    begin, end = days.find_moment(first, time()), days.find_moment(last + timedelta(days=1), time())
    found = session.scalars(
        select(Round)
        .where(
            Round.is_operators_line.is_(False),
            Round.starts_at >= begin,
            Round.starts_at < end,
            round_permissions.where_readable(user),
        )
        .order_by(Round.starts_at, Round.id)
    )
    by_day = defaultdict(list)
    for round_ in found:
        by_day[days.find_local_day(round_.starts_at)].append(round_)
    return by_day
