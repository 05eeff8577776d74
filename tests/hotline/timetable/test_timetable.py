"""The timetable: rules make rounds in turn, once, on the city's days; what is different on one day."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import jdatetime
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from clerk import process
from db.engine import writing
from db.models import AuditEntry, Official, OfficialKind, Round, TimetableRule
from db.states import Phase, RegistrationState
from hotline.line import carry_over
from hotline.rounds import officials, planning, rounds
from hotline.timetable import day_overrides, days, timetable, timetable_rules
from ops import sample
from settings import CITY, Settings
from tests.factories import a_registration, an_official, at_once
from tests.kit.refusal import refusal

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEDNESDAYS = "FREQ=WEEKLY;BYDAY=WE"
DAILY = "FREQ=DAILY"

Clock = Callable[[datetime], datetime]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the timetable and the planning take this for the present moment."""

    def set_(at: datetime) -> datetime:
        for module in (timetable, planning, day_overrides):
            monkeypatch.setattr(module, "now", lambda _session: at)
        return at

    return set_


def noon(year: int, month: int, day: int) -> datetime:
    """Noon by the city's clock."""
    return days.moment(date(year, month, day), time(12))


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
    """What the clerk does every minute."""
    session.commit()
    process.make_rounds(session.get_bind(), settings.model_copy(update={"timetable_days": days_ahead}))


def made(session: Session) -> Sequence[Round]:
    in_order = select(Round).where(Round.rule_id.is_not(None)).order_by(Round.starts_at, Round.turn)
    found = session.scalars(in_order, execution_options={"populate_existing": True}).all()
    session.commit()  # no lock of the test's own stands in anybody's way
    return found


def days_of(found: Sequence[Round]) -> list[date | None]:
    return [r.occurs_on for r in found]


def test_given_fifteen_districts_when_twenty_weeks_are_made_then_each_wednesday_has_the_next_one(
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


def test_given_the_calendars_holidays_when_made_then_none_is_on_them_and_nobodys_turn_is_taken(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 3, 1))
    a_rule(session)
    extend(session, settings, 31)
    found = made(session)
    # 10 March is (by the library's reckoning) the end of Ramadan, 24 March the fourth day of Nowruz
    assert days_of(found) == [date(2027, 3, 3), date(2027, 3, 17), date(2027, 3, 31)]
    assert [r.turn for r in found] == [0, 1, 2]


def test_given_the_citys_own_list_when_made_then_it_wins_over_the_calendar(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 3, 1))
    rule = a_rule(session)
    day_overrides.add_holiday(session, date(2027, 3, 10), "عید فطر یک روز دیرتر است", works=True, who="pr")
    day_overrides.add_holiday(session, date(2027, 3, 17), "آلودگی هوا", who="pr")
    session.commit()
    extend(session, settings, 31)
    assert days_of(made(session)) == [date(2027, 3, 3), date(2027, 3, 10), date(2027, 3, 31)]
    preview = timetable.occurrences(session, rule, date(2027, 3, 1), date(2027, 3, 31))
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
def test_given_the_end_of_a_jalali_year_when_looked_at_then_no_day_is_lost_and_nowruz_is_closed(
    session: Session, year: int, last_day: int, nowruz: date
) -> None:
    assert jdatetime.date(year, 12, last_day).togregorian() == nowruz - DAY
    rule = a_rule(session, rrule=DAILY)
    found = timetable.occurrences(session, rule, nowruz - 2 * DAY, nowruz + 4 * DAY)
    assert [o.day for o in found] == [nowruz + i * DAY for i in range(-2, 5)]
    assert all(o.holiday for o in found if nowruz <= o.day < nowruz + 4 * DAY)
    assert "نوروز" in found[2].holiday


def test_given_a_leap_day_when_made_then_it_has_its_round(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2028, 2, 26))
    a_rule(session, rrule=DAILY)
    a_rule(session, rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", starts_on=date(2024, 1, 1))
    extend(session, settings, 4)  # the 28th is a holiday
    assert days_of(made(session)) == [date(2028, 2, 29), date(2028, 2, 29), date(2028, 3, 1)]


def test_given_hours_after_midnight_when_made_then_the_day_is_the_citys(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(datetime(2027, 2, 1, 20, 30, tzinfo=UTC))  # the city's 2 February begins
    rule = a_rule(session, rrule=DAILY, starts_at=time(0), ends_at=time(2))
    extend(session, settings, 2)
    found = made(session)
    assert days_of(found) == [date(2027, 2, 3), date(2027, 2, 4)]
    assert found[0].starts_at == datetime(2027, 2, 2, 20, 30, tzinfo=UTC)  # exactly a day ahead
    assert found[0].ends_at == datetime(2027, 2, 2, 22, 30, tzinfo=UTC)
    assert days.local_day(found[0].starts_at) == found[0].occurs_on
    assert days.local_day(found[0].starts_at - timedelta(microseconds=1)) == date(2027, 2, 2)
    (today,) = timetable.occurrences(session, rule, date(2027, 2, 2), date(2027, 2, 2))
    assert not today.rounds
    assert not today.lacking


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
def test_given_summer_time_until_2022_when_looked_at_then_the_hours_are_the_citys(
    session: Session, day: date, utc: time
) -> None:
    rule = a_rule(session)
    (found,) = timetable.occurrences(session, rule, day, day)
    assert found.starts_at == datetime.combine(day, utc, UTC)
    assert found.ends_at - found.starts_at == 3 * HOUR
    assert days.local_day(days.moment(day, time(23, 59))) == day == days.local_day(days.moment(day, time(1)))


def test_given_exceptions_when_made_then_a_dropped_day_takes_no_turn_and_the_others_are_different(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    stand_in = some_officials(session, 1)[0]
    said = {"who": "pr", "reason": "بازسازی ساختمان"}
    day_overrides.except_day(session, rule, date(2027, 5, 5), dropped=True, **said)
    day_overrides.except_day(session, rule, date(2027, 5, 12), starts_at=time(14), ends_at=time(16), **said)
    day_overrides.except_day(session, rule, date(2027, 5, 19), substitute=stand_in, **said)
    session.commit()
    extend(session, settings, 24)
    first, second, third = made(session)
    assert days_of([first, second, third]) == [date(2027, 5, day) for day in (12, 19, 26)]
    in_turn = [o.official_id for o in rule.officials]
    assert [r.official_id for r in (first, second, third)] == in_turn
    assert (first.starts_at, first.ends_at) == tuple(
        days.moment(date(2027, 5, 12), time(h)) for h in (14, 16)
    )
    assert [r.substitute_id for r in (first, second, third)] == [None, stand_in.id, None]


def test_given_made_rounds_when_their_day_becomes_different_then_they_are_changed_or_cancelled(
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
        day_overrides.except_day(own, mine, date(2027, 5, 5), dropped=True, **said)
        day_overrides.except_day(own, mine, date(2027, 5, 12), starts_at=time(7), **said)
        day_overrides.except_day(
            own, mine, date(2027, 5, 19), substitute=own.get_one(Official, stand_in.id), **said
        )
    extend(session, settings, 24)
    dropped, earlier, other, untouched = made(session)
    assert rounds.phase(dropped, at) is Phase.CANCELLED
    assert dropped.reason == earlier.reason == other.reason == said["reason"]
    assert earlier.starts_at == days.moment(date(2027, 5, 12), time(7))
    assert earlier.registration_from == earlier.starts_at - DAY
    assert earlier.ends_at == days.moment(date(2027, 5, 12), time(12))
    assert (other.substitute_id, other.starts_at) == (stand_in.id, days.moment(date(2027, 5, 19), time(9)))
    assert (untouched.reason, untouched.turn) == ("", 3)
    with writing(engine) as own:  # what is said last counts
        day_overrides.except_day(own, timetable_rules.get(own, rule.id), date(2027, 5, 12), **said)
    assert made(session)[1].starts_at == days.moment(date(2027, 5, 12), time(9))
    written = session.execute(
        select(AuditEntry.action, AuditEntry.who).where(AuditEntry.subject == f"rule {rule.id}, 2027-05-05")
    ).all()
    assert written == [("day-changed", "pr")]


def test_given_open_registration_when_the_round_moves_later_then_registration_stays_open(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    extend(session, settings, 10)
    at = clock(noon(2027, 5, 4))
    with writing(engine) as own:
        mine = timetable_rules.get(own, rule.id)
        later = {"starts_at": time(14), "ends_at": time(17), "who": "pr", "reason": "جلسهٔ شورا"}
        day_overrides.except_day(own, mine, date(2027, 5, 5), **later)
    round_ = made(session)[0]
    assert rounds.phase(round_, at) is Phase.OPEN
    assert round_.registration_until == round_.ends_at == days.moment(date(2027, 5, 5), time(17))


def test_given_less_than_a_day_when_changed_then_a_substitute_may_come_but_new_hours_must_be_meant(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    stand_in = some_officials(session, 1)[0]
    extend(session, settings, 10)
    clock(days.moment(date(2027, 5, 5), time(8, 30)))

    def change(**different: Any) -> None:
        with writing(engine) as own:
            mine = timetable_rules.get(own, rule.id)
            day_overrides.except_day(own, mine, date(2027, 5, 5), who="pr", reason="بیماری", **different)

    assert refusal(lambda: change(starts_at=time(10))) == "notice-too-short"
    assert made(session)[0].starts_at == days.moment(date(2027, 5, 5), time(9))
    change(substitute=stand_in)
    assert made(session)[0].substitute_id == stand_in.id
    change(starts_at=time(10), short_notice=True)
    assert made(session)[0].starts_at == days.moment(date(2027, 5, 5), time(10))


def test_given_wrong_changes_of_a_day_when_said_then_each_is_refused_with_its_code(
    session: Session, settings: Settings, clock: Clock
) -> None:
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
            refusal(lambda day=day, said=said: day_overrides.except_day(session, rule, day, **said)) == code
        )
        session.rollback()
    for round_ in made(session):
        round_.opened_at = round_.starts_at
    session.commit()
    clock(days.moment(wednesday, time(10)))
    begun = {"dropped": True, "who": "pr", "reason": "تعمیر"}
    assert refusal(lambda: day_overrides.except_day(session, rule, wednesday, **begun)) == "wrong-state"


def test_given_made_rounds_when_made_again_then_nothing_changes(
    session: Session, settings: Settings, clock: Clock
) -> None:
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


def test_given_clerks_at_the_same_moment_when_they_extend_then_each_round_is_made_once(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rules = [a_rule(session, 5, at_once=2), a_rule(session)]
    at_once(4, lambda _: process.make_rounds(engine, settings))
    for rule, a_day in zip(rules, (2, 1), strict=True):
        own = [r for r in made(session) if r.rule_id == rule.id]
        assert [r.turn for r in own] == list(range(4 * a_day))
        assert len({r.occurs_on for r in own}) == 4


@pytest.mark.parametrize("fatal", [1, 2, 4])
def test_given_a_clerk_that_dies_in_between_when_the_next_one_comes_then_the_rest_is_made(
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


def test_given_an_official_who_is_busy_when_made_then_the_others_are_and_that_day_once_it_is_free(
    session: Session, settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    at = clock(noon(2027, 5, 3))
    mayor, deputy, manager = some_officials(session, 3)
    starts_at = days.moment(date(2027, 5, 5), time(11))
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


def test_given_made_rounds_when_their_day_becomes_a_holiday_then_who_waits_is_carried(
    engine: Engine, session: Session, settings: Settings
) -> None:
    for day in range(12):  # whatever the calendar says of the days after this test runs
        day_overrides.add_holiday(
            session, days.local_day(datetime.now(UTC)) + day * DAY, "کار", works=True, who="pr"
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
        assert carry_over.run(own) == 1
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


def test_given_a_planner_who_is_closing_a_day_when_a_clerk_comes_then_it_waits_and_makes_no_round_on_it(
    engine: Engine, session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    closed = date(2027, 5, 12)
    a_rule(session, rrule="FREQ=WEEKLY;COUNT=1", starts_on=closed)
    with ThreadPoolExecutor() as threads:
        with writing(engine) as planner:
            day_overrides.add_holiday(planner, closed, "آلودگی هوا", who="pr")
            clerk = threads.submit(process.make_rounds, engine, settings)
            assert not wait([clerk], timeout=0.5).done
        clerk.result()
    assert made(session) == []


def test_given_a_round_that_has_begun_when_its_day_becomes_a_holiday_then_it_goes_on(
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


def test_given_a_preview_when_the_rounds_are_made_then_they_are_what_it_said(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session, 5, at_once=2)
    day_overrides.except_day(session, rule, date(2027, 5, 12), dropped=True, who="pr", reason="تعمیر")
    session.commit()
    extend(session, settings, 3)
    until = date(2027, 6, 20)
    foreseen = timetable.occurrences(session, rule, date(2027, 5, 19), until)
    assert foreseen[0].day == date(2027, 5, 19)
    assert [o.lacking for o in foreseen] == [2, 2, 2, 2, 0]
    assert foreseen[-1].holiday  # Ashura
    extend(session, settings, (until - date(2027, 5, 3)).days)
    as_made = timetable.occurrences(session, rule, date(2027, 5, 19), until)
    assert [(o.day, o.starts_at, [f.id for f in o.officials]) for o in as_made] == [
        (o.day, o.starts_at, [f.id for f in o.officials]) for o in foreseen
    ]
    assert [len(o.rounds) for o in as_made] == [2, 2, 2, 2, 0]
    dropped = timetable.occurrences(session, rule, date(2027, 5, 12), date(2027, 5, 12))[0]
    assert dropped.exception
    assert not dropped.officials


def test_given_a_rule_that_is_stopped_when_extended_then_its_rounds_stay_and_no_more_are_made(
    session: Session, settings: Settings, clock: Clock
) -> None:
    clock(noon(2027, 5, 3))
    rule = a_rule(session)
    extend(session, settings, 10)
    timetable_rules.stop(session, timetable_rules.get(session, rule.id), who="pr", reason="تابستان")
    session.commit()
    extend(session, settings, 30)
    assert [r.cancelled_at for r in made(session)] == [None, None]
    assert [r.active for r in timetable_rules.everyone(session)] == [False]
    assert refusal(lambda: timetable_rules.get(session, 99)) == "not-found"


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
def test_given_a_wrong_rule_when_added_then_it_is_refused_with_its_code(
    session: Session, code: str, values: dict[str, Any]
) -> None:
    assert refusal(lambda: a_rule(session, **values)) == code


def test_given_the_operators_when_put_into_a_rule_then_it_is_refused(session: Session) -> None:
    operators = rounds.standing_line(session).official
    assert operators.kind is OfficialKind.OPERATORS
    assert refusal(lambda: a_rule(session, [operators])) == "rule-officials"


@pytest.mark.parametrize("rrule", ["FREQ=MONTHLY;BYDAY=1WE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,WE;COUNT=9"])
def test_given_other_rules_of_the_standard_when_added_then_they_are_taken(
    session: Session, rrule: str
) -> None:
    rule = a_rule(session, rrule=rrule, starts_on=date(2027, 5, 1))
    found = timetable.occurrences(session, rule, date(2027, 5, 1), date(2027, 12, 31))
    assert len(found) in (8, 9)
    assert {o.day.weekday() for o in found} <= {2, 5}


def test_given_the_sample_city_when_extended_then_the_districts_answer_on_wednesdays_in_turn(
    session: Session, settings: Settings
) -> None:
    sample.fill(session)
    a_rule(session, [o for o in officials.everyone(session) if o.district])
    extend(session, settings, 56)
    found = made(session)
    assert len(found) >= 4
    assert [r.official.district for r in found] == list(range(1, len(found) + 1))
    assert all(r.starts_at.astimezone(CITY).strftime("%a %H") == "Wed 09" for r in found)
