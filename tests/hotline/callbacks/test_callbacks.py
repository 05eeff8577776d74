"""Callbacks: every step by token, every outcome puts the citizen where he belongs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now, reading, writing
from db.models import Callback, Desk, Registration
from db.states import HOLDS_PLACE, CallbackState, Outcome, RegistrationState
from hotline.callbacks import callbacks, closing, conversations, retries
from settings import Settings
from tests.factories import (
    a_callback,
    a_desk,
    a_registration,
    a_round,
    a_user,
    at_once,
    newest_event,
    told,
)
from tests.kit.process import until
from tests.kit.refusal import refusal

C = CallbackState
ALLOWED = {  # docs/states.md, written down a second time on purpose
    C.CLAIMED: {C.DIALING, C.CLOSED},
    C.DIALING: {C.RINGING, C.ANSWERED, C.WAITING, C.TALKING, C.ENDED, C.CLOSED},
    C.RINGING: {C.ANSWERED, C.WAITING, C.TALKING, C.ENDED, C.CLOSED},
    C.ANSWERED: {C.WAITING, C.TALKING, C.ENDED, C.CLOSED},
    C.WAITING: {C.SCREENING, C.TALKING, C.ENDED, C.CLOSED},
    C.SCREENING: {C.WAITING, C.TALKING, C.ENDED, C.CLOSED},
    C.TALKING: {C.HELD, C.PARTING, C.WAITING, C.ENDED},
    C.HELD: {C.TALKING, C.PARTING, C.ENDED, C.CLOSED},
    C.PARTING: {C.HELD, C.ENDED, C.CLOSED},
    C.ENDED: {C.CLOSED},
    C.CLOSED: set[CallbackState](),
}
WITHOUT_OUTCOME = [state for state in C if state is not C.CLOSED]


def needed_for(state: CallbackState, callback: Callback) -> dict[str, object]:
    needed = {
        C.SCREENING: {"screen_desk_id": callback.desk_id},
        C.HELD: {"held_until": callback.claimed_at},
        C.PARTING: {"parting_at": callback.claimed_at},
        C.CLOSED: {"outcome": Outcome.BUSY},
    }
    return needed.get(state, {})


def test_given_a_callback_in_each_state_when_moved_to_each_then_only_the_moves_of_the_table_change_it(
    session: Session,
) -> None:
    bystander = a_callback(session)
    for state, to in product(C, C):
        callback = a_callback(session, state)
        before, allowed = newest_event(session), to in ALLOWED[state]
        moved = callbacks.move(session, callback.token, to, note="moved", **needed_for(to, callback))
        session.refresh(callback)
        assert (moved is not None) == allowed, f"{state} -> {to}"
        assert (callback.state, callback.note) == ((to, "moved") if allowed else (state, ""))
        what = Outcome.BUSY if to is C.CLOSED else to
        assert [(e.kind, e.what, e.callback_id, e.desk_id) for e in told(session, before)] == [
            ("callback", what, callback.id, callback.desk_id)
        ] * allowed
    session.refresh(bystander)
    assert (bystander.state, bystander.note) == (C.CLAIMED, "")


def test_given_a_wrong_token_when_anything_is_done_with_it_then_nothing_changes(
    session: Session, settings: Settings
) -> None:
    for state in C:
        callback = a_callback(session, state)
        before = newest_event(session)
        for token in (
            "",
            "callback-",
            "callback-" + "0" * 32,
            callback.token[:-1],
            callback.token + "x",
            "%",
        ):
            for to in C:
                assert callbacks.move(session, token, to, **needed_for(to, callback)) is None
            assert closing.close(session, token, Outcome.REACHED, settings) is None
            assert callbacks.take_up(session, token) is None
            assert callbacks.by_token(session, token) is None
        session.refresh(callback)
        session.refresh(callback.registration)
        assert (callback.state, callback.placed_at) == (state, None)
        assert callback.registration.state is RegistrationState.CALLING
        assert newest_event(session) == before


def test_given_a_callback_when_its_channel_is_asked_for_then_the_token_finds_it(session: Session) -> None:
    callback = a_callback(session)
    assert callbacks.by_token(session, callback.token) is callback
    assert callbacks.is_token(callback.token)
    assert not callbacks.is_token("1764000000.17")


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
def test_given_an_outcome_when_closed_then_the_registration_is_where_it_belongs(
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
        closed = closing.close(session, callback.token, outcome, settings, note="یادداشت")
        assert closed is callback
        place = closed.registration
        assert (closed.state, closed.outcome, closed.note) == (C.CLOSED, outcome, "یادداشت")
        assert closed.ended_at is not None and closed.ended_at >= before
        assert (place.attempts, place.last_outcome) == (attempts + counted, outcome)
        assert place.state is (last_state if attempts + counted >= limit else state)
        if waits:
            assert place.not_before is not None
            wait = retries.not_before(outcome, place.attempts, before, settings)
            assert wait is not None and wait <= place.not_before <= wait + (now(session) - before)
        else:
            assert place.not_before is None
        kinds = sorted((e.kind, e.what) for e in told(session, event))
        assert kinds == [("callback", outcome), ("registration", place.state)]


def test_given_every_outcome_when_listed_then_the_table_leaves_none_out() -> None:
    assert sorted(outcome for row in AFTER for outcome in row[0]) == sorted(Outcome)


def test_given_a_closed_callback_when_closed_again_then_the_first_outcome_stands(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.ENDED)
    closing.close(session, callback.token, Outcome.BUSY, settings)
    assert closing.close(session, callback.token, Outcome.REACHED, settings) is None
    session.refresh(callback)
    session.refresh(callback.registration)
    assert callback.outcome is Outcome.BUSY
    assert (callback.registration.state, callback.registration.attempts) == (R.WAITING, 1)


def test_given_a_conversation_when_closed_before_it_ended_then_nothing_changes(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.TALKING)
    assert closing.close(session, callback.token, Outcome.HUNG_UP, settings) is None
    session.refresh(callback.registration)
    assert (callback.registration.state, callback.registration.attempts) == (R.CALLING, 0)


def test_given_a_callback_that_ended_when_closed_later_then_it_keeps_the_time_of_its_end(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.TALKING)
    ended_at = now(session) - timedelta(minutes=1)
    callbacks.move(session, callback.token, C.ENDED, ended_at=ended_at)
    closed = closing.close(session, callback.token, Outcome.REACHED, settings)
    assert closed is not None and closed.ended_at == ended_at


def test_given_a_callback_when_the_desk_and_the_network_close_it_at_once_then_one_outcome_counts(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.RINGING)
    outcomes = [Outcome.BUSY, Outcome.NO_ANSWER] * 5

    def close(which: int) -> bool:
        with writing(engine) as session:
            return closing.close(session, callback.token, outcomes[which], settings) is not None

    closed = at_once(10, close)
    assert sum(closed) == 1
    with reading(engine) as session:
        kept = callbacks.get(session, callback.id)
        assert kept.outcome is outcomes[closed.index(True)]
        assert (kept.registration.attempts, kept.registration.last_outcome) == (1, kept.outcome)


def test_given_a_citizens_row_held_by_another_transaction_when_his_callback_is_closed_then_neither_dies(
    engine: Engine, settings: Settings
) -> None:
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
            events.callback_changed(session, session.get_one(Callback, other.id))
        assert at_once.result(10) is not None


def waiting_for_locks(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0


# What a desk asks for


def test_given_a_claimed_callback_when_the_desk_asks_for_the_call_then_it_is_to_be_placed(
    session: Session, settings: Settings
) -> None:
    callback, other = a_callback(session), a_callback(session)
    before = now(session)
    asked = callbacks.ask_call(session, callback, settings)
    assert (asked.state, asked.placed_at) == (C.DIALING, None)
    assert asked.called_at is not None and asked.called_at >= before
    assert list(callbacks.to_place(session)) == [asked]
    assert refusal(callbacks.ask_call, session, asked, settings) == "wrong-state"
    assert other.state is C.CLAIMED


def test_given_a_desk_whose_phone_is_away_when_it_asks_for_the_call_then_it_is_refused_until_it_is_back(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, user=a_user(session, a_desk(session, connected=False)))
    assert refusal(callbacks.ask_call, session, callback, settings) == "desk-phone-away"
    assert (callback.state, callback.called_at) == (C.CLAIMED, None)
    session.get_one(Desk, callback.desk_id).phone_connected = True
    assert callbacks.ask_call(session, callback, settings).state is C.DIALING


def test_given_a_callback_in_each_state_when_the_desk_asks_to_hang_up_then_only_a_call_is_ended(
    session: Session,
) -> None:
    for state in C:
        callback = a_callback(session, state)
        if state in {C.DIALING, C.RINGING, C.ANSWERED, C.WAITING, C.SCREENING}:
            asked = conversations.hang_up(session, callback)
            assert (asked.state, asked.hangup_asked_at is not None) == (state, True)
        elif state in {C.TALKING, C.HELD, C.PARTING}:
            asked = conversations.hang_up(session, callback)
            assert (asked.state, asked.hangup_asked_at, asked.said) == (C.PARTING, None, None)
        else:
            assert refusal(conversations.hang_up, session, callback) == "wrong-state"
            session.refresh(callback)
            assert callback.hangup_asked_at is None


def test_given_a_callback_in_each_state_when_the_desk_says_an_outcome_then_it_is_taken_only_where_it_fits(
    session: Session, settings: Settings
) -> None:
    for state, outcome in product(WITHOUT_OUTCOME, Outcome):
        callback = a_callback(session, state)
        if state in ({C.CLAIMED} if outcome is Outcome.RETURNED else {C.PARTING, C.ENDED}):
            closed = closing.record_outcome(session, callback, outcome, "یادداشت", settings)
            assert (closed.state, closed.outcome, closed.note) == (C.CLOSED, outcome, "یادداشت")
            on_the_line = closed in callbacks.on_the_phone(session)
            assert on_the_line == (state is C.PARTING), "the dialer hangs up who was still there"
        else:
            assert refusal(closing.record_outcome, session, callback, outcome, "", settings) == "wrong-state"
            session.refresh(callback)
            assert (callback.state, callback.outcome) == (state, None)


def test_given_a_recorded_outcome_when_said_again_then_only_the_note_changes_and_another_is_refused(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.ENDED)
    closing.record_outcome(session, callback, Outcome.CALL_AGAIN, "first", settings)
    before = (callback.ended_at, callback.registration.attempts, callback.registration.not_before)
    closing.record_outcome(session, callback, Outcome.CALL_AGAIN, "second", settings)
    assert refusal(closing.record_outcome, session, callback, Outcome.REACHED, "third", settings) == (
        "wrong-state"
    )
    session.flush()
    session.refresh(callback)
    session.refresh(callback.registration)
    assert (callback.outcome, callback.note) == (Outcome.CALL_AGAIN, "second")
    assert (
        callback.ended_at,
        callback.registration.attempts,
        callback.registration.not_before,
    ) == before


def test_given_no_such_callback_when_asked_for_then_it_is_not_found(session: Session) -> None:
    assert refusal(callbacks.get, session, 137) == "not-found"


# What the dialer asks


def test_given_a_call_to_place_when_ten_dialers_take_it_up_at_once_then_exactly_one_has_it(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        token = a_callback(session, C.DIALING).token

    def take_up(_: int) -> bool:
        with writing(engine) as session:
            return callbacks.take_up(session, token) is not None

    assert sorted(at_once(10, take_up)) == [False] * 9 + [True]
    with writing(engine) as session:
        assert callbacks.take_up(session, token) is None
        assert callbacks.to_place(session) == []


def test_given_callbacks_in_each_state_when_the_dialer_asks_then_it_sees_those_on_the_phone_and_places_one(
    session: Session,
) -> None:
    made = {state: a_callback(session, state) for state in C}
    taken = a_callback(session, C.DIALING)
    before = now(session)
    assert callbacks.take_up(session, taken.token) is taken
    assert taken.placed_at is not None and taken.placed_at >= before
    assert callbacks.to_place(session) == [made[C.DIALING]]
    on_the_phone = {made[s].id for s in set(C) - {C.CLAIMED, C.ENDED, C.CLOSED}}
    assert {each.id for each in callbacks.on_the_phone(session)} == on_the_phone | {taken.id}
    for state in set(C) - {C.DIALING}:
        assert callbacks.take_up(session, made[state].token) is None


# What the database refuses when the code is bypassed


def test_given_a_live_callback_when_the_code_is_bypassed_then_the_database_refuses_a_second_one(
    session: Session,
) -> None:
    user = a_user(session, a_desk(session))
    live = a_callback(session, user=user)
    with pytest.raises(IntegrityError), session.begin_nested():
        a_callback(session, user=user)  # the same desk, another citizen
    other = a_user(session, a_desk(session))
    second = {
        "round_id": live.round_id,
        "user_id": other.id,
        "desk_id": other.desk_id,
        "claimed_at": now(session),
    }
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(Callback(registration_id=live.registration_id, token="callback-x", **second))
        session.flush()
    live.state, live.outcome = C.CLOSED, Outcome.RETURNED
    session.flush()
    session.add(Callback(registration_id=live.registration_id, token="callback-x", **second))
    a_callback(session, user=user)


def test_given_a_state_that_contradicts_the_outcome_when_the_code_is_bypassed_then_the_database_refuses(
    session: Session,
) -> None:
    callback = a_callback(session)
    contradictions = [(C.CLOSED, None), *((state, Outcome.BUSY) for state in WITHOUT_OUTCOME)]
    for state, outcome in contradictions:
        values = {**needed_for(state, callback), "state": state, "outcome": outcome}
        with pytest.raises(IntegrityError, match="closed_has_outcome"), session.begin_nested():
            session.execute(update(Callback).filter_by(id=callback.id).values(**values))


def test_given_a_place_held_when_the_code_is_bypassed_then_the_database_refuses_the_number_a_second_one(
    session: Session,
) -> None:
    round_ = a_round(session)
    for state in R:
        held = a_registration(session, round_, state=state)
        again = {"number": held.number, "state": R.WAITING}
        if state in HOLDS_PLACE:
            with pytest.raises(IntegrityError), session.begin_nested():
                a_registration(session, round_, **again)
        else:
            a_registration(session, round_, **again)
        a_registration(session, a_round(session), **again)
