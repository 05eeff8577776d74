"""Callbacks: every step by token, and only the moves that are allowed."""

from itertools import product

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Callback, Desk
from db.states import HOLDS_PLACE, CallbackState, Outcome, RegistrationState
from hotline.callbacks import closing, conversations, placing, transitions
from settings import Settings
from tests.factories import (
    WITHOUT_OUTCOME,
    a_callback,
    a_desk,
    a_registration,
    a_round,
    a_user,
    at_once,
    newest_event,
    told,
)
from tests.kit.refusal import refusal

C = CallbackState
R = RegistrationState
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


def needed_for(state: CallbackState, callback: Callback) -> dict[str, object]:
    needed = {
        C.SCREENING: {"screen_desk_id": callback.desk_id},
        C.HELD: {"held_until": callback.claimed_at},
        C.PARTING: {"parting_at": callback.claimed_at},
        C.CLOSED: {"outcome": Outcome.BUSY},
    }
    return needed.get(state, {})


def test_only_allowed_moves_change_a_callback(
    session: Session,
) -> None:
    bystander = a_callback(session)
    for state, to in product(C, C):
        callback = a_callback(session, state)
        before, allowed = newest_event(session), to in ALLOWED[state]
        moved = transitions.move(session, callback.token, to, held_s=7.0, **needed_for(to, callback))
        session.refresh(callback)
        assert (moved is not None) == allowed, f"{state} -> {to}"
        assert (callback.state, callback.held_s) == ((to, 7) if allowed else (state, 0))
        what = Outcome.BUSY if to is C.CLOSED else to
        assert [(e.kind, e.what, e.callback_id, e.desk_id) for e in told(session, before)] == [
            ("callback", what, callback.id, callback.desk_id)
        ] * allowed
    session.refresh(bystander)
    assert (bystander.state, bystander.held_s) == (C.CLAIMED, 0)


def test_unknown_token_changes_nothing(session: Session, settings: Settings) -> None:
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
                assert transitions.move(session, token, to, **needed_for(to, callback)) is None
            assert closing.close(session, token, Outcome.REACHED, settings) is None
            assert placing.take_up(session, token) is None
            assert transitions.find_by_token(session, token) is None
        session.refresh(callback)
        session.refresh(callback.registration)
        assert (callback.state, callback.placed_at) == (state, None)
        assert callback.registration.state is RegistrationState.CALLING
        assert newest_event(session) == before


def test_channel_is_found_by_its_token(session: Session) -> None:
    callback = a_callback(session)
    assert transitions.find_by_token(session, callback.token) is callback
    assert transitions.is_token(callback.token)
    assert not transitions.is_token("1764000000.17")


# What a desk asks for


def test_call_request_of_a_claimed_callback_is_pending(session: Session, settings: Settings) -> None:
    callback, other = a_callback(session), a_callback(session)
    before = now(session)
    asked = transitions.ask_call(session, callback, settings)
    assert (asked.state, asked.placed_at) == (C.DIALING, None)
    assert asked.called_at is not None and asked.called_at >= before
    assert placing.list_to_place(session) == [asked.token]
    assert refusal(transitions.ask_call, session, asked, settings) == "wrong-state"
    assert other.state is C.CLAIMED


def test_call_request_without_the_phone_is_refused(session: Session, settings: Settings) -> None:
    callback = a_callback(session, user=a_user(session, a_desk(session, connected=False)))
    assert refusal(transitions.ask_call, session, callback, settings) == "desk-phone-away"
    assert (callback.state, callback.called_at) == (C.CLAIMED, None)
    session.get_one(Desk, callback.desk_id).phone_connected = True
    assert transitions.ask_call(session, callback, settings).state is C.DIALING


def test_hang_up_request_ends_only_calls(
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


def test_unknown_callback_is_not_found(session: Session) -> None:
    assert refusal(transitions.get, session, 137) == "not-found"


# What the dialer asks


def test_call_taken_up_by_ten_dialers_is_placed_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        token = a_callback(session, C.DIALING).token

    def take_up(_: int) -> bool:
        with writing(engine) as session:
            return placing.take_up(session, token) is not None

    assert sorted(at_once(10, take_up)) == [False] * 9 + [True]
    with writing(engine) as session:
        assert placing.take_up(session, token) is None
        assert placing.list_to_place(session) == []


def test_dialer_sees_calls_and_one_to_place(
    session: Session,
) -> None:
    made = {state: a_callback(session, state) for state in C}
    taken = a_callback(session, C.DIALING)
    before = now(session)
    assert placing.take_up(session, taken.token) is taken
    assert taken.placed_at is not None and taken.placed_at >= before
    assert placing.list_to_place(session) == [made[C.DIALING].token]
    on_the_phone = {made[s].id for s in set(C) - {C.CLAIMED, C.ENDED, C.CLOSED}}
    assert {each.id for each in placing.list_open_calls(session)} == on_the_phone | {taken.id}
    for state in set(C) - {C.DIALING}:
        assert placing.take_up(session, made[state].token) is None


# What the database refuses when the code is bypassed


def test_database_refuses_a_second_live_callback(
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


def test_database_refuses_a_contradictory_state(
    session: Session,
) -> None:
    callback = a_callback(session)
    contradictions = [(C.CLOSED, None), *((state, Outcome.BUSY) for state in WITHOUT_OUTCOME)]
    for state, outcome in contradictions:
        values = {**needed_for(state, callback), "state": state, "outcome": outcome}
        with pytest.raises(IntegrityError, match="closed_has_outcome"), session.begin_nested():
            session.execute(update(Callback).filter_by(id=callback.id).values(**values))


def test_database_refuses_a_second_place_of_a_number(
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
