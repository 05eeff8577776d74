"""Overrides of one day of a timetable, before its rounds are made and after."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import AuditEntry, Official
from db.states import Phase, RegistrationState
from hotline.line import carry_over
from hotline.rounds import phases
from hotline.timetable import day_overrides, days, timetable_rules
from scheduler import jobs
from settings import Settings
from tests.factories import a_registration
from tests.hotline.timetable.making import (
    DAILY,
    DAY,
    HOUR,
    Clock,
    a_rule,
    days_of,
    extend,
    made,
    noon,
    some_officials,
)
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal


def test_dropped_day_takes_no_turn_and_overrides_apply(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    stand_in = some_officials(session, 1)[0]
    said = {"who": "pr", "reason": "بازسازی ساختمان"}
    day_overrides.override_day(session, rule, date(2027, 5, 5), dropped=True, **said)
    day_overrides.override_day(session, rule, date(2027, 5, 12), starts_at=time(14), ends_at=time(16), **said)
    day_overrides.override_day(session, rule, date(2027, 5, 19), substitute=stand_in, **said)
    session.commit()
    extend(session, settings, 24)
    first, second, third = made(session)
    assert days_of([first, second, third]) == [date(2027, 5, day) for day in (12, 19, 26)]
    in_turn = [o.official_id for o in rule.officials]
    assert [r.official_id for r in (first, second, third)] == in_turn
    assert (first.starts_at, first.ends_at) == tuple(
        days.find_moment(date(2027, 5, 12), time(h)) for h in (14, 16)
    )
    assert [r.substitute_id for r in (first, second, third)] == [None, stand_in.id, None]


def test_override_changes_or_cancels_made_rounds(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    at = clock(noon(2027, 5, 3))
    rule = a_rule(session)
    stand_in = some_officials(session, 1)[0]
    session.commit()
    extend(session, settings, 24)
    said = {"who": "pr", "reason": "بازسازی ساختمان"}
    with writing(engine) as own:
        mine = timetable_rules.get(own, rule.id)
        day_overrides.override_day(own, mine, date(2027, 5, 5), dropped=True, **said)
        day_overrides.override_day(own, mine, date(2027, 5, 12), starts_at=time(7), **said)
        day_overrides.override_day(
            own, mine, date(2027, 5, 19), substitute=own.get_one(Official, stand_in.id), **said
        )
    extend(session, settings, 24)
    dropped, earlier, other, untouched = made(session)
    assert phases.find_phase(dropped, at) is Phase.CANCELLED
    assert dropped.reason == earlier.reason == other.reason == said["reason"]
    assert earlier.starts_at == days.find_moment(date(2027, 5, 12), time(7))
    assert earlier.registration_from == earlier.starts_at - DAY
    assert earlier.ends_at == days.find_moment(date(2027, 5, 12), time(12))
    assert (other.substitute_id, other.starts_at) == (
        stand_in.id,
        days.find_moment(date(2027, 5, 19), time(9)),
    )
    assert (untouched.reason, untouched.turn) == ("", 3)
    with writing(engine) as own:  # what is said last counts
        day_overrides.override_day(own, timetable_rules.get(own, rule.id), date(2027, 5, 12), **said)
    assert made(session)[1].starts_at == days.find_moment(date(2027, 5, 12), time(9))
    written = session.execute(
        select(AuditEntry.action, AuditEntry.who).where(AuditEntry.subject == f"rule {rule.id}, 2027-05-05")
    ).all()
    assert written == [("day-changed", "pr")]


def test_later_round_keeps_registration_open(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    extend(session, settings, 10)
    at = clock(noon(2027, 5, 4))
    with writing(engine) as own:
        mine = timetable_rules.get(own, rule.id)
        later = {"starts_at": time(14), "ends_at": time(17), "who": "pr", "reason": "جلسهٔ شورا"}
        day_overrides.override_day(own, mine, date(2027, 5, 5), **later)
    round_ = made(session)[0]
    assert phases.find_phase(round_, at) is Phase.OPEN
    assert round_.registration_until == round_.ends_at == days.find_moment(date(2027, 5, 5), time(17))


def test_change_within_a_day_allows_a_substitute_only(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    stand_in = some_officials(session, 1)[0]
    extend(session, settings, 10)
    clock(days.find_moment(date(2027, 5, 5), time(8, 30)))

    def change(**different: Any) -> None:
        with writing(engine) as own:
            mine = timetable_rules.get(own, rule.id)
            day_overrides.override_day(own, mine, date(2027, 5, 5), who="pr", reason="بیماری", **different)

    assert refusal(lambda: change(starts_at=time(10))) == "notice-too-short"
    assert made(session)[0].starts_at == days.find_moment(date(2027, 5, 5), time(9))
    change(substitute=stand_in)
    assert made(session)[0].substitute_id == stand_in.id
    change(starts_at=time(10), short_notice=True)
    assert made(session)[0].starts_at == days.find_moment(date(2027, 5, 5), time(10))


def test_wrong_override_is_refused_with_its_code(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session, 3, at_once=2)
    extend(session, settings, 3)
    wednesday = date(2027, 5, 5)
    for code, day, different in [
        ("reason-missing", wednesday, {"reason": " "}),
        ("wrong-state", wednesday - 7 * DAY, {}),
        ("not-an-occurrence", wednesday + DAY, {}),
        ("rule-hours", wednesday, {"starts_at": time(12)}),
        ("substitute-for-several", wednesday, {"substitute": session.get_one(Official, 1)}),
    ]:
        said = {"who": "pr", "reason": "تعمیر", **different}
        assert (
            refusal(lambda day=day, said=said: day_overrides.override_day(session, rule, day, **said)) == code
        )
        session.rollback()
    for round_ in made(session):
        round_.opened_at = round_.starts_at
    session.commit()
    clock(days.find_moment(wednesday, time(10)))
    begun = {"dropped": True, "who": "pr", "reason": "تعمیر"}
    assert refusal(lambda: day_overrides.override_day(session, rule, wednesday, **begun)) == "wrong-state"


def test_holiday_on_a_made_round_carries_its_places(
    engine: Engine, session: Session, settings: Settings
) -> None:
    for day in range(12):  # whatever the calendar says of the days after this test runs
        day_overrides.add_holiday(
            session, days.find_local_day(datetime.now(UTC)) + day * DAY, "کار", works=True, who="pr"
        )
    a_rule(session, 1, rrule=DAILY)
    extend(session, settings, 10)
    before, closed, after, *_ = made(session)
    waiting = a_registration(session, closed)
    session.commit()
    assert closed.occurs_on
    with writing(engine) as own:
        cancelled = day_overrides.add_holiday(own, closed.occurs_on, "آلودگی هوا", who="pr")
    assert cancelled == [closed.id]
    extend(session, settings, 10)
    with writing(engine) as own:
        assert carry_over.carry_over(own) == 1
    found = made(session)
    assert [r.cancelled_at is not None for r in found] == [False, True, *[False] * (len(found) - 2)]
    assert found[1].reason == "آلودگی هوا"
    session.refresh(waiting)
    assert (waiting.round_id, waiting.state) == (after.id, RegistrationState.WAITING)
    assert [r.id for r in found[:3]] == [before.id, closed.id, after.id]
    actions = select(AuditEntry.action).where(AuditEntry.who == "pr", AuditEntry.reason == "آلودگی هوا")
    assert session.scalars(actions.order_by(AuditEntry.id)).all() == ["holiday-added", "round-cancelled"]
    assert refusal(lambda: day_overrides.add_holiday(session, closed.occurs_on or DAY, "", who="pr")) == (
        "reason-missing"
    )


def test_scheduler_waits_for_a_holiday_being_added(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    closed = date(2027, 5, 12)
    a_rule(session, rrule="FREQ=WEEKLY;COUNT=1", starts_on=closed)
    with ThreadPoolExecutor() as threads:
        with writing(engine) as planner:
            day_overrides.add_holiday(planner, closed, "آلودگی هوا", who="pr")
            scheduler = threads.submit(jobs.make_rounds, engine, settings)
            assert not wait([scheduler], timeout=0.5).done
        scheduler.result()
    assert made(session) == []


def test_started_round_survives_its_holiday(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    a_rule(session)
    extend(session, settings, 3)
    (round_,) = made(session)
    round_.opened_at = round_.starts_at
    session.commit()
    clock(round_.starts_at + HOUR)
    with writing(engine) as own:
        assert day_overrides.add_holiday(own, date(2027, 5, 5), "آلودگی هوا", who="pr") == []
    assert made(session)[0].cancelled_at is None
