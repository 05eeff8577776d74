"""The end of a conversation can be undone for a moment."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Callback, Desk, LedgerEntry, Round
from db.states import CallbackState, Fact, Outcome
from hotline.callbacks import assignment, closing, conversations, serving, transitions
from hotline.errors import Refused
from settings import Settings
from tests.factories import SECOND, a_callback, a_desk, at_once
from tests.hotline.callbacks.conversing import called_ahead, look, speaks, talks, time_passes
from tests.kit.refusal import refusal

C, O = CallbackState, Outcome  # noqa: E741


def test_next_in_a_young_conversation_must_be_confirmed(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings, conversations.CONFIRM - 5 * SECOND)
    assert refusal(serving.ask_next, session, desk, callback.id, settings) == "confirm-next"
    assert callback.state is C.TALKING
    serving.ask_next(session, desk, callback.id, settings, confirmed=True)
    assert (callback.state, callback.said) == (C.PARTING, O.REACHED)


def test_end_that_is_not_undone_is_written_once(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    serving.ask_next(session, desk, callback.id, settings)
    look(session, settings)
    assert callback.hangup_asked_at is None, "there is still time"
    ended_at = callback.parting_at
    assert ended_at is not None and conversations.find_undo_end(callback) == ended_at + conversations.UNDO
    time_passes(session, callback, conversations.UNDO)
    look(session, settings)
    session.refresh(callback)
    assert callback.hangup_asked_at is not None
    assert conversations.find_undoable(session, desk.id) is None
    assert refusal(conversations.undo, session, callback, desk, settings) == "too-late"
    conversations.record_line_end(session, callback, settings, hung_up=True)
    assert (callback.outcome, callback.ended_at) == (O.REACHED, ended_at - conversations.UNDO)
    outcomes = select(LedgerEntry).where(LedgerEntry.fact == Fact.OUTCOME)
    assert len(session.scalars(outcomes).all()) == 1


@pytest.mark.parametrize("met", [True, False])
def test_undone_end_returns_the_next_citizen_to_the_line(
    session: Session, settings: Settings, round_: Round, desk: Desk, met: bool
) -> None:
    callback, ready = speaks(session, desk, settings), called_ahead(session, round_)
    assert serving.ask_next(session, desk, callback.id, settings) is ready
    if met:
        talks(session, ready, 0 * SECOND)
    conversations.undo(session, callback, desk, settings)
    session.refresh(desk)
    assert (callback.state, callback.said, callback.parting_at) == (C.HELD, None, None)
    assert (ready.state, ready.desk_id, ready.talking_at) == (C.WAITING, None, None)
    assert desk.next_asked_at is None
    assert transitions.find_live_at_desk(session, desk.id) is callback
    assert assignment.match(session) == 0
    talks(session, callback)
    assert serving.ask_next(session, desk, callback.id, settings) is ready
    assert refusal(conversations.undo, session, ready, desk, settings) == "too-late", "it is not over"


def test_undo_needs_a_free_desk_with_its_phone(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.PARTING)
    callback.said = O.REACHED
    session.flush()
    desk = session.get_one(Desk, callback.desk_id)
    desk.phone_connected = False
    session.flush()
    assert refusal(conversations.undo, session, callback, desk, settings) == "desk-phone-away"
    desk.phone_connected = True
    other = a_callback(session, C.RINGING)
    other.desk_id = desk.id
    session.flush()
    assert refusal(conversations.undo, session, callback, desk, settings) == "desk-busy"
    other.desk_id = a_desk(session).id
    session.flush()
    assert conversations.undo(session, callback, desk, settings).state is C.HELD


def test_outcome_makes_the_end_final(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.TALKING)
    desk = session.get_one(Desk, callback.desk_id)
    conversations.hang_up(session, callback)
    assert transitions.find_live_at_desk(session, desk.id) is callback, "the desk owes a word"
    closing.record_outcome(session, callback, O.REFUSED, settings)
    assert (callback.outcome, callback.hangup_asked_at is not None) == (O.REFUSED, True)
    assert refusal(conversations.undo, session, callback, desk, settings) == "too-late"


def test_outcome_said_by_next_refuses_another(session: Session, settings: Settings) -> None:
    callback = a_callback(session, C.TALKING)
    conversations.end_for_desk(session, callback, O.REACHED)
    assert refusal(closing.record_outcome, session, callback, O.REFUSED, settings) == "wrong-state"


@pytest.mark.parametrize("said", [None, O.REACHED])
def test_hang_up_during_the_undo_time_is_final(
    session: Session, settings: Settings, said: Outcome | None
) -> None:
    callback = a_callback(session, C.TALKING)
    conversations.end_for_desk(session, callback, said)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    assert (callback.state, callback.outcome) == ((C.CLOSED, said) if said else (C.ENDED, None))
    if not said:
        assert conversations.find_default_outcome(callback) is O.REACHED, "the desk ended it"


def test_undo_and_end_at_once_have_one_result(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.PARTING)
        callback.said = O.REACHED

    def act(which: int) -> str:
        with writing(engine) as session:
            mine = session.get_one(Callback, callback.id)
            if which % 2:
                conversations.record_line_end(session, mine, settings, hung_up=True)
                return "ended"
            try:
                conversations.undo(session, mine, session.get_one(Desk, mine.desk_id), settings)
            except Refused:
                return "refused"
            return "undone"

    done = at_once(2, act)
    with reading(engine) as session:
        came = session.get_one(Callback, callback.id)
        if "undone" in done:
            assert (came.state, came.outcome) in ((C.HELD, None), (C.ENDED, None))
        else:
            assert (came.state, came.outcome) == (C.CLOSED, O.REACHED)
