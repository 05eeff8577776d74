"""The desk asks the citizen to wait: music, until it is back, or has forgotten them for long enough."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState, Outcome
from hotline.callbacks import conversations, cut_conversations, transitions
from hotline.desks import transfers
from settings import Settings
from tests.factories import SECOND, a_callback, at_once
from tests.hotline.callbacks.conversing import look, speaks, time_passes
from tests.kit.refusal import refusal

C = CallbackState


def test_hold_and_resume_do_not_use_agreed_minutes(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    for _ in range(2):
        conversations.hold(session, callback, settings)
    assert (callback.state, callback.on_hold_at is not None) == (C.HELD, True)
    callback.held_at = now(session) - 20 * SECOND
    look(session, settings)
    session.refresh(callback)
    assert (callback.state, callback.hangup_asked_at) == (C.HELD, None), (
        "the desk's phone is there all the while"
    )
    for _ in range(2):
        conversations.resume(session, callback, settings)
    assert (callback.state, callback.on_hold_at) == (C.HELD, None), "the dialer takes them back"
    transitions.move(session, callback.token, C.TALKING, held_until=None)
    assert callback.held_s >= 20
    assert conversations.resume(session, callback, settings).state is C.TALKING
    assert conversations.find_default_outcome(callback) is Outcome.REACHED


def test_hold_during_which_the_clock_is_set_back_lasts_no_time(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    callback.held_at = now(session) + 600 * SECOND
    conversations.resume(session, callback, settings)
    transitions.move(session, callback.token, C.TALKING, held_until=None)
    assert callback.held_s == 0


def test_hold_timeout_returns_the_citizen_or_releases_them(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    time_passes(session, callback, settings.on_hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert (callback.state, callback.on_hold_at, callback.hangup_asked_at) == (C.HELD, None, None)
    assert callback.held_until is not None and callback.held_until > now(session)
    desk.phone_connected = False
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert callback.hangup_asked_at is not None, "told that they will be called, as whoever is held"


def test_returning_desk_gets_the_citizen_from_hold(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    assert not transfers.is_arriving(session, callback)
    conversations.resume(session, callback, settings)
    assert transfers.is_arriving(session, callback), "whatever time the dialer takes: no phone is gone"
    for there in (False, True):
        desk.phone_connected = there
        session.flush()
        assert transfers.is_arriving(session, callback) is there
    time_passes(session, callback, settings.hold_seconds * SECOND)
    assert not transfers.is_arriving(session, callback), "they hear that they will be called"


def test_desk_phone_lost_during_hold_is_waited_for(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    whole = callback.held_until
    for there in (False, True, False):
        conversations.adjust_holds(session, desk.id, there=there, settings=settings)
        desk.phone_connected = there
        assert callback.on_hold_at and callback.held_until
        assert callback.held_until == whole if there else callback.held_until < whole
    look(session, settings)
    session.refresh(callback)
    assert (callback.state, callback.hangup_asked_at) == (C.HELD, None)
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert callback.hangup_asked_at is not None, "told that they will be called, as whoever is held"


def test_hang_up_on_hold_costs_nothing(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    assert callback.state is C.ENDED
    assert conversations.find_default_outcome(callback) is Outcome.CALL_AGAIN


def test_undone_hang_up_on_hold_resumes_the_talk(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    conversations.hold(session, callback, settings)
    conversations.hang_up(session, callback)
    assert conversations.find_default_outcome(callback) is Outcome.REACHED, "the desk's end, and no cut"
    assert cut_conversations.find_at_desk(session, desk.id) is None
    conversations.undo(session, callback, desk, settings)
    assert (callback.state, callback.on_hold_at) == (C.HELD, None)


@pytest.mark.parametrize("state", sorted(set(C) - {C.TALKING}))
def test_hold_without_a_conversation_is_refused(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = a_callback(session, state)
    assert refusal(conversations.hold, session, callback, settings) == "wrong-state"
    if state is not C.HELD:
        assert refusal(conversations.resume, session, callback, settings) == "wrong-state"


def test_resume_and_timeout_at_once_hang_up_nobody(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.HELD)
        callback.held_until = callback.on_hold_at = now(session)

    def act(which: int) -> None:
        with writing(engine) as session:
            if which % 2:
                conversations.end_overdue(session, callback.token, settings)
            else:
                conversations.resume(session, session.get_one(Callback, callback.id), settings)

    at_once(6, act)
    with reading(engine) as session:
        held = session.get_one(Callback, callback.id)
        assert (held.state, held.on_hold_at, held.hangup_asked_at) == (C.HELD, None, None)
