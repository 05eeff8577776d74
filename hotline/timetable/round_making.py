"""The timetable: makes rounds of its rules (`timetable_rules`) ahead of time, with the officials in turn.

A turn is the number of a round that was made. So a day without a round uses no turn. A repeated or second
scheduler makes no round twice.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import (
    DayOverride,
    Official,
    Round,
    TimetableRule,
)
from db.trusted_time import trusted_now
from hotline.rounds import planning
from hotline.timetable import days

TIMETABLE = "timetable"
"""The audit log's name for the maker of a round."""

log = logging.getLogger("scheduler")


class Occurrence(NamedTuple):
    """One day of a rule, with its rounds made and still to be made."""

    day: date
    starts_at: datetime
    ends_at: datetime
    officials: Sequence[Official]
    """Officials of the rounds made, then those whose turn is expected."""
    rounds: Sequence[Round]
    lacking: int
    """How many rounds are still to be made."""
    holiday: str
    """The holiday's name if the city does not answer on that day."""
    override: DayOverride | None

    @property
    def coming(self) -> Sequence[Official]:
        """Return the officials expected in the rounds still to be made."""
        return self.officials[len(self.rounds) :]


def list_occurrences(session: Session, rule: TimetableRule, first: date, last: date) -> Sequence[Occurrence]:
    """Return the rule's days from `first` to `last`, both included, with made and expected rounds."""
    at = now(session)
    begin = min(first, days.find_local_day(at))  # expected turns depend on all days before
    closed = days.find_holidays(session, begin, last)
    day_overrides = {
        e.occurs_on: e
        for e in session.scalars(
            select(DayOverride).where(
                DayOverride.rule_id == rule.id, DayOverride.occurs_on.between(begin, last)
            )
        )
    }
    made = defaultdict(list)
    for round_ in session.scalars(
        select(Round)
        .where(Round.rule_id == rule.id, Round.occurs_on.between(begin, last))
        .order_by(Round.turn)
    ):
        made[round_.occurs_on].append(round_)
    turn = find_next_turn(session, rule)
    found = []
    for day in days.list_recurring(rule.rrule, rule.starts_on, begin, last):
        override, there, holiday = day_overrides.get(day), made[day], closed.get(day, "")
        starts_at, ends_at = find_hours(rule, day, override)
        if there:
            starts_at, ends_at = there[0].starts_at, there[0].ends_at
        is_off = holiday or (override and override.dropped)
        due = rule.active and not is_off and starts_at - at >= planning.NOTICE
        lacking = max(0, rule.at_once - len(there)) if due else 0
        coming = [_in_turn(session, rule, turn + i) for i in range(lacking)]
        turn += lacking
        found.append(
            Occurrence(
                day=day,
                starts_at=starts_at,
                ends_at=ends_at,
                officials=[*(r.official for r in there), *coming],
                rounds=there,
                lacking=lacking,
                holiday=holiday,
                override=override,
            )
        )
    return [occurrence for occurrence in found if occurrence.day >= first]


def list_lacking(session: Session, ahead_days: int) -> Sequence[tuple[int, date]]:
    """Return the rules and days, from today `ahead_days` ahead, that lack a round; `make_round` makes it."""
    today = days.find_local_day(trusted_now(session))
    active = session.scalars(
        select(TimetableRule).where(TimetableRule.active).order_by(TimetableRule.id)
    ).all()
    found: list[tuple[int, date]] = []
    for rule in active:
        try:
            days_ahead = list_occurrences(session, rule, today, today + timedelta(days=ahead_days))
        except (ValueError, IndexError, OverflowError):  # a rule older than today's checks
            log.exception("rule %d names no days", rule.id)
            continue
        found += [(rule.id, occurrence.day) for occurrence in days_ahead if occurrence.lacking]
    return found


def make_round(session: Session, rule_id: int, day: date) -> Round | None:
    """Make the next round that the rule's day lacks; return None if it lacks none.

    Call it once in a transaction. It takes the event log's lock, and another call would wait for rows while
    holding it. Raises what `planning.make` raises; then no turn is used.
    """
    # two schedulers must take different turns
    rule = session.get_one(TimetableRule, rule_id, with_for_update=True)
    (occurrence,) = list_occurrences(session, rule, day, day) or (None,)
    if occurrence is None or not occurrence.lacking:
        return None
    turn = find_next_turn(session, rule)
    official = _in_turn(session, rule, turn)
    starts_at, ends_at = find_hours(rule, day, occurrence.override)
    announce_at = max(starts_at - timedelta(days=rule.announce_days), now(session))
    return planning.make(
        session,
        official=official,
        substitute=find_substitute(session, occurrence.override, official),
        deputies=list_deputies(rule, official),
        announce_at=announce_at,
        registration_from=max(starts_at - timedelta(days=rule.registration_days), announce_at),
        registration_until=ends_at,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=rule.capacity,
        minutes=rule.minutes,
        languages=rule.languages.split(","),
        recorded=rule.recorded,
        who=TIMETABLE,
        rule_id=rule.id,
        occurs_on=day,
        turn=turn,
    )


def find_hours(rule: TimetableRule, day: date, override: DayOverride | None) -> tuple[datetime, datetime]:
    """Return when (UTC) the rule's rounds of that day begin and end; the end may be after midnight."""
    starts_at = (override and override.starts_at) or rule.starts_at
    ends_at = (override and override.ends_at) or rule.ends_at
    last = day if starts_at < ends_at else day + timedelta(days=1)
    return days.find_moment(day, starts_at), days.find_moment(last, ends_at)


def list_deputies(rule: TimetableRule, official: Official) -> list[Official]:
    """Return the deputies beside `official` in the rule's rounds."""
    return [deputy for deputy in rule.deputies if deputy.id != official.id]


def find_moved_times(
    rule: TimetableRule, round_: Round, override: DayOverride | None, at: datetime
) -> dict[str, datetime]:
    """Return the times of a made round by rule and override; registration that is open stays open."""
    assert round_.occurs_on  # noqa: S101 - of a rule
    starts_at, ends_at = find_hours(rule, round_.occurs_on, override)
    opens = max(starts_at - timedelta(days=rule.registration_days), round_.announce_at)
    if round_.registration_from <= at:
        opens = min(opens, round_.registration_from)
    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "registration_from": opens,
        "registration_until": ends_at,
    }


def find_substitute(session: Session, override: DayOverride | None, official: Official) -> Official | None:
    """Return the substitute for `official` on the day of the override, if there is one."""
    if override is None or override.substitute_id in (None, official.id):
        return None
    return session.get_one(Official, override.substitute_id)


def hold_rounds(session: Session, *which: ColumnElement[bool]) -> Sequence[Round]:
    """Lock and return these rounds and their officials, before any change takes the event log's lock."""
    # lock officials first, as `planning.change` does
    whose = [select(column).where(*which) for column in (Round.official_id, Round.substitute_id)]
    session.scalars(
        select(Official.id)
        .where(Official.id.in_(whose[0]) | Official.id.in_(whose[1]))
        .order_by(Official.id)
        .with_for_update()
    ).all()
    return session.scalars(
        select(Round).where(*which).order_by(Round.id).with_for_update(of=Round),
        execution_options={"populate_existing": True},
    ).all()


def find_next_turn(session: Session, rule: TimetableRule) -> int:
    """Return the number of the next round's turn."""
    last = session.scalar(select(func.max(Round.turn)).where(Round.rule_id == rule.id))
    return 0 if last is None else last + 1


def _in_turn(session: Session, rule: TimetableRule, turn: int) -> Official:
    return session.get_one(Official, rule.officials[(turn + rule.shift) % len(rule.officials)].official_id)
