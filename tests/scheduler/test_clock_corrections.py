"""A live round in which the clock leaps ahead and is set back, with a scheduler at work."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import (
    Breaker,
    CallerNow,
    CitizenCode,
    CitizenSession,
    CodeWay,
    Confirmation,
    ConfirmationKind,
    Delivery,
    OutboundCall,
    OutboundKind,
    OutboxMessage,
    PlacedCall,
    Registration,
    SignIn,
    TrialCall,
    TrunkState,
    Upload,
    UploadKind,
    UrgentMatter,
    User,
    WaitingCaller,
)
from db.states import CallbackState, Outcome
from hotline.callbacks import claims, closing, conversations, threats, waiting_callers
from hotline.citizens import codes, sessions
from hotline.ledger.verify import verify
from hotline.line import confirmation_calls, fairness, urgent_calls
from hotline.messages import delivery
from hotline.outbound.kinds import KINDS
from hotline.people import accounts, sign_ins
from hotline.trunk import call_caps, circuit_breaker, selection
from scheduler.process import _Beats
from settings import CITY, QuietHours, Settings
from tests.factories import BROWSER, a_callback, a_number, a_user
from tests.kit.databases import on_both
from tests.kit.shifted_clock import ShiftedClock, clock
from tests.kit.story import Story

__all__ = ["clock", "on_both"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEAP = 3.5 * HOUR
YEARS = timedelta(days=730)
RETRY_S = 600


class Scheduler:
    """Looks at the clock whenever the test wants it to."""

    def __init__(self, story: Story, clock: ShiftedClock) -> None:
        self._story, self._clock, self._beats = story, clock, _Beats([])
        self.looks()

    def looks(self) -> None:
        self._beats._next_jobs = 0.0
        self._beats.run(self._story.engine, self._story.conf)

    def sees(self, shift: timedelta) -> None:
        self._clock.shift = shift
        self.looks()


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    conf = settings.model_copy(
        update={"retry_seconds": RETRY_S, "max_attempts": 4, "supervisor_numbers": ("+982133445566",)}
    )
    return Story(engine, conf)


@pytest.fixture
def scheduler(story: Story, clock: ShiftedClock) -> Scheduler:
    return Scheduler(story, clock)


def waits(story: Story, id_: int) -> timedelta:
    with reading(story.engine) as session:
        due = session.get_one(Registration, id_).not_before
        return timedelta() if due is None else max(due - now(session), timedelta())


@pytest.mark.parametrize(
    ("outcome", "longest"),
    [
        (Outcome.NO_ANSWER, RETRY_S),
        (Outcome.BUSY, RETRY_S / 2),
        (Outcome.UNREACHABLE, RETRY_S * 2),
        (Outcome.CALL_AGAIN, RETRY_S / 2),
    ],
)
@pytest.mark.parametrize("seen", [True, False])
def test_retry_of_a_leap_waits_as_its_rule_says(
    story: Story, scheduler: Scheduler, clock: ShiftedClock, outcome: Outcome, longest: float, seen: bool
) -> None:
    first = story.registers()
    clock.shift = LEAP
    if seen:
        scheduler.looks()
    else:  # as a scheduler that was away meanwhile
        scheduler = Scheduler(story, clock)
    assert story.called(outcome) == first
    if seen:
        scheduler.sees(timedelta())
    else:
        clock.shift = timedelta()
        Scheduler(story, clock)
    assert timedelta(seconds=longest - 30) < waits(story, first) <= timedelta(seconds=longest)
    story.seals()
    clock.shift = timedelta(seconds=longest)
    assert story.called(Outcome.REACHED) == first
    assert verify(story.engine).problems == []


def test_retry_of_the_right_time_is_not_shortened(story: Story, scheduler: Scheduler) -> None:
    first = story.registers()
    story.called(Outcome.NO_ANSWER)
    with reading(story.engine) as session:
        due = session.get_one(Registration, first).not_before
    scheduler.sees(LEAP)
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        assert session.get_one(Registration, first).not_before == due
        assert len(fairness.find_facts(session, session.get_one(Registration, first)).facts) == 3


def test_retry_of_a_leap_into_the_night_waits_for_no_morning(story: Story, clock: ShiftedClock) -> None:
    first = story.registers()
    with reading(story.engine) as session:
        local = now(session).astimezone(CITY)
    quiet = QuietHours(begin=(local + 2 * HOUR).time(), end=(local + 10 * HOUR).time())
    story.conf = story.conf.model_copy(update={"quiet_hours": quiet})
    scheduler = Scheduler(story, clock)
    scheduler.sees(LEAP)
    story.called(Outcome.NO_ANSWER)
    assert waits(story, first) > 6 * HOUR, "it waits for the morning"
    scheduler.sees(timedelta())
    assert waits(story, first) <= timedelta(seconds=RETRY_S)


def called_again(story: Story, wish: Callable[[Session], timedelta]) -> int:
    user = story.users[0]
    assert user.desk_id
    with writing(story.engine) as session:
        callback = claims.claim(session, round_id=story.round, desk_id=user.desk_id, user_id=user.id)
        assert callback
        callback.state = CallbackState.ENDED
        session.flush()
        at = now(session) + wish(session)
        closing.close(session, callback.token, Outcome.CALL_AGAIN, story.conf, again_at=at, agreed=True)
        return callback.registration_id


def test_wish_for_ten_minutes_is_kept(story: Story, scheduler: Scheduler) -> None:
    story.registers()
    scheduler.sees(LEAP)
    first = called_again(story, lambda _: 10 * MINUTE)
    scheduler.sees(timedelta())
    assert 9 * MINUTE < waits(story, first) <= 10 * MINUTE


def test_wish_for_a_time_of_the_day_is_kept(story: Story, scheduler: Scheduler) -> None:
    story.registers()
    scheduler.sees(LEAP)
    first = called_again(story, lambda _: 5 * HOUR - LEAP + 2 * HOUR)
    scheduler.sees(timedelta())
    assert 7 * HOUR - MINUTE < waits(story, first) <= 7 * HOUR


def test_cut_citizen_of_a_leap_is_due_at_once(story: Story, scheduler: Scheduler) -> None:
    story.registers()
    scheduler.sees(LEAP)
    first = called_again(story, lambda _: timedelta())
    scheduler.sees(timedelta())
    assert waits(story, first) == timedelta()


def test_shortened_retry_is_no_second_attempt(story: Story, scheduler: Scheduler) -> None:
    first = story.registers()
    scheduler.sees(LEAP)
    story.called(Outcome.NO_ANSWER)
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        assert session.get_one(Registration, first).attempts == 1


def test_trunk_of_a_leap_is_tried_soon(story: Story, scheduler: Scheduler, clock: ShiftedClock) -> None:
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        for token in ("one", "two", "three"):
            circuit_breaker.record_failure(session, circuit_breaker.SCRIPTS, token)
            selection.record_failure(session, "carrier", token, 503)
        assert session.get_one(Breaker, circuit_breaker.SCRIPTS).next_probe_at
        assert session.get_one(TrunkState, "carrier").next_try_at
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        at = now(session)
        probe = session.get_one(Breaker, circuit_breaker.SCRIPTS).next_probe_at
        assert probe and probe <= at + circuit_breaker.LONGEST
        tried = session.get_one(TrunkState, "carrier").next_try_at
        assert tried and tried <= at + selection.LONGEST_OF_SILENT


def test_urgent_matter_of_a_leap_is_told_at_once(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        session.add(UrgentMatter(made_at=now(session), number=a_number()))
    scheduler.sees(timedelta())
    with writing(story.engine) as session:
        matter = urgent_calls.find_due(session, story.conf)
        assert matter, "nobody knows since when it waits"
        called = urgent_calls.take_up(session, matter, story.conf)
        assert called
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        urgent_calls.record_end(session, called[0])
    scheduler.sees(timedelta())
    clock.shift = MINUTE
    with reading(story.engine) as session:
        assert urgent_calls.find_due(session, story.conf) == matter


def test_calls_of_a_leap_are_placed_soon(story: Story, scheduler: Scheduler, clock: ShiftedClock) -> None:
    scheduler.sees(LEAP)
    number = a_number()
    story.keyed_in()
    with writing(story.engine) as session:
        session.add(
            OutboundCall(
                kind=OutboundKind.OVERFLOW,
                number=number,
                asked_at=now(session),
                due_at=now(session) + MINUTE,
            )
        )
        session.add(CallerNow(channel="gone", number=number, since=now(session)))
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        at = now(session)
        asked = session.scalars(select(Confirmation)).one()
        assert asked.not_before <= at + confirmation_calls.LONGEST_WAIT
        left = session.scalars(select(OutboundCall)).one()
        assert left.due_at <= at + KINDS[OutboundKind.OVERFLOW].longest_wait
        assert session.scalars(select(CallerNow)).one().since <= at


def test_message_of_a_leap_is_sent_soon(story: Story, scheduler: Scheduler, clock: ShiftedClock) -> None:
    scheduler.sees(LEAP)
    fresh, tried, planned = (story.registers() for _ in range(3))
    with writing(story.engine) as session:
        at = now(session)
        rows = {
            fresh: {},
            tried: {"attempts": 3, "not_before": at + MINUTE},
            planned: {"not_before": at + 24 * HOUR},
        }
        for id_, values in rows.items():
            message = session.scalars(
                select(OutboxMessage).where(OutboxMessage.registration_id == id_)
            ).first()
            assert message
            for name, value in values.items():
                setattr(message, name, value)
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        at = now(session)
        due = {
            message.registration_id: message.not_before - at
            for message in session.scalars(select(OutboxMessage))
        }
    assert due[fresh] <= timedelta()
    assert due[tried] <= delivery.LONGEST_WAIT
    assert due[planned] > 24 * HOUR, "a time that was named is kept"


def test_locks_and_codes_of_a_leap_end_in_time(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    user = story.users[0]
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        accounts.set_pin(session, user.username, "1234")
        for _ in range(accounts.PIN_FAILURES):
            accounts.count_pin_try(session, user.id, right=False)
        assert session.get_one(User, user.id).pin_locked_until
    scheduler.sees(timedelta())
    clock.shift = accounts.PIN_LOCKED
    with writing(story.engine) as session:
        assert accounts.count_pin_try(session, user.id, right=True)


def test_conversation_that_ended_in_a_leap_is_let_go(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        parting, held = (a_callback(session, CallbackState.TALKING) for _ in range(2))
        conversations.end_for_desk(session, parting, Outcome.REACHED)
        conversations.hold_without_desk(session, held.token, story.conf)
    tokens = {parting.token, held.token}
    scheduler.sees(timedelta())
    clock.shift = timedelta(seconds=max(story.conf.on_hold_seconds, story.conf.hold_seconds))
    with reading(story.engine) as session:
        assert set(conversations.list_overdue(session)) == tokens


def test_caps_count_calls_of_a_leap_for_a_day_only(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    number, conf = a_number(), story.conf
    scheduler.sees(YEARS)
    with writing(story.engine) as session:
        for index in range(conf.calls_per_number):
            session.add(
                PlacedCall(token=f"callback-{index:032x}", number=number, at=now(session), node="one")
            )
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        again_at = call_caps.find_next_free_at(session, number, conf)
        assert again_at and again_at <= now(session) + 24 * HOUR
        assert call_caps.find_capacity(session, conf)[0] > 0


def test_limits_count_rows_of_a_leap_for_a_day_only(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    number = a_number()
    scheduler.sees(LEAP)
    place = story.registers()
    with writing(story.engine) as session:
        at, whom = now(session), {"number": number, "made_at": now(session)}
        asked = {"number": number, "asked_by": number, "asked_at": at, "not_before": at}
        session.add_all(
            [
                OutboundCall(kind=OutboundKind.OVERFLOW, number=number, asked_at=at, due_at=at, ended_at=at),
                Confirmation(
                    kind=ConfirmationKind.CANCELLATION,
                    registration_id=place,
                    decided_at=at,
                    agreed=False,
                    **asked,
                ),
                Upload(id="a" * 32, kind=UploadKind.PICTURE, size=1, **whom),
                TrialCall(number=number, language="fa", asked_at=at),
            ]
        )
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        at = now(session)
        for column in (
            *(OutboundCall.asked_at, Confirmation.asked_at, Confirmation.decided_at),
            *(Upload.made_at, TrialCall.asked_at, OutboxMessage.made_at),
        ):
            assert set(session.scalars(select(column))) and max(session.scalars(select(column))) <= at, column


def test_rights_of_a_leap_last_no_longer_than_their_rule(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    scheduler.sees(YEARS)
    with writing(story.engine) as session:
        code = codes.ask(session, a_number(), CodeWay.CALL, "fa", story.conf, browser=BROWSER)
        sessions.begin_session(session, code, "", story.conf)
        code.ended_at = code.used_at = now(session)
        sign_ins.sign_in(session, a_user(session))
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        at = now(session)
        for column, longest in (
            (CitizenCode.used_at, timedelta()),
            (CitizenSession.rotated_at, timedelta()),
            (CitizenSession.access_until, sessions.ACCESS),
            (CitizenSession.expires_at, sessions.REFRESH),
            (SignIn.last_seen_at, timedelta()),
            (SignIn.expires_at, sign_ins.SESSION_LENGTH),
        ):
            until = session.scalars(select(column)).one()
            assert until and until <= at + longest, column


def test_clock_set_back_for_a_moment_signs_nobody_out(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    with writing(story.engine) as session:
        cookie = sign_ins.sign_in(session, a_user(session))
        code = codes.ask(session, a_number(), CodeWay.CALL, "fa", story.conf, browser=BROWSER)
        access = sessions.begin_session(session, code, "", story.conf).access
    scheduler.sees(-YEARS)
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        assert sign_ins.find_session(session, cookie)
        assert sessions.find_by_access(session, access)


def test_failed_message_of_a_leap_is_told_of_for_a_day(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    story.registers()
    scheduler.sees(YEARS)
    with writing(story.engine) as session:
        session.execute(update(OutboxMessage).values(state=Delivery.FAILED, not_before=now(session)))
    scheduler.sees(timedelta())
    with reading(story.engine) as session:
        assert max(session.scalars(select(OutboxMessage.not_before))) <= now(session)


def test_caller_of_a_leap_is_gone_after_a_silence(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    place = story.registers()
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        assert waiting_callers.record_waiting(session, place, "leap")
    scheduler.sees(timedelta())
    with writing(story.engine) as session:
        session.get_one(WaitingCaller, place).seen_at -= waiting_callers.STALE + MINUTE
        session.flush()
        waiting_callers.leave_stale(session)
        assert waiting_callers.find(session, place) is None


def test_caller_on_the_line_stays_though_the_clock_leaps(
    story: Story, scheduler: Scheduler, clock: ShiftedClock
) -> None:
    place = story.registers()
    with writing(story.engine) as session:
        assert waiting_callers.record_waiting(session, place, "there")
    scheduler.sees(LEAP)
    with writing(story.engine) as session:
        waiting_callers.leave_stale(session)
        assert waiting_callers.find(session, place)


@pytest.mark.parametrize("shifts", [(LEAP, timedelta()), (timedelta(), -LEAP, timedelta())])
def test_threat_is_news_for_half_an_hour_whatever_the_clock(
    story: Story, scheduler: Scheduler, clock: ShiftedClock, shifts: tuple[timedelta, ...]
) -> None:
    first, *others = shifts
    scheduler.sees(first)
    with writing(story.engine) as session:
        threats.mark(session, a_callback(session, CallbackState.TALKING), who="z.karimi")
    for shift in others:
        scheduler.sees(shift)
    with reading(story.engine) as session:
        assert threats.list_open(session)
    clock.shift = timedelta(minutes=31)
    with reading(story.engine) as session:
        assert not threats.list_open(session)
