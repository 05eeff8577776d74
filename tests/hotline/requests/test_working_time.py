"""Working time: until when something is due, by the city's week, its hours and its holidays."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Category, Holiday, Request, TimeUnit
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.requests import filing, work
from hotline.requests.working_time import Span, find_due, find_due_by_calendar
from settings import WorkingHours, WorkingWeek
from tests.factories import WEEK, a_department, a_request
from tests.hotline.requests.office import DAY

H, D = TimeUnit.HOURS, TimeUnit.DAYS
SATURDAY = date(2026, 11, 28)
WEDNESDAY = SATURDAY + 4 * DAY
THURSDAY, NEXT_SATURDAY, NEXT_SUNDAY = (SATURDAY + n * DAY for n in (5, 7, 8))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), CITY)


@pytest.mark.parametrize(
    ("said", "span", "expected"),
    [
        (at(SATURDAY, 9), Span(2, H), at(SATURDAY, 11)),
        (at(SATURDAY, 9), Span(7, H), at(SATURDAY + DAY, 9)),
        (at(SATURDAY, 7, 30), Span(7, H), at(SATURDAY, 14, 30)),  # the last moment of the day, not the first
        (at(SATURDAY, 5), Span(1, H), at(SATURDAY, 8, 30)),
        (at(WEDNESDAY, 14), Span(1, H), at(NEXT_SATURDAY, 8)),
        (at(THURSDAY, 10), Span(1, H), at(NEXT_SATURDAY, 8, 30)),
        (at(SATURDAY, 9), Span(1, D), at(SATURDAY + DAY, 14, 30)),
        (at(WEDNESDAY, 9), Span(1, D), at(NEXT_SATURDAY, 14, 30)),
        (at(WEDNESDAY, 15), Span(1, D), at(NEXT_SUNDAY, 14, 30)),  # as if said when Saturday begins
        (at(THURSDAY, 10), Span(1, D), at(NEXT_SUNDAY, 14, 30)),
    ],
)
def test_promise_counts_working_time_only(said: datetime, span: Span, expected: datetime) -> None:
    assert find_due(said, span, WEEK, lambda _: False) == expected


moments = st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1)).map(lambda each: each.replace(tzinfo=CITY))
spans = st.builds(Span, st.integers(1, 80), st.sampled_from(TimeUnit))
hours = (
    st.tuples(st.times(), st.times())
    .map(sorted)
    .filter(lambda both: both[1] > time(both[0].hour, 59, 59))
    .map(lambda both: WorkingHours(both[0].replace(second=0, microsecond=0), both[1]))
)
weeks = st.builds(WorkingWeek, st.frozensets(st.integers(0, 6), min_size=1), hours)
closings = st.frozensets(st.integers(0, 210), max_size=60)


@given(moments, spans, weeks, closings)
def test_due_time_is_a_later_working_moment(
    said: datetime, span: Span, week: WorkingWeek, which: frozenset[int]
) -> None:
    found = find_due(said, span, week, lambda day: day.toordinal() % 211 in which)
    local = found.astimezone(CITY)
    assert found > said
    assert local.weekday() in week.days and local.date().toordinal() % 211 not in which
    assert week.hours.begin < local.time() <= week.hours.end
    assert local.utcoffset() == timedelta(hours=3, minutes=30), "there is no summer time any more"


@given(moments, st.timedeltas(timedelta(), timedelta(days=40)), spans, weeks, closings)
def test_longer_promise_is_never_due_sooner(
    said: datetime, later: timedelta, span: Span, week: WorkingWeek, which: frozenset[int]
) -> None:
    def closed(day: date) -> bool:
        return day.toordinal() % 211 in which

    first = find_due(said, span, week, closed)
    assert find_due(said + later, span, week, closed) >= first
    assert find_due(said, span._replace(amount=span.amount + 1), week, closed) > first
    holiday = first.astimezone(CITY).date()
    assert find_due(said, span, week, lambda day: closed(day) or day == holiday) > first


@given(moments, st.integers(1, 40), st.integers(1, 40), weeks)
def test_span_in_two_parts_is_due_as_in_one(said: datetime, one: int, other: int, week: WorkingWeek) -> None:
    def open_(_day: date) -> bool:
        return False

    half = find_due(said, Span(one, H), week, open_)
    assert find_due(half, Span(other, H), week, open_) == find_due(said, Span(one + other, H), week, open_)


def test_own_holiday_overrides_the_calendar(
    session: Session,
) -> None:
    nowruz = date(2027, 3, 21)  # Sunday; the calendar closes the Saturday before, and until Wednesday
    eve = at(nowruz - 4 * DAY, 9)
    closed_until = find_due_by_calendar(session, eve, Span(1, D), WEEK)
    assert closed_until.astimezone(CITY).date() > nowruz + 3 * DAY
    session.add(Holiday(day=nowruz, name="روز کاری", works=True))
    session.flush()
    assert find_due_by_calendar(session, eve, Span(1, D), WEEK) == at(nowruz, 14, 30)
    session.add(Holiday(day=date(2027, 6, 20), name="آلودگی هوا", works=False))
    session.flush()
    assert find_due_by_calendar(session, at(date(2027, 6, 19), 9), Span(1, D), WEEK) == at(
        date(2027, 6, 21), 14, 30
    )


def reported(session: Session) -> Request:
    return filing.write(
        session, number=None, category=2, district=1, written="چراغ", language="fa", week=WEEK, who="u"
    )


def test_reported_due_dates_stay_and_apply_to_referrals(
    session: Session,
) -> None:
    request = reported(session)
    promised = request.answer_by, request.solve_by
    assert promised == tuple(find_due_by_calendar(session, request.made_at, Span(n, D), WEEK) for n in (2, 3))
    session.get_one(Category, 2).solve_in = 99
    work.refer(session, request, a_department(session), who="u")
    assert (request.answer_by, request.solve_by, request.due_at) == (*promised, promised[1])
    assert request.answered_at is None
    work.tell(session, request, who="u", reply="در دست بررسی است")
    answered_at = request.answered_at
    assert answered_at is not None
    work.reply(session, request, who="u", reply="ترمیم شد")
    assert request.answered_at == answered_at


def test_referral_without_a_date_asks_for_one_when_overdue(
    session: Session,
) -> None:
    for request in (a_request(session), a_request(session, solve_by=now(session) - DAY)):
        with pytest.raises(Refused) as refused:
            work.refer(session, request, a_department(session), who="u")
        assert refused.value.code == "due-date"
