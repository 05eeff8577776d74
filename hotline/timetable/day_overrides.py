"""Exceptions from the timetable: one day of a rule, or a holiday, also after rounds were made.

Rounds that have begun are not changed: their official and people decide about them.
"""

from collections.abc import Sequence
from datetime import date, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import DayOverride, Holiday, Official, Round, TimetableRule
from hotline import audit, control_characters
from hotline.errors import Refused
from hotline.rounds import phases, planning
from hotline.timetable import days, round_making, timetable_rules


def override_day(
    session: Session,
    rule: TimetableRule,
    day: date,
    *,
    who: str,
    reason: str,
    dropped: bool = False,
    starts_at: time | None = None,
    ends_at: time | None = None,
    substitute: Official | None = None,
    short_notice: bool = False,
) -> None:
    """Set what is different on one day of the rule, replacing an earlier override; the reason is public.

    No round (`dropped`), other hours, or a substitute for the official. A round that was already made is
    changed or cancelled. `short_notice` permits new hours less than a day ahead.

    Raises Refused("reason-missing" | "not-an-occurrence" | "rule-hours" | "substitute-for-several" |
    "wrong-state") and what `planning.change` raises.
    """
    if not reason.strip():
        raise Refused("reason-missing", "say why; citizens read it")
    _hold_rules(session, rule.id)
    if day < days.find_local_day(now(session)):
        raise Refused("wrong-state", "the day is past")
    if not days.list_recurring(rule.rrule, rule.starts_on, day, day):
        raise Refused("not-an-occurrence", f"{day} is not a day of rule {rule.id}")
    timetable_rules.check_hours(starts_at or rule.starts_at, ends_at or rule.ends_at)
    if substitute and rule.at_once > 1:
        raise Refused("substitute-for-several", "several answer on that day: change the one round")
    override = session.merge(
        DayOverride(
            rule_id=rule.id,
            occurs_on=day,
            dropped=dropped,
            starts_at=starts_at,
            ends_at=ends_at,
            substitute_id=substitute.id if substitute else None,
            reason=reason,
        )
    )
    audit.record(session, who, "day-changed", f"rule {rule.id}, {day}", reason)
    made = _hold_rounds(session, day, rule)
    waiting = [r for r in made if phases.find_phase(r, now(session)) in planning.NOT_BEGUN]
    if made and not waiting:
        raise Refused("wrong-state", "the day's round has begun, is over or was cancelled")
    for round_ in waiting:
        if dropped:
            planning.cancel(session, round_, who=who, reason=reason)
        else:
            _adapt(session, rule, round_, override, who=who, short_notice=short_notice)
    events.append_timetable(session, "day-changed")


def add_holiday(session: Session, day: date, name: str, *, works: bool = False, who: str) -> Sequence[int]:
    """Add the city's own entry for a day: closed, or (`works`) open in spite of the calendar. Return
    cancelled rounds.

    A closed day cancels the timetable's rounds that have not begun, with the day's name as reason. Their
    registrations move to the next rounds (hotline.line.carry_over).

    Raises Refused("reason-missing" | "unfit-characters").
    """
    control_characters.check(name)
    if not name.strip():
        raise Refused("reason-missing", "name the day; citizens read it")
    _hold_rules(session)
    session.merge(Holiday(day=day, works=works, name=name))
    audit.record(session, who, "working-day-added" if works else "holiday-added", str(day), name)
    at = now(session)
    held = [] if works else _hold_rounds(session, day)
    cancelled = [r for r in held if phases.find_phase(r, at) in planning.NOT_BEGUN]
    for round_ in cancelled:
        planning.cancel(session, round_, who=who, reason=name)
    events.append_timetable(session, "holiday")
    return [round_.id for round_ in cancelled]


def remove_holiday(session: Session, day: date, *, who: str) -> None:
    """Remove the city's entry for a day; rounds that it cancelled stay cancelled.

    Raises Refused("not-found").
    """
    holiday = session.get(Holiday, day)
    if holiday is None:
        raise Refused("not-found", f"the city's list says nothing of {day}")
    session.delete(holiday)
    audit.record(session, who, "holiday-removed", str(day), holiday.name)
    events.append_timetable(session, "holiday")


def _adapt(
    session: Session,
    rule: TimetableRule,
    round_: Round,
    override: DayOverride,
    *,
    who: str,
    short_notice: bool,
) -> None:
    times = round_making.find_moved_times(rule, round_, override, now(session))
    substitute = round_making.find_substitute(session, override, round_.official)
    same_hours = (times["starts_at"], times["ends_at"]) == (round_.starts_at, round_.ends_at)
    if same_hours and substitute is round_.substitute:
        return
    planning.change(
        session,
        round_,
        who=who,
        reason=override.reason,
        short_notice=short_notice,
        substitute=substitute,
        **times,
    )


def _hold_rules(session: Session, rule_id: int | None = None) -> None:
    """Lock the rules, so that nobody makes rounds without knowing of the change."""
    which = select(TimetableRule.id).order_by(TimetableRule.id)
    session.scalars((which.where(TimetableRule.id == rule_id) if rule_id else which).with_for_update()).all()


def _hold_rounds(session: Session, day: date, rule: TimetableRule | None = None) -> Sequence[Round]:
    """Lock and return the timetable's rounds of a day."""
    of_rule = Round.rule_id == rule.id if rule else Round.rule_id.is_not(None)
    return round_making.hold_rounds(session, Round.occurs_on == day, of_rule)
