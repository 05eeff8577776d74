"""Rules of the timetable: added, changed, stopped. hotline.timetable.round_making makes their rounds."""

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import DayOverride, Official, OfficialKind, Role, Round, TimetableOfficial, TimetableRule, User
from hotline import audit, control_characters, reasons
from hotline.errors import Refused
from hotline.rounds import officials, phases, planning
from hotline.timetable import days, round_making
from hotline.timetable.round_making import Occurrence


def add(
    session: Session,
    *,
    name: str,
    rrule: str,
    starts_on: date,
    starts_at: time,
    ends_at: time,
    officials: Sequence[Official],
    at_once: int = 1,
    announce_days: int = 7,
    registration_days: int = 1,
    capacity: int | None = None,
    minutes: int = 6,
    languages: Sequence[str] = planning.LANGUAGES,
    deputies: Sequence[Official] = (),
    recorded: bool = False,
    who: str = audit.COMMAND_LINE,
) -> TimetableRule:
    """Add a rule: days by RFC 5545 (`FREQ=WEEKLY;BYDAY=WE`), hours by the city's clock, officials in turn.

    Raises Refused("rule-days" | "rule-hours" | "rule-officials" | "rule-values" | "official-inactive").
    """
    days.check_rule(rrule, starts_on)
    rule = TimetableRule(
        name=name,
        rrule=rrule,
        starts_on=starts_on,
        starts_at=starts_at,
        ends_at=ends_at,
        at_once=at_once,
        announce_days=announce_days,
        registration_days=registration_days,
        capacity=capacity,
        minutes=minutes,
        languages=",".join(languages),
        deputies=list(deputies),
        recorded=recorded,
    )
    _check(rule, officials)
    _take_turns(session, rule, officials)
    session.add(rule)
    session.flush()
    audit.record(session, who, "rule-added", f"rule {rule.id}", name)
    events.append_timetable(session, "rule-added")
    return rule


def get(session: Session, rule_id: int) -> TimetableRule:
    """Return the rule. Raises Refused("not-found")."""
    rule = session.get(TimetableRule, rule_id)
    if rule is None:
        raise Refused("not-found", f"no rule {rule_id}")
    return rule


def list_all(session: Session) -> Sequence[TimetableRule]:
    """Return all rules, including stopped ones."""
    return session.scalars(select(TimetableRule).order_by(TimetableRule.id)).all()


def list_readable(session: Session, user: User) -> Sequence[TimetableRule]:
    """Return the rules that the person sees: an official only those they take part in, others all."""
    found = list_all(session)
    if user.role is not Role.OFFICIAL:
        return found
    return [rule for rule in found if user.official_id in _taking_part(rule)]


def list_readable_days(
    session: Session, user: User, rule: TimetableRule, first: date, last: date
) -> Sequence[Occurrence]:
    """Return the rule's days from `first` to `last` that the person sees; an official sees only their own
    rounds.
    """
    found = round_making.list_occurrences(session, rule, first, last)
    if user.role is not Role.OFFICIAL:
        return found
    return [own for own in (_own(user.official_id, rule, each) for each in found) if own]


def stop(session: Session, rule: TimetableRule, *, who: str, reason: str) -> None:
    """Stop a rule: it makes no more rounds, and those it made stay."""
    rule.active = False
    audit.record(session, who, "rule-stopped", f"rule {rule.id}", reason)
    events.append_timetable(session, "rule-stopped")


def change(
    session: Session,
    rule: TimetableRule,
    *,
    who: str,
    reason: str,
    officials: Sequence[Official] | None = None,
    **values: object,
) -> None:
    """Change columns of a rule, except its days, for the rounds that it makes from now on.

    With new `officials`, the next turn is the next old official who stays. Rounds already made stay
    (`list_outdated`). Raises Refused("reason-missing" | "wrong-state") and what `add` raises.
    """
    reason = reasons.check(reason)
    _hold(session, rule)
    if not rule.active:
        raise Refused("wrong-state", "a rule that was stopped stays so; add another")
    with session.no_autoflush:
        for column, value in values.items():
            setattr(rule, column, value)
        _check(rule, rule.officials if officials is None else officials)
        if officials is not None:
            _take_turns(session, rule, officials)
    session.flush()
    audit.record(session, who, "rule-changed", f"rule {rule.id}", reason)
    events.append_timetable(session, "rule-changed")


def list_outdated(session: Session, rule: TimetableRule) -> Sequence[Round]:
    """Return the rule's rounds that have not begun and differ from what the rule would make now."""
    at = now(session)
    of_rule = select(Round).where(Round.rule_id == rule.id, Round.ends_at > at).order_by(Round.starts_at)
    return [
        round_
        for round_ in session.scalars(of_rule)
        if phases.find_phase(round_, at) in planning.NOT_BEGUN and _differs(session, rule, round_)
    ]


def update_rounds(
    session: Session,
    rule: TimetableRule,
    round_ids: Sequence[int],
    *,
    who: str,
    reason: str,
    short_notice: bool = False,
) -> Sequence[Round]:
    """Change these rounds of the rule, which have not begun, to the rule's present values; the reason is
    public.

    Their officials stay, because a turn is fixed. Raises Refused("not-found") and what `planning.change`
    raises.
    """
    _hold(session, rule)
    held = round_making.hold_rounds(session, Round.rule_id == rule.id, Round.id.in_(round_ids))
    if len(held) != len(set(round_ids)):
        raise Refused("not-found", "not a round of this rule")
    for round_ in held:
        wanted = _as_ruled(session, rule, round_)
        planning.change(session, round_, who=who, reason=reason, short_notice=short_notice, **wanted)
    return held


def _taking_part(rule: TimetableRule) -> set[int]:
    """Return the ids of officials who take turns in the rule or sit beside."""
    return {turn.official_id for turn in rule.officials} | {deputy.id for deputy in rule.deputies}


def _own(mine: int | None, rule: TimetableRule, day: Occurrence) -> Occurrence | None:
    """Return the official's own share of a rule's day, or None."""
    made = [r for r in day.rounds if mine in {r.official_id, r.substitute_id, *(d.id for d in r.deputies)}]
    beside = {day.override.substitute_id if day.override else None, *(d.id for d in rule.deputies)}
    coming = [official for official in day.coming if mine == official.id or mine in beside]
    left_out = not day.rounds and not day.coming and mine in _taking_part(rule)
    if mine is None or not (made or coming or left_out):
        return None
    officials_ = [*(r.official for r in made), *coming]
    return day._replace(officials=officials_, rounds=made, lacking=len(coming))


def check_hours(starts_at: time, ends_at: time) -> None:
    """Check the hours; an end before the start is on the next day. Raises Refused("rule-hours")."""
    if starts_at == ends_at:
        raise Refused("rule-hours", "the end is another hour than the start")


def _check(rule: TimetableRule, in_turn: Sequence[object]) -> None:
    check_hours(rule.starts_at, rule.ends_at)
    control_characters.check(rule.name)
    if not rule.name.strip() or rule.announce_days < planning.NOTICE.days or rule.registration_days < 0:
        raise Refused("rule-values", "a name, notice at least a day ahead, registration not after the start")
    if rule.minutes < 1 or (rule.capacity is not None and rule.capacity < 1):
        raise Refused("rule-values", "capacity and minutes are at least 1")
    if not rule.languages or not set(rule.languages.split(",")) <= set(planning.LANGUAGES):
        raise Refused("rule-values", f"languages are some of {', '.join(planning.LANGUAGES)}")
    if not 1 <= rule.at_once <= len(in_turn):
        raise Refused("rule-officials", "at least one official, and as many as answer at once")


def _take_turns(session: Session, rule: TimetableRule, in_turn: Sequence[Official]) -> None:
    if any(official.kind is OfficialKind.OPERATORS for official in in_turn):
        raise Refused("rule-officials", "operators have their own line")
    ids = [official.id for official in in_turn]
    officials.check_active(session, ids)
    if rule.officials:
        turn, old = round_making.find_next_turn(session, rule), [o.official_id for o in rule.officials]
        first = (turn + rule.shift) % len(old)
        staying = (ids.index(each) for each in old[first:] + old[:first] if each in ids)
        rule.shift = (next(staying, 0) - turn) % len(ids)
    rule.officials[:] = [TimetableOfficial(position=i, official_id=id_) for i, id_ in enumerate(ids)]


def _differs(session: Session, rule: TimetableRule, round_: Round) -> bool:
    wanted = _as_ruled(session, rule, round_)
    wanted["deputies"] = set(wanted["deputies"])
    return any(
        (set(round_.deputies) if column == "deputies" else getattr(round_, column)) != value
        for column, value in wanted.items()
    )


def _as_ruled(session: Session, rule: TimetableRule, round_: Round) -> dict[str, Any]:
    override = session.get(DayOverride, (rule.id, round_.occurs_on))
    return {
        **round_making.find_moved_times(rule, round_, override, now(session)),
        "capacity": rule.capacity,
        "minutes": rule.minutes,
        "languages": rule.languages,
        "deputies": round_making.list_deputies(rule, round_.official),
        "recorded": rule.recorded,
    }


def _hold(session: Session, rule: TimetableRule) -> None:
    """Lock the rule and reload it, so that nobody makes rounds meanwhile."""
    session.refresh(rule, with_for_update=True)
