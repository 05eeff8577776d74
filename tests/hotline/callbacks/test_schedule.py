"""When a citizen is called again: by reason, growing, never at night, to their own place."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Round
from db.states import FREE_OF_CHARGE, CallbackState, Outcome, RegistrationState
from hotline.callbacks import claims, closing, schedule
from hotline.callbacks.schedule import Line
from hotline.clock import CITY, is_quiet
from hotline.errors import Refused
from hotline.rounds import phases
from settings import QuietHours, Settings, load
from tests.factories import SECOND, a_registration, a_round, some_registrations

O = Outcome  # noqa: E741
MINUTE = timedelta(minutes=1)
NEVER, NIGHT = QuietHours(time(0), time(0)), QuietHours(time(22), time(8))
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=CITY)


def rules(quiet: QuietHours = NEVER, seconds: int = 600) -> Settings:
    return Settings.model_construct(retry_seconds=seconds, quiet_hours=quiet, max_attempts=3)


def wait(outcome: Outcome, attempts: int = 1) -> timedelta | None:
    until = schedule.find_not_before(outcome, attempts, NOON, rules())
    return until - NOON if until else None


# --- by reason ---


@pytest.mark.parametrize(
    ("outcome", "minutes"),
    [
        (O.BUSY, 5),  # soon free
        (O.CALL_AGAIN, 5),
        (O.NO_ANSWER, 10),
        (O.NOT_CONFIRMED, 10),
        (O.REJECTED, 10),
        (O.HUNG_UP, 10),
        (O.UNREACHABLE, 20),  # last
    ],
)
def test_each_outcome_has_its_retry_delay(outcome: Outcome, minutes: int) -> None:
    assert wait(outcome) == minutes * MINUTE


@pytest.mark.parametrize("outcome", [O.REACHED, O.REFUSED, O.WRONG_NUMBER, O.RETURNED, O.FAILED])
def test_final_outcome_has_no_retry(
    outcome: Outcome,
) -> None:
    assert wait(outcome) is None


# --- growing ---


@pytest.mark.parametrize("outcome", [O.BUSY, O.NO_ANSWER, O.UNREACHABLE, O.REJECTED])
def test_each_attempt_doubles_the_delay(outcome: Outcome) -> None:
    waits = [wait(outcome, attempts) for attempts in (1, 2, 3, 4)]
    assert all(waits)
    assert waits == [waits[0] * 2**n for n in range(4)]  # type: ignore[operator]


@pytest.mark.parametrize("outcome", [O.FAILED, O.CALL_AGAIN])
def test_blameless_outcome_keeps_its_delay(outcome: Outcome) -> None:
    assert {wait(outcome, attempts) for attempts in (0, 1, 2, 3)} == {wait(outcome)}


# --- never at night ---


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        ("2026-11-24 12:00", "2026-11-24 12:10"),
        ("2026-11-24 21:49", "2026-11-24 21:59"),
        ("2026-11-24 21:50", "2026-11-25 08:00"),  # it would be 22:00 sharp
        ("2026-11-24 21:59", "2026-11-25 08:00"),
        ("2026-11-24 23:55", "2026-11-25 08:00"),  # it would be past midnight
        ("2026-11-25 03:00", "2026-11-25 08:00"),
        ("2026-11-25 07:49", "2026-11-25 08:00"),
        ("2026-11-25 07:50", "2026-11-25 08:00"),
        ("2026-11-25 07:51", "2026-11-25 08:01"),
        # Where clocks were changed until 2022, nothing is changed any more: Tehran is 3:30 ahead all year.
        ("2026-03-21 23:30", "2026-03-22 08:00"),
        ("2026-09-21 23:30", "2026-09-22 08:00"),
    ],
)
def test_retry_near_the_night_waits_for_the_morning(ended: str, due: str) -> None:
    at = datetime.fromisoformat(ended).replace(tzinfo=CITY).astimezone(UTC)
    until = schedule.find_not_before(O.NO_ANSWER, 1, at, rules(NIGHT))
    assert until is not None
    assert until.utcoffset() == timedelta(0)
    assert until.astimezone(CITY).strftime("%Y-%m-%d %H:%M") == due
    assert until.astimezone(CITY).utcoffset() == timedelta(hours=3, minutes=30)


_TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(_MOMENTS, st.builds(QuietHours, _TIMES, _TIMES), st.sampled_from(O), st.integers(0, 6))
def test_no_retry_is_due_at_night_or_too_early(
    at: datetime, quiet: QuietHours, outcome: Outcome, attempts: int
) -> None:
    until = schedule.find_not_before(outcome, attempts, at, rules(quiet))
    by_day = schedule.find_not_before(outcome, attempts, at, rules())
    assert (until is None) == (by_day is None)
    if until is not None and by_day is not None:
        assert not is_quiet(until, quiet)
        assert by_day <= until < by_day + timedelta(days=1)


@given(_MOMENTS, st.integers(-3600, 200_000))
def test_later_moment_of_a_cap_counts_outside_the_night(at: datetime, seconds: int) -> None:
    capped = at + timedelta(seconds=seconds)
    until = schedule.find_not_before(O.FAILED, 0, at, rules(NIGHT), capped)
    if capped <= at:
        assert until is None
        return
    assert until is not None
    assert until >= capped
    assert not is_quiet(until, NIGHT)


@pytest.mark.parametrize(
    ("in_a_row", "picked_up", "line", "seconds"),
    [
        (1, False, Line.FLOWS, 0),
        (2, False, Line.FLOWS, 5),  # is it the trunk, or this number? the next one's call shows
        (3, False, Line.FLOWS, 60),
        (1, False, Line.FAILS, 5),
        (3, False, Line.FAILS, 60),
        (1, False, Line.TRIES_OTHERS, 120),  # so long for all the others
        (2, False, Line.TRIES_OTHERS, 120),
        (4, False, Line.TRIES_OTHERS, 360),
        (99, False, Line.TRIES_OTHERS, 1200),
        (1, False, Line.DOWN, 0),
        (9, False, Line.DOWN, 0),  # the head of the line is the probe
        (10, False, Line.DOWN, 60),  # but no number that cannot be called stops the others for good
        (11, False, Line.DOWN, 0),
        (1, True, Line.FLOWS, 5),  # is it this one's call alone? the next one's shows
        (2, True, Line.FLOWS, 600),  # heard two apologies
        (2, True, Line.DOWN, 600),
    ],
)
def test_repeated_own_fault_passes_over_only_who_blocks_others(
    in_a_row: int, picked_up: bool, line: Line, seconds: int
) -> None:
    rest = schedule.find_pause_after_faults(in_a_row, rules(), picked_up=picked_up, line=line)
    assert rest == timedelta(seconds=seconds)


# --- a limit per round, at their own place ---


def calls(session: Session, round_id: int, settings: Settings, outcome: Outcome) -> Callback | None:
    """The next citizen is called, with this outcome."""
    callback = claims.call_ahead(session, phases.get(session, round_id))
    if callback:
        closing.close(session, callback.token, outcome, settings)
    return callback


def test_unanswered_citizen_is_called_a_limited_number_of_times(session: Session, settings: Settings) -> None:
    round_ = a_round(session)
    place = a_registration(session, round_)
    for attempt in range(1, settings.max_attempts + 1):
        assert calls(session, round_.id, settings, O.NO_ANSWER) is not None
        session.refresh(place)
        assert place.attempts == attempt
        assert calls(session, round_.id, settings, O.NO_ANSWER) is None, "not before the wait is over"
        place.not_before = now(session) - SECOND
        session.flush()
    assert place.state is RegistrationState.UNREACHED
    assert calls(session, round_.id, settings, O.NO_ANSWER) is None


def test_due_retry_is_taken_at_its_own_place(session: Session, settings: Settings) -> None:
    round_ = a_round(session)
    first, second, third = some_registrations(session, round_, 3)
    one = calls(session, round_.id, settings, O.BUSY)
    assert one is not None and one.registration_id == first.id
    two = calls(session, round_.id, settings, O.REACHED)
    assert two is not None and two.registration_id == second.id, "the wait is not over"
    first.not_before = now(session) - SECOND
    session.flush()
    again = calls(session, round_.id, settings, O.REACHED)
    assert again is not None and again.registration_id == first.id, "before the third, who never waited"
    assert third.state is RegistrationState.WAITING
    session.refresh(first)
    assert (first.state, again.state) == (RegistrationState.REACHED, CallbackState.CLOSED)


@pytest.mark.parametrize("outcome", sorted(FREE_OF_CHARGE))
def test_repeated_own_fault_costs_no_attempt(session: Session, settings: Settings, outcome: Outcome) -> None:
    round_ = a_round(session)
    place = a_registration(session, round_)
    for _ in range(settings.max_attempts + 2):
        assert calls(session, round_.id, settings, outcome) is not None
        place.not_before = now(session) - SECOND
        session.flush()
    session.refresh(place)
    assert (place.state, place.attempts) == (RegistrationState.WAITING, 0)


def test_default_quiet_hours_are_ten_to_eight(
    own_environment: None,
) -> None:
    settings = load(_env_file=None)
    assert settings.quiet_hours == NIGHT


# --- at the citizen's wish ---


@pytest.mark.parametrize(
    ("wish", "due"),
    [
        (NOON + 10 * MINUTE, NOON + 10 * MINUTE),
        (NOON - 10 * MINUTE, NOON),  # a slow hand
        (NOON + 300 * MINUTE, NOON + 300 * MINUTE),
        (NOON + 360 * MINUTE, NOON + 480 * MINUTE),  # after the end: out of this round's overtime, too
    ],
)
def test_wish_is_fulfilled_within_its_round_or_after_it(wish: datetime, due: datetime) -> None:
    round_ = Round(is_operators_line=False, ends_at=NOON + 360 * MINUTE)
    assert schedule.find_promised_time(wish, NOON, round_, rules(NIGHT)).due == due


def test_night_wish_on_the_operators_line_waits_for_morning() -> None:
    round_ = Round(is_operators_line=True, ends_at=NOON + timedelta(days=9000))
    morning = NOON.replace(hour=8) + timedelta(days=1)
    assert schedule.find_promised_time(NOON.replace(hour=23), NOON, round_, rules(NIGHT)).due == morning
    with pytest.raises(Refused):
        schedule.find_promised_time(NOON + timedelta(days=32), NOON, round_, rules())
