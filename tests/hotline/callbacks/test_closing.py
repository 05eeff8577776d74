"""Closing a callback: every outcome puts the citizen where he belongs, and only the first one counts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from db import events
from db.engine import now, reading, writing
from db.models import Callback, Registration
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import closing, conversations, placing, schedule, transitions
from settings import Settings
from tests.factories import WITHOUT_OUTCOME, a_callback, at_once, newest_event, told
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.process import until
from tests.kit.refusal import refusal

C = CallbackState
R = RegistrationState
AFTER = [  # outcomes; an attempt used up?; the registration's state, and after the last attempt; a wait?
    (
        ("no_answer", "busy", "rejected", "unreachable", "not_confirmed", "hung_up"),
        *(True, R.WAITING, R.UNREACHED, True),
    ),
    (("call_again",), False, R.WAITING, R.WAITING, True),
    (("returned", "failed"), False, R.WAITING, R.WAITING, False),
    (("reached",), True, R.REACHED, R.REACHED, False),
    (("refused", "wrong_number"), True, R.CLOSED, R.CLOSED, False),
]


@pytest.mark.parametrize(("outcomes", "counted", "state", "last_state", "waits"), AFTER)
def test_outcome_puts_the_registration_where_it_belongs(
    session: Session,
    settings: Settings,
    outcomes: tuple[str, ...],
    counted: bool,
    state: RegistrationState,
    last_state: RegistrationState,
    waits: bool,
) -> None:
    limit = 3
    assert settings.max_attempts == limit
    for outcome, attempts in product(map(Outcome, outcomes), range(limit + 1)):
        callback = a_callback(session, C.ENDED, attempts=attempts)
        event, before = newest_event(session), now(session)
        closed = closing.close(session, callback.token, outcome, settings)
        assert closed is callback
        place = closed.registration
        assert (closed.state, closed.outcome) == (C.CLOSED, outcome)
        assert closed.ended_at is not None and closed.ended_at >= before
        assert (place.attempts, place.last_outcome) == (attempts + counted, outcome)
        assert place.state is (last_state if attempts + counted >= limit else state)
        if waits:
            assert place.not_before is not None
            wait = schedule.find_not_before(outcome, place.attempts, before, settings)
            assert wait is not None and wait <= place.not_before <= wait + (now(session) - before)
        else:
            assert place.not_before is None
        kinds = sorted((e.kind, e.what) for e in told(session, event))
        assert kinds == [("callback", outcome), ("registration", place.state)]


def test_table_covers_every_outcome() -> None:
    assert sorted(outcome for row in AFTER for outcome in row[0]) == sorted(Outcome)


def test_second_closing_keeps_the_first_outcome(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.ENDED)
    closing.close(session, callback.token, Outcome.BUSY, settings)
    assert closing.close(session, callback.token, Outcome.REACHED, settings) is None
    session.refresh(callback)
    session.refresh(callback.registration)
    assert callback.outcome is Outcome.BUSY
    assert (callback.registration.state, callback.registration.attempts) == (R.WAITING, 1)


def test_closing_a_live_conversation_changes_nothing(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.TALKING)
    assert closing.close(session, callback.token, Outcome.HUNG_UP, settings) is None
    session.refresh(callback.registration)
    assert (callback.registration.state, callback.registration.attempts) == (R.CALLING, 0)


def test_closing_keeps_the_time_of_the_end(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.TALKING)
    ended_at = now(session) - timedelta(minutes=1)
    transitions.move(session, callback.token, C.ENDED, ended_at=ended_at)
    closed = closing.close(session, callback.token, Outcome.REACHED, settings)
    assert closed is not None and closed.ended_at == ended_at


@in_both
def test_simultaneous_closings_count_one_outcome(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.RINGING)
    outcomes = [Outcome.BUSY, Outcome.NO_ANSWER] * 5

    def close(which: int) -> bool:
        with writing(engine) as session:
            return closing.close(session, callback.token, outcomes[which], settings) is not None

    closed = at_once(10, close)
    assert sum(closed) == 1
    with reading(engine) as session:
        kept = transitions.get(session, callback.id)
        assert kept.outcome is outcomes[closed.index(True)]
        assert (kept.registration.attempts, kept.registration.last_outcome) == (1, kept.outcome)


@in_both
def test_locked_citizen_row_does_not_deadlock_a_closing(engine: Engine, settings: Settings) -> None:
    # A claim that loses a race keeps the lock of the row it lost until its commit. It then appends an
    # event, for which it must not have to wait for one who waits for that row.
    with writing(engine) as session:
        callback, other = a_callback(session, C.RINGING), a_callback(session)

    def close() -> Callback | None:
        with writing(engine) as session:
            return closing.close(session, callback.token, Outcome.BUSY, settings)

    with ThreadPoolExecutor(1) as threads:
        with writing(engine) as session:
            mine = select(Registration).filter_by(id=callback.registration_id)
            session.scalars(mine.with_for_update()).one()
            at_once = threads.submit(close)
            if engine.dialect.name == "postgresql":
                until(lambda: waiting_for_locks(engine), "the closing transaction waits for the row")
            events.append_callback(session, session.get_one(Callback, other.id))
        assert at_once.result(10) is not None


def waiting_for_locks(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0


def test_outcome_is_taken_only_in_a_fitting_state(session: Session, settings: Settings) -> None:
    for state, outcome in product(WITHOUT_OUTCOME, Outcome):
        callback = a_callback(session, state)
        if state in ({C.CLAIMED} if outcome is Outcome.RETURNED else {C.PARTING, C.ENDED}):
            closed = closing.record_outcome(session, callback, outcome, settings)
            assert (closed.state, closed.outcome) == (C.CLOSED, outcome)
            on_the_line = closed in placing.list_open_calls(session)
            assert on_the_line == (state is C.PARTING), "the dialer hangs up who was still there"
        else:
            assert refusal(closing.record_outcome, session, callback, outcome, settings) == "wrong-state"
            session.refresh(callback)
            assert (callback.state, callback.outcome) == (state, None)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_outcome_said_by_another_tab_meanwhile_stands(engine: Engine, settings: Settings) -> None:
    """On PostgreSQL alone: SQLite lets nobody write between the read and the word."""
    with writing(engine) as session:
        talk = a_callback(session, C.PARTING).id
    with writing(engine) as session:
        callback = session.get_one(Callback, talk)
        with writing(engine) as other_tab:
            conversations.finish(other_tab, other_tab.get_one(Callback, talk), settings)
        assert refusal(closing.record_outcome, session, callback, Outcome.REFUSED, settings) == "wrong-state"
    with reading(engine) as session:
        assert session.get_one(Callback, talk).said is Outcome.REACHED


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_outcome_keeps_the_end_that_the_line_had_meanwhile(engine: Engine, settings: Settings) -> None:
    """On PostgreSQL alone: SQLite lets nobody write between the read and the word."""
    with writing(engine) as session:
        at = now(session)
        talk = a_callback(session, C.TALKING).id
    ended_at = at - timedelta(seconds=30)
    with writing(engine) as session:
        callback = session.get_one(Callback, talk)
        with writing(engine) as dialer:
            token = dialer.get_one(Callback, talk).token
            transitions.move(dialer, token, C.ENDED, ended_at=ended_at)
        assert closing.record_outcome(session, callback, Outcome.REACHED, settings).ended_at == ended_at


def test_repeated_outcome_is_ignored_and_another_refused(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.ENDED)
    closing.record_outcome(session, callback, Outcome.CALL_AGAIN, settings)
    before = (callback.ended_at, callback.registration.attempts, callback.registration.not_before)
    closing.record_outcome(session, callback, Outcome.CALL_AGAIN, settings)
    assert refusal(closing.record_outcome, session, callback, Outcome.REACHED, settings) == ("wrong-state")
    session.flush()
    session.refresh(callback)
    session.refresh(callback.registration)
    assert callback.outcome is Outcome.CALL_AGAIN
    assert (
        callback.ended_at,
        callback.registration.attempts,
        callback.registration.not_before,
    ) == before
