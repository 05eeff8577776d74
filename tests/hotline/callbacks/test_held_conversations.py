"""A conversation outlives its desk's phone; what counts as reached."""

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import claims, closing, conversations, serving, transitions
from hotline.line import order
from settings import Settings
from tests.factories import SECOND, a_callback, at_once
from tests.hotline.callbacks.conversing import held, look, speaks, time_passes
from tests.kit.refusal import refusal

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def test_returning_desk_phone_resumes_the_talk_for_free(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = held(session, desk, settings)
    began = callback.talking_at
    assert callback.held_until is not None
    assert abs(callback.held_until - now(session) - settings.hold_seconds * SECOND) < 10 * SECOND
    look(session, settings)
    assert (callback.state, callback.hangup_asked_at) == (C.HELD, None)
    assert not serving.clear_request(session, callback), "nobody is in the room yet"
    desk.phone_connected = True
    session.flush()
    assert serving.clear_request(session, callback)
    transitions.move(session, callback.token, C.TALKING, held_until=None)
    assert (callback.state, callback.talking_at, callback.registration.attempts) == (C.TALKING, began, 0)
    assert conversations.find_default_outcome(callback) is O.REACHED


def test_only_a_conversation_is_held(session: Session, settings: Settings) -> None:
    for state in set(C) - {C.TALKING}:
        callback = a_callback(session, state)
        assert conversations.hold_without_desk(session, callback.token, settings) is None
        session.refresh(callback)
        assert callback.state is state


def test_absent_desk_releases_its_citizen_who_is_due_at_once(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = held(session, desk, settings)
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert (callback.state, callback.hangup_asked_at is not None) == (C.HELD, True), "still on the line"
    assert callback.registration.state is R.CALLING, "nobody is dialled who hears the kind word"
    conversations.record_line_end(session, callback, settings, hung_up=True)
    place = callback.registration
    assert (callback.outcome, place.state, place.attempts) == (O.CALL_AGAIN, R.WAITING, 0)
    assert place.not_before is not None and place.not_before <= now(session)
    assert order.count_before(session, place) == 0
    assert order.take_next(session, callback.round_id, now(session)) == place.id


@pytest.mark.parametrize("back", [True, False])
def test_hang_up_while_held_lets_the_returning_desk_judge(
    session: Session, settings: Settings, desk: Desk, back: bool
) -> None:
    callback = held(session, desk, settings)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    assert callback.state is C.ENDED
    assert conversations.find_default_outcome(callback) is O.CALL_AGAIN, "the desk dropped first"
    desk.phone_connected = back
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert callback.outcome is (None if back else O.CALL_AGAIN)
    if back:
        closed = closing.record_outcome(session, callback, O.REACHED, settings)
        assert closed.registration.state is R.REACHED, "both were in the room, and a person says so"


def test_desk_back_at_the_last_moment_has_one_result(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.HELD)
        callback.held_until = now(session)

    def act(which: int) -> bool:
        with writing(engine) as session:
            if which % 2:
                conversations.end_overdue(session, callback.token, settings)
                return False
            on_the_line = Callback.hangup_asked_at.is_(None)
            return transitions.move(session, callback.token, C.TALKING, on_the_line) is not None

    came_back = sum(at_once(6, act))
    with reading(engine) as session:
        now_ = session.get_one(Callback, callback.id)
        assert (came_back, now_.hangup_asked_at is None) in ((1, True), (0, False))


# --- reached ---


@pytest.mark.parametrize(
    ("since", "hung_up", "outcome"),
    [(25, True, O.REACHED), (15, True, O.CALL_AGAIN), (25, False, O.CALL_AGAIN)],
)
def test_next_after_a_lost_line_counts_a_real_talk_only(
    session: Session, settings: Settings, desk: Desk, since: int, hung_up: bool, outcome: Outcome
) -> None:
    callback = speaks(session, desk, settings, since * SECOND)
    conversations.record_line_end(session, callback, settings, hung_up=hung_up)
    assert conversations.find_default_outcome(callback) is outcome
    serving.ask_next(session, desk, callback.id, settings)
    assert callback.outcome is outcome
    assert callback.registration.state is (R.REACHED if outcome is O.REACHED else R.WAITING)


def test_reached_without_a_meeting_is_refused(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.ENDED)
    callback.talking_at = None
    session.flush()
    assert refusal(closing.record_outcome, session, callback, O.REACHED, settings) == "never-met"
    assert closing.record_outcome(session, callback, O.CALL_AGAIN, settings).outcome is O.CALL_AGAIN


@pytest.mark.parametrize("began", [True, False])
def test_next_after_our_cut_has_the_same_citizen_first(
    session: Session, settings: Settings, desk: Desk, began: bool
) -> None:
    later = settings.model_copy(update={"retry_seconds": 600})
    callback = speaks(session, desk, later)
    if began:
        conversations.record_line_end(session, callback, later, hung_up=False)
    else:
        at = now(session)
        session.execute(update(Callback).values(state=C.ENDED, ended_at=at, held_until=at, talking_at=None))
        session.refresh(callback)
    assert serving.ask_next(session, desk, callback.id, later, confirmed=True) is None
    round_ = session.get_one(Round, desk.round_id)
    first = claims.call_ahead(session, round_)
    assert first is not None and first.registration_id == callback.registration_id


def test_next_into_a_line_that_our_side_had_cut_is_no_end(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    serving.ask_next(session, desk, callback.id, settings, confirmed=True)
    assert (callback.state, callback.said) == (C.PARTING, O.REACHED)
    conversations.revoke_end(session, callback, settings)
    place = callback.registration
    assert (callback.outcome, place.state, place.attempts) == (O.CALL_AGAIN, R.WAITING, 0)
    assert place.not_before is not None and place.not_before <= now(session)
