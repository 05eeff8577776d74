"""The report of a round against numbers computed by hand."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy.orm import Session

from db.models import Callback, Carry, Official, OfficialKind, Registration, Round, User
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.errors import Refused
from hotline.line import carry_over
from hotline.reports import round_reports
from hotline.reports.report_scope import By
from hotline.rounds import phases
from hotline.timetable import days
from tests.factories import HOUR, a_desk, a_number, a_quality, a_registration, a_round, a_ticket, a_user

MINUTE = timedelta(minutes=1)
S, O = RegistrationState, Outcome  # noqa: E741


@pytest.fixture
def user(session: Session) -> User:
    return a_user(session, a_desk(session))


@pytest.fixture
def over(session: Session) -> Round:
    """Opened at its start; ended after two hours."""
    round_ = a_round(session, Phase.OVER)
    round_.opened_at = round_.starts_at
    round_.ended_at = round_.starts_at + 2 * HOUR
    session.flush()
    return round_


def place(session: Session, round_: Round, waited: timedelta, **values: object) -> Registration:
    """Registered so long before the round's start."""
    return a_registration(session, round_, registered_at=round_.starts_at - waited, **values)


def call(
    session: Session,
    round_: Round,
    registration: Registration,
    user: User,
    outcome: Outcome,
    minute: float,
    talked: float | None = None,
) -> None:
    """Called in this minute of the round; spoken with for so many minutes, from that minute on."""
    began = round_.starts_at + minute * MINUTE
    session.add(
        Callback(
            registration_id=registration.id,
            round_id=round_.id,
            desk_id=user.desk_id,
            user_id=user.id,
            token=f"callback-{a_ticket()}",
            state=CallbackState.CLOSED,
            outcome=outcome,
            claimed_at=began,
            called_at=None if outcome is O.RETURNED else began,
            talking_at=began if talked else None,
            ended_at=began + (talked or 0) * MINUTE,
        )
    )
    session.flush()


def test_round_report_matches_the_computed_numbers(session: Session, over: Round, user: User) -> None:
    before, after = a_round(session, Phase.OVER), a_round(session, Phase.OPEN)
    for minute, waited in ((0, 10), (10, 20), (20, 30), (50, 100)):  # waits of 10, 30, 50, 150 minutes
        reached = place(session, over, waited * MINUTE, state=S.REACHED)
        call(session, over, reached, user, O.REACHED, minute, talked=10)
    call(session, over, place(session, over, HOUR, state=S.CLOSED), user, O.REFUSED, 65)
    wrong = place(session, over, HOUR, state=S.CLOSED)
    call(session, over, wrong, user, O.NO_ANSWER, 66)
    call(session, over, wrong, user, O.WRONG_NUMBER, 70)
    place(session, over, HOUR, state=S.CANCELLED)
    place(session, over, HOUR, state=S.CANCELLED, merged_into_id=wrong.id)
    place(session, over, HOUR, state=S.UNCONFIRMED)
    place(session, over, HOUR)
    handed_back = place(session, over, HOUR)
    call(session, over, handed_back, user, O.RETURNED, 75)

    came = place(session, over, HOUR, rounds_missed=1)
    session.add(
        Carry(registration_id=came.id, from_round_id=before.id, to_round_id=over.id, at=over.starts_at)
    )
    went = place(session, after, HOUR, rounds_missed=1, state=S.REACHED)
    session.add(Carry(registration_id=went.id, from_round_id=over.id, to_round_id=after.id, at=over.ends_at))
    call(session, over, went, user, O.BUSY, 80)
    call(session, after, went, user, O.REACHED, 0, talked=5)  # another round's: it counts there

    assert round_reports.build_report(session, over.id) == round_reports.RoundReport(
        round_id=over.id,
        registered=12,
        carried_in=1,
        reached=4,
        not_reached={
            "never_called": 3,
            "refused": 1,
            "wrong_number": 1,
            "busy": 1,
            "cancelled": 1,
            "merged": 1,
            "unconfirmed": 1,
        },
        carried_out=1,
        calls=8,
        conversations=4,
        median_seconds=40 * 60,
        p90_seconds=120 * 60,  # a tenth of three steps before the last: 50 + 0.7 * 100
        calls_per_hour=4.0,
        conversations_per_hour=2.0,
        idle_share=pytest.approx(20 / 60),
        mos=None,
        bad_share=None,
    )


def test_idle_time_counts_only_without_any_conversation(session: Session, over: Round, user: User) -> None:
    for minute, talked in ((0, 30), (10, 10), (20, 20), (50, 10)):
        call(session, over, place(session, over, HOUR, state=S.REACHED), user, O.REACHED, minute, talked)
    assert round_reports.build_report(session, over.id).idle_share == pytest.approx(10 / 60)


def test_sound_quality_averages_measured_conversations_only(
    session: Session, over: Round, user: User
) -> None:
    for minute in (0, 10, 20, 30):
        call(session, over, place(session, over, HOUR, state=S.REACHED), user, O.REACHED, minute, talked=5)
    ids = [callback.id for callback in session.query(Callback).order_by(Callback.id)]
    for id_, mos in zip(ids, (4.4, 3.1, 2.0), strict=False):
        session.add(a_quality(id_, mos, at=over.ends_at))
    session.flush()
    report = round_reports.build_report(session, over.id)
    assert (report.conversations, report.mos, report.bad_share) == (4, 3.17, pytest.approx(1 / 3))
    day = days.find_local_day(over.starts_at)
    whole = round_reports.report(session, By.OFFICIAL, day, day)
    assert [(row.mos, row.bad_share) for row in whole.rows] == [(report.mos, report.bad_share)]
    assert whole.total.mos == report.mos


def test_carry_over_changes_nothing_else_in_the_report(session: Session, over: Round, user: User) -> None:
    for outcome in (O.NO_ANSWER, O.CALL_AGAIN):
        call(session, over, place(session, over, HOUR), user, outcome, 5)
    place(session, over, HOUR, number=a_number())
    next_one = a_round(session, Phase.OPEN)
    before = round_reports.build_report(session, over.id)
    assert carry_over.carry_over(session) == 0  # another official's round
    next_one.official = over.official
    session.flush()
    assert carry_over.carry_over(session) == 3
    assert round_reports.build_report(session, over.id) == replace(before, carried_out=3)
    came = round_reports.build_report(session, next_one.id)
    assert (came.registered, came.carried_in, came.not_reached) == (0, 3, {"never_called": 3})


def test_unopened_round_reports_unknown_values_as_none(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    place(session, round_, HOUR)
    report = round_reports.build_report(session, round_.id)
    assert (report.registered, report.not_reached) == (1, {"never_called": 1})
    assert (report.median_seconds, report.p90_seconds, report.calls_per_hour, report.idle_share) == (
        None,
    ) * 4


def test_running_conversation_counts_until_now(session: Session, user: User) -> None:
    live = a_round(session)
    talking = place(session, live, HOUR, state=S.CALLING)
    call(session, live, talking, user, O.REACHED, 30, talked=5)
    callback = session.query(Callback).one()
    callback.state, callback.outcome, callback.ended_at = CallbackState.TALKING, None, None
    session.flush()
    report = round_reports.build_report(session, live.id)
    assert (report.not_reached, report.conversations, report.idle_share) == ({"calling": 1}, 1, 0)
    assert report.median_seconds is None


def test_unknown_round_is_refused(session: Session) -> None:
    with pytest.raises(Refused, match="not-found"):
        round_reports.build_report(session, 404)


# --- many rounds, over a span of days ---


def on(round_: Round, day: date, hour: int = 9) -> Round:
    """The round takes place on that day of the city's, for two hours, and is over."""
    start = days.find_moment(day, time(hour))
    round_.announce_at = round_.registration_from = start - 30 * HOUR
    round_.registration_until, round_.starts_at, round_.ends_at = start, start, start + 2 * HOUR
    round_.opened_at, round_.ended_at = start, round_.ends_at
    return round_


def a_district(session: Session, district: int) -> Official:
    official = Official(
        kind=OfficialKind.DISTRICT_MANAGER,
        district=district,
        office_fa=f"مدیر منطقهٔ {district}",
        office_en=f"Manager of District {district}",
        clip="office-mayor",
    )
    session.add(official)
    return official


FRIDAY, SATURDAY = date(2026, 5, 1), date(2026, 5, 2)


@pytest.fixture
def spring(session: Session, user: User) -> list[Round]:
    """Make two rounds of the mayor, one on a Friday, two of districts, and one after the span."""
    made = [a_round(session, Phase.OVER) for _ in range(5)]
    first, second, third, fourth, late = made
    second.official = first.official
    third.official, fourth.official = a_district(session, 3), a_district(session, 12)
    for round_, day in ((first, FRIDAY), (second, SATURDAY), (third, SATURDAY), (late, date(2026, 5, 9))):
        on(round_, day)
    on(fourth, date(2026, 5, 8), hour=12)
    session.flush()
    for round_, waits in ((first, (10, 20)), (second, (30, 60, 100)), (third, (240,)), (late, (5,))):
        for minute, waited in enumerate(waits):
            reached = place(
                session, round_, waited * MINUTE, state=S.REACHED, subject=waited // 10 % 3 or None
            )
            call(session, round_, reached, user, O.REACHED, 20 * minute, talked=10)
    for _ in range(2):
        call(session, third, place(session, third, HOUR, subject=1), user, O.NO_ANSWER, 40)
    went = place(session, fourth, HOUR, rounds_missed=1)
    call(session, second, went, user, O.BUSY, 80)
    session.add(
        Carry(registration_id=went.id, from_round_id=second.id, to_round_id=fourth.id, at=late.ends_at)
    )
    operators = phases.get_operators_line(session)
    for day, waited in ((FRIDAY, 1), (SATURDAY, 2), (date(2026, 4, 30), 3)):  # the last is before the span
        at = days.find_moment(day, time(16))
        spoken = a_registration(session, operators, registered_at=at - waited * MINUTE, state=S.REACHED)
        call(session, operators, spoken, user, O.REACHED, (at - operators.starts_at) / MINUTE, talked=10)
        later = a_registration(session, operators, registered_at=at, state=S.REACHED)
        call(session, operators, later, user, O.REACHED, (at - operators.starts_at) / MINUTE + 30, talked=10)
    return made


def told(session: Session, by: By, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of the report of nine days, row by row, the total last."""
    report = round_reports.report(session, by, FRIDAY, date(2026, 5, 8))
    return [tuple(getattr(row, column) for column in columns) for row in report.rows] + [
        ("total", *(getattr(report.total, column) for column in columns[1:]))
    ]


COUNTS = ("registered", "carried_in", "reached", "carried_out", "calls", "conversations")


def test_report_by_round_equals_each_round_report(session: Session, spring: list[Round]) -> None:
    first, second, third, fourth, _late = (round_.id for round_ in spring)
    operators = phases.get_operators_line(session).id
    assert told(session, By.ROUND, "round_id", *COUNTS) == [
        (first, 2, 0, 2, 0, 2, 2),
        (second, 4, 0, 3, 1, 4, 3),
        (third, 3, 0, 1, 0, 3, 1),
        (fourth, 0, 1, 0, 0, 0, 0),
        (operators, 4, 0, 4, 0, 4, 4),
        ("total", 13, 1, 10, 1, 13, 10),
    ]
    for row, of in zip(
        round_reports.report(session, By.ROUND, FRIDAY, date(2026, 5, 8)).rows[:4], spring, strict=False
    ):
        alone = round_reports.build_report(session, of.id)
        assert {name: getattr(row, name) for name in vars(alone)} == vars(alone)


def test_report_by_week_begins_on_saturday(session: Session, spring: list[Round]) -> None:
    assert told(session, By.WEEK, "week", *COUNTS) == [
        (date(2026, 4, 25), 4, 0, 4, 0, 4, 4),
        (SATURDAY, 9, 1, 6, 1, 9, 6),
        ("total", 13, 1, 10, 1, 13, 10),
    ]


def test_report_by_official_and_district_has_waits_and_rates(session: Session, spring: list[Round]) -> None:
    columns = ("median_seconds", "p90_seconds", "conversations_per_hour", "idle_share")
    first, _second, third, fourth, _late = spring
    mayor = (40 * 60, 116 * 60, 1.25, pytest.approx(1 - 50 / 80))  # 10, 30, 40, 80, 140 minutes; 4 hours
    operators = (16 * 60, 30 * 60, 3.0, 0.5)  # 1, 2, 30, 30 minutes; two days of 40 minutes
    assert told(session, By.OFFICIAL, "official_id", *columns)[:-1] == [
        (first.official_id, *mayor),
        (third.official_id, 240 * 60, 240 * 60, 0.5, 0.0),
        (fourth.official_id, None, None, 0.0, None),
        (phases.get_operators_line(session).official_id, *operators),
    ]
    by_district = told(session, By.DISTRICT, "district", "reached", "median_seconds")
    assert by_district[:2] == [(3, 1, 240 * 60), (12, 0, None)]
    assert by_district[2] == (None, 9, 30 * 60), "the mayor and the operators: of the whole city"


def test_report_by_subject_has_no_rate(session: Session, spring: list[Round]) -> None:
    told_ = told(
        session, By.SUBJECT, "subject", "registered", "reached", "conversations_per_hour", "idle_share"
    )
    assert told_[:-1] == [(1, 4, 2, None, None), (2, 1, 1, None, None), (None, 8, 7, None, None)]
    report = round_reports.report(session, By.SUBJECT, FRIDAY, date(2026, 5, 8))
    assert report.rows[0].not_reached == {"no_answer": 2}
    assert report.total.not_reached == {"no_answer": 2, "busy": 1, "never_called": 1}


def test_empty_span_reports_zero(session: Session) -> None:
    for by in By:
        report = round_reports.report(session, by, FRIDAY, SATURDAY)
        assert (report.rows, report.total.registered, report.total.idle_share) == ([], 0, None)


@pytest.mark.parametrize(("start", "until"), [(SATURDAY, FRIDAY), (date(2020, 1, 1), FRIDAY)])
def test_invalid_span_is_refused(session: Session, start: date, until: date) -> None:
    with pytest.raises(Refused, match="invalid-input"):
        round_reports.report(session, By.WEEK, start, until)
