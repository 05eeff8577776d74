"""The rules of a timetable: which are taken, and that who is next stays next when one is changed."""

from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import AuditEntry, OfficialKind, OutboxKind, OutboxMessage, Role, TimetableRule, User
from hotline.rounds import officials, phases
from hotline.timetable import calendar, days, round_making, timetable_rules
from settings import Settings
from tests.factories import a_registration
from tests.hotline.timetable.making import DAY, Clock, a_rule, extend, made, noon, some_officials
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal
from tests.kit.shifted_clock import replace_now


@pytest.fixture
def at_noon(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Tuesday in April; the first Wednesday ahead is the 16th."""
    at = clock(noon(2025, 4, 8))
    replace_now(monkeypatch, lambda: at, timetable_rules, officials)


def next_ones(session: Session, rule: TimetableRule, weeks: int) -> list[int]:
    first = date(2025, 4, 16)
    found = round_making.list_occurrences(session, rule, first, first + weeks * 7 * DAY)
    return [official.id for occurrence in found for official in occurrence.coming]


def changed(session: Session, rule: TimetableRule, **values: Any) -> None:
    timetable_rules.change(session, rule, who="pr", reason="تابستان", **values)
    session.commit()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((0, 1, 2, 3), (2, 3, 0, 1)),  # nothing new
        ((3, 2, 1, 0), (2, 1, 0, 3)),  # the other way round, from who is next
        ((0, 1, 3), (3, 0, 1)),  # who was next is gone: the one after
        ((2,), (2, 2)),
        ((4, 2), (2, 4, 2)),  # somebody new
        ((4, 5), (4, 5)),  # all new: from the beginning
    ],
)
def test_changed_officials_keep_the_next_in_turn(
    session: Session, settings: Settings, at_noon: None, order: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    people = some_officials(session, 6)
    rule = a_rule(session, people[:4])
    extend(session, settings, 16)  # the 16th and the 23rd
    assert [r.official_id for r in made(session)] == [people[0].id, people[1].id]
    changed(session, rule, officials=[people[n] for n in order])
    coming = next_ones(session, rule, 7)
    assert coming[: len(expected)] == [people[n].id for n in expected]


def test_changed_rule_applies_to_new_and_chosen_rounds(
    session: Session, settings: Settings, at_noon: None
) -> None:
    rule = a_rule(session, 2)
    extend(session, settings, 16)
    first, second = made(session)
    deputy = some_officials(session, 1)
    changed(
        session,
        rule,
        starts_at=time(10),
        ends_at=time(13),
        minutes=5,
        languages="fa",
        deputies=deputy,
        recorded=True,
    )
    extend(session, settings, 23)
    *old, new = made(session)
    assert [r.starts_at for r in old] == [
        days.find_moment(day, time(9)) for day in (first.occurs_on, second.occurs_on) if day
    ]
    assert (new.starts_at.hour, new.minutes, new.languages, new.recorded) == (6, 5, "fa", True)
    assert list(new.deputies) == deputy
    assert timetable_rules.list_outdated(session, rule) == [first, second]

    timetable_rules.update_rounds(session, rule, [second.id], who="pr", reason="ساعت تازه")
    session.commit()
    assert timetable_rules.list_outdated(session, rule) == [first]
    assert (second.starts_at, second.minutes, second.reason) == (new.starts_at - 7 * DAY, 5, "ساعت تازه")
    assert second.official_id != new.official_id  # the turns stay
    assert (
        refusal(lambda: timetable_rules.update_rounds(session, rule, [99], who="pr", reason="x"))
        == "not-found"
    )
    log = session.scalars(select(AuditEntry.action).where(AuditEntry.who == "pr")).all()
    assert log == ["rule-changed", "round-changed"]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("rule-hours", {"ends_at": time(9)}),
        ("rule-values", {"name": " "}),
        ("rule-values", {"minutes": 0}),
        ("rule-values", {"capacity": 0}),
        ("rule-values", {"announce_days": 0}),
        ("rule-values", {"languages": "de"}),
        ("rule-officials", {"at_once": 3}),
        ("rule-officials", {"officials": []}),
        ("reason-missing", {"reason": " "}),
    ],
)
def test_wrong_change_leaves_the_rule_unchanged(
    session: Session, at_noon: None, code: str, values: dict[str, Any]
) -> None:
    rule = a_rule(session, 2)
    assert (
        refusal(lambda: timetable_rules.change(session, rule, **{"who": "pr", "reason": "x", **values}))
        == code
    )
    session.rollback()
    session.refresh(rule)
    assert (rule.name, rule.minutes, rule.at_once, len(rule.officials)) == ("چهارشنبه‌ها", 6, 1, 2)


def test_stopped_rule_cannot_be_changed(session: Session, at_noon: None) -> None:
    rule = a_rule(session)
    timetable_rules.stop(session, rule, who="pr", reason="پایان")
    assert (
        refusal(lambda: timetable_rules.change(session, rule, who="pr", reason="x", minutes=5))
        == "wrong-state"
    )


def test_planned_official_stays_active_and_inactive_is_refused(
    session: Session, settings: Settings, at_noon: None
) -> None:
    first, second, third = some_officials(session, 3)
    rule = a_rule(session, [first, second])
    extend(session, settings, 9)  # one round, of the first
    off = {"who": "pr", "active": False}
    assert refusal(lambda: officials.change(session, second, **off)) == "official-planned"
    changed(session, rule, officials=[third])
    officials.change(session, second, **off)
    assert refusal(lambda: officials.change(session, first, **off)) == "official-planned"  # the round
    session.commit()
    in_turn = [third, second]
    assert refusal(
        lambda: timetable_rules.change(session, rule, who="pr", reason="x", officials=in_turn)
    ) == ("official-inactive")
    session.rollback()
    (round_,) = made(session)
    assert phases.find_speaker(round_) is first


def test_changed_hours_notify_each_citizen_per_change(
    session: Session, settings: Settings, at_noon: None
) -> None:
    rule = a_rule(session, 1, announce_days=14)  # so that its notice is out
    extend(session, settings, 9)
    (round_,) = made(session)
    mobile = a_registration(session, round_)
    a_registration(session, round_, number="+983132212345")  # no text message reaches it
    told = (
        select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.ROUND_CHANGED).order_by(OutboxMessage.id)
    )
    for start in (time(10), time(11)):
        changed(session, rule, starts_at=start)
        timetable_rules.update_rounds(session, rule, [round_.id], who="pr", reason="ساعت تازه")
        session.commit()
    changed(session, rule, minutes=4)
    timetable_rules.update_rounds(session, rule, [round_.id], who="pr", reason="کوتاه‌تر")
    session.commit()
    assert [m.registration_id for m in session.scalars(told)] == [mobile.id] * 2


def test_month_shows_rules_rounds_and_holidays(session: Session, settings: Settings, at_noon: None) -> None:
    rule = a_rule(session, 1)
    extend(session, settings, 9)
    (round_,) = made(session)
    found = {
        day.day: day
        for day in calendar.list_days(session, date(2025, 4, 1), date(2025, 6, 30), User(role=Role.AUDITOR))
    }
    assert len(found) == 91
    assert found[date(2025, 4, 16)].rounds == [round_] and not found[date(2025, 4, 16)].coming
    ((of, occurrence),) = found[date(2025, 4, 23)].coming
    assert (of, occurrence.lacking) == (rule, 1)
    closed = found[date(2025, 6, 4)]
    assert closed.off and closed.off.in_calendar and closed.off.name_en == "Death of Imam Khomeini"
    assert [o.lacking for _, o in closed.coming] == [0]
    assert not found[date(2025, 4, 9)].coming  # nearer than a day
    assert found[date(2025, 4, 17)] == calendar.Day(date(2025, 4, 17))


def test_official_sees_own_rounds_only(session: Session, settings: Settings, at_noon: None) -> None:
    rule = a_rule(session, 2)
    extend(session, settings, 16)
    first, second = made(session)
    span = (date(2025, 4, 1), date(2025, 5, 10))
    for round_, other in ((first, second), (second, first)):
        user = User(role=Role.OFFICIAL, official_id=round_.official_id)
        found = calendar.list_days(session, *span, user)
        assert [r for day in found for r in day.rounds] == [round_]
        coming = [o for day in found for _, o in day.coming if o.lacking]
        assert coming and {o.id for each in coming for o in each.coming} == {round_.official_id}
        assert other.official_id != round_.official_id
        assert timetable_rules.list_readable(session, user) == [rule]
    stranger = User(role=Role.OFFICIAL, official_id=None)
    assert not any(day.rounds or day.coming for day in calendar.list_days(session, *span, stranger))
    assert timetable_rules.list_readable(session, stranger) == []


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("rule-days", {"rrule": "each Wednesday"}),
        ("rule-days", {"rrule": "FREQ=HOURLY"}),
        ("rule-days", {"rrule": "FREQ=DAILY;BYHOUR=1,2"}),
        ("rule-days", {"rrule": "FREQ=WEEKLY;BYDAY=XX"}),
        ("rule-days", {"rrule": "FREQ=WEEKLY\nDTSTART:20200101T000000"}),
        ("rule-days", {"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}),  # half a minute of looking
        ("rule-days", {"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}),
        ("rule-days", {"rrule": "FREQ=DAILY;UNTIL=20190101"}),
        ("rule-hours", {"starts_at": time(12)}),
        ("rule-officials", {"in_turn": []}),
        ("rule-officials", {"at_once": 4}),
        ("rule-officials", {"at_once": 0}),
        ("rule-values", {"name": " "}),
        ("rule-values", {"announce_days": 0}),
        ("rule-values", {"registration_days": -1}),
        ("rule-values", {"capacity": 0}),
        ("rule-values", {"minutes": 0}),
    ],
)
def test_wrong_rule_is_refused_with_its_code(session: Session, code: str, values: dict[str, Any]) -> None:
    assert refusal(lambda: a_rule(session, **values)) == code


def test_operators_cannot_join_a_rule(session: Session) -> None:
    operators = phases.get_operators_line(session).official
    assert operators.kind is OfficialKind.OPERATORS
    assert refusal(lambda: a_rule(session, [operators])) == "rule-officials"


@pytest.mark.parametrize("rrule", ["FREQ=MONTHLY;BYDAY=1WE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,WE;COUNT=9"])
def test_other_recurrence_rules_are_accepted(session: Session, rrule: str) -> None:
    rule = a_rule(session, rrule=rrule, starts_on=date(2027, 5, 1))
    found = round_making.list_occurrences(session, rule, date(2027, 5, 1), date(2027, 12, 31))
    assert len(found) in (8, 9)
    assert {o.day.weekday() for o in found} <= {2, 5}
