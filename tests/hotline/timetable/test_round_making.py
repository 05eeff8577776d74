"""The timetable: rules make rounds in turn, once, on the city's days."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import jdatetime
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Round
from hotline.rounds import officials, planning
from hotline.timetable import day_overrides, days, round_making, timetable_rules
from ops import sample
from scheduler import jobs
from settings import CITY, Settings
from tests.factories import at_once
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
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal


def test_fifteen_districts_take_wednesdays_in_turn(
    session: Session, settings: Settings, clock: Clock
) -> None:
    at = clock(noon(2025, 4, 8))  # a Tuesday
    rule = a_rule(session, 15)
    extend(session, settings, 20 * 7)
    found = made(session)
    wednesdays = [date(2025, 4, 9) + week * 7 * DAY for week in range(20)]
    closed = date(2025, 6, 4)  # 14 Khordad
    assert days_of(found) == [d for d in wednesdays[1:] if d != closed]  # the first is nearer than a day
    in_turn = [o.official_id for o in rule.officials]
    assert [r.turn for r in found] == list(range(18))
    assert [r.official_id for r in found] == [*in_turn, *in_turn[:3]]
    for round_ in found:
        assert round_.starts_at == datetime.combine(round_.occurs_on or at, time(5, 30), UTC)
        assert (round_.ends_at, round_.registration_until) == (round_.starts_at + 3 * HOUR,) * 2
        assert round_.announce_at == max(at, round_.starts_at - 7 * DAY)
        assert round_.registration_from == round_.starts_at - DAY


def test_holidays_are_skipped_and_take_no_turn(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2027, 3, 1))
    a_rule(session)
    extend(session, settings, 31)
    found = made(session)
    # 10 March is (by the library's reckoning) the end of Ramadan, 24 March the fourth day of Nowruz
    assert days_of(found) == [date(2027, 3, 3), date(2027, 3, 17), date(2027, 3, 31)]
    assert [r.turn for r in found] == [0, 1, 2]


def test_own_holiday_list_outranks_the_calendar(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2027, 3, 1))
    rule = a_rule(session)
    day_overrides.add_holiday(session, date(2027, 3, 10), "عید فطر یک روز دیرتر است", works=True, who="pr")
    day_overrides.add_holiday(session, date(2027, 3, 17), "آلودگی هوا", who="pr")
    session.commit()
    extend(session, settings, 31)
    assert days_of(made(session)) == [date(2027, 3, 3), date(2027, 3, 10), date(2027, 3, 31)]
    preview = round_making.list_occurrences(session, rule, date(2027, 3, 1), date(2027, 3, 31))
    assert [o.holiday for o in preview] == ["", "", "آلودگی هوا", "عیدنوروز", ""]
    day_overrides.remove_holiday(session, date(2027, 3, 17), who="pr")
    session.commit()
    extend(session, settings, 31)
    assert date(2027, 3, 17) in days_of(made(session))
    assert refusal(lambda: day_overrides.remove_holiday(session, date(2027, 3, 17), who="pr")) == "not-found"


@pytest.mark.parametrize(
    ("year", "last_day", "nowruz"),
    [
        (1403, 30, date(2025, 3, 21)),  # leap
        (1404, 29, date(2026, 3, 21)),
        (1407, 29, date(2029, 3, 20)),
        (1408, 30, date(2030, 3, 21)),  # leap, the fifth year after the last
    ],
)
def test_end_of_a_jalali_year_loses_no_day(session: Session, year: int, last_day: int, nowruz: date) -> None:
    assert jdatetime.date(year, 12, last_day).togregorian() == nowruz - DAY
    rule = a_rule(session, rrule=DAILY)
    found = round_making.list_occurrences(session, rule, nowruz - 2 * DAY, nowruz + 4 * DAY)
    assert [o.day for o in found] == [nowruz + i * DAY for i in range(-2, 5)]
    assert all(o.holiday for o in found if nowruz <= o.day < nowruz + 4 * DAY)
    assert "نوروز" in found[2].holiday


def test_leap_day_has_its_round(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2028, 2, 26))
    a_rule(session, rrule=DAILY)
    a_rule(session, rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", starts_on=date(2024, 1, 1))
    extend(session, settings, 4)  # the 28th is a holiday
    assert days_of(made(session)) == [date(2028, 2, 29), date(2028, 2, 29), date(2028, 3, 1)]


def test_hours_after_midnight_use_the_citys_day(session: Session, settings: Settings, clock: Clock) -> None:
    clock(datetime(2027, 2, 1, 20, 30, tzinfo=UTC))  # the city's 2 February begins
    rule = a_rule(session, rrule=DAILY, starts_at=time(0), ends_at=time(2))
    extend(session, settings, 2)
    found = made(session)
    assert days_of(found) == [date(2027, 2, 3), date(2027, 2, 4)]
    assert found[0].starts_at == datetime(2027, 2, 2, 20, 30, tzinfo=UTC)  # exactly a day ahead
    assert found[0].ends_at == datetime(2027, 2, 2, 22, 30, tzinfo=UTC)
    assert days.find_local_day(found[0].starts_at) == found[0].occurs_on
    assert days.find_local_day(found[0].starts_at - timedelta(microseconds=1)) == date(2027, 2, 2)
    (today,) = round_making.list_occurrences(session, rule, date(2027, 2, 2), date(2027, 2, 2))
    assert not today.rounds
    assert not today.lacking


@pytest.mark.parametrize(("until", "hours"), [(time(1), 3), (time(0), 2)])
def test_hours_past_midnight_end_on_the_next_day(
    session: Session, settings: Settings, clock: Clock, until: time, hours: int
) -> None:
    clock(noon(2027, 2, 1))
    rule = a_rule(session, 2, rrule=DAILY, starts_at=time(22), ends_at=until)
    extend(session, settings, 4)
    first, second, *_ = made(session)
    assert days_of([first, second]) == [date(2027, 2, 2), date(2027, 2, 3)]
    assert first.starts_at == datetime(2027, 2, 2, 18, 30, tzinfo=UTC)
    assert (first.ends_at, first.registration_until) == (first.starts_at + hours * HOUR,) * 2
    assert not timetable_rules.list_outdated(session, rule)
    day_overrides.override_day(
        session, rule, date(2027, 2, 3), who="pr", reason="x", starts_at=time(23), ends_at=time(2)
    )
    assert (second.starts_at, second.ends_at) == (
        first.starts_at + DAY + HOUR,
        first.starts_at + DAY + 4 * HOUR,
    )


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2021, 3, 17), time(5, 30)),
        (date(2021, 3, 31), time(4, 30)),  # summer time, until 2022
        (date(2021, 9, 15), time(4, 30)),
        (date(2021, 9, 22), time(5, 30)),
        (date(2026, 7, 1), time(5, 30)),  # no more
    ],
)
def test_summer_time_until_2022_keeps_local_hours(session: Session, day: date, utc: time) -> None:
    rule = a_rule(session)
    (found,) = round_making.list_occurrences(session, rule, day, day)
    assert found.starts_at == datetime.combine(day, utc, UTC)
    assert found.ends_at - found.starts_at == 3 * HOUR
    assert (
        days.find_local_day(days.find_moment(day, time(23, 59)))
        == day
        == days.find_local_day(days.find_moment(day, time(1)))
    )


def test_second_extension_changes_nothing(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2027, 5, 3))
    a_rule(session, 4, at_once=2)
    extend(session, settings)
    first = [(r.id, r.turn, r.occurs_on) for r in made(session)]
    assert len(first) == 8
    extend(session, settings)
    assert [(r.id, r.turn, r.occurs_on) for r in made(session)] == first
    extend(session, settings, 35)
    assert [(r.id, r.turn, r.occurs_on) for r in made(session)][:8] == first
    assert [r.turn for r in made(session)] == list(range(10))


@in_both
def test_simultaneous_schedulers_make_each_round_once(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rules = [a_rule(session, 5, at_once=2), a_rule(session)]
    at_once(4, lambda _: jobs.make_rounds(engine, settings))
    for rule, a_day in zip(rules, (2, 1), strict=True):
        own = [r for r in made(session) if r.rule_id == rule.id]
        assert [r.turn for r in own] == list(range(4 * a_day))
        assert len({r.occurs_on for r in own}) == 4


@pytest.mark.parametrize("fatal", [1, 2, 4])
def test_next_scheduler_completes_an_interrupted_extension(
    session: Session,
    settings: Settings,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    fatal: int,
) -> None:
    clock(noon(2027, 5, 3))
    a_rule(session)
    make, calls = planning.make, []

    def make_then_die(*args: Any, **values: Any) -> Round:
        round_ = make(*args, **values)
        calls.append(round_)
        if len(calls) == fatal:
            raise KeyboardInterrupt
        return round_

    with monkeypatch.context() as patch:
        patch.setattr(planning, "make", make_then_die)
        with pytest.raises(KeyboardInterrupt):
            extend(session, settings)
    assert [r.turn for r in made(session)] == list(range(fatal - 1))
    extend(session, settings)
    found = made(session)
    assert [r.turn for r in found] == [0, 1, 2, 3]
    assert days_of(found) == [date(2027, 5, 5) + week * 7 * DAY for week in range(4)]


def test_busy_official_delays_that_day_alone(
    session: Session, settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    at = clock(noon(2027, 5, 3))
    mayor, deputy, manager = some_officials(session, 3)
    starts_at = days.find_moment(date(2027, 5, 5), time(11))
    by_hand = planning.make(
        session,
        official=mayor,
        registration_from=at,
        registration_until=starts_at,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
    )
    a_rule(session, [mayor, deputy])
    other = a_rule(session, [manager])
    extend(session, settings, 10)
    assert [(r.occurs_on, r.official_id) for r in made(session) if r.rule_id != other.id] == [
        (date(2027, 5, 12), mayor.id)  # the turn is still the mayor's
    ]
    assert len([r for r in made(session) if r.rule_id == other.id]) == 2
    assert [r.getMessage() for r in caplog.records if "official-busy" in r.getMessage()] == [
        "timetable: rule 1 makes no round on 2027-05-05: "
        f"official-busy: the official answers in round {by_hand.id} at that time"
    ]
    extend(session, settings, 10)
    assert [(r.occurs_on, r.official_id) for r in made(session) if r.rule_id != other.id] == [
        (date(2027, 5, 5), deputy.id),
        (date(2027, 5, 12), mayor.id),
    ]


def test_preview_matches_the_made_rounds(session: Session, settings: Settings, clock: Clock) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session, 5, at_once=2)
    day_overrides.override_day(session, rule, date(2027, 5, 12), dropped=True, who="pr", reason="تعمیر")
    session.commit()
    extend(session, settings, 3)
    until = date(2027, 6, 20)
    foreseen = round_making.list_occurrences(session, rule, date(2027, 5, 19), until)
    assert foreseen[0].day == date(2027, 5, 19)
    assert [o.lacking for o in foreseen] == [2, 2, 2, 2, 0]
    assert foreseen[-1].holiday  # Ashura
    extend(session, settings, (until - date(2027, 5, 3)).days)
    as_made = round_making.list_occurrences(session, rule, date(2027, 5, 19), until)
    assert [(o.day, o.starts_at, [f.id for f in o.officials]) for o in as_made] == [
        (o.day, o.starts_at, [f.id for f in o.officials]) for o in foreseen
    ]
    assert [len(o.rounds) for o in as_made] == [2, 2, 2, 2, 0]
    dropped = round_making.list_occurrences(session, rule, date(2027, 5, 12), date(2027, 5, 12))[0]
    assert dropped.override
    assert not dropped.officials


def test_stopped_rule_keeps_its_rounds_and_makes_no_more(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    extend(session, settings, 10)
    timetable_rules.stop(session, timetable_rules.get(session, rule.id), who="pr", reason="تابستان")
    session.commit()
    extend(session, settings, 30)
    assert [r.cancelled_at for r in made(session)] == [None, None]
    assert [r.active for r in timetable_rules.list_all(session)] == [False]
    assert refusal(lambda: timetable_rules.get(session, 99)) == "not-found"


def test_sample_city_takes_districts_in_turn(session: Session, settings: Settings) -> None:
    sample.fill(session)
    a_rule(session, [o for o in officials.list_all(session) if o.district])
    extend(session, settings, 56)
    found = made(session)
    assert len(found) >= 4
    assert [r.official.district for r in found] == list(range(1, len(found) + 1))
    assert all(r.starts_at.astimezone(CITY).strftime("%a %H") == "Wed 09" for r in found)
