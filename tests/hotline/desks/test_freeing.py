"""A supervisor frees a citizen from a desk, in whatever state: they pay nothing and are first again."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, Callback
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import conversations
from hotline.desks import freeing
from settings import Settings
from tests import factories as make
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C, R = CallbackState, RegistrationState
WHY = "میز برنمی‌گردد"


def frees(session: Session, callback: Callback, settings: Settings) -> Callback:
    freeing.free(session, callback, settings, who="the-supervisor", reason=WHY)
    session.refresh(callback)
    return callback


def freed(session: Session, settings: Settings, state: CallbackState) -> Callback:
    """A callback that a supervisor has freed in this state."""
    return frees(session, make.a_callback(session, state), settings)


def log(session: Session) -> list[tuple[str, str, str]]:
    found = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-freed"))
    return [(entry.who, entry.subject, entry.reason) for entry in found]


@pytest.mark.parametrize("state", [C.TALKING, C.HELD])
def test_given_a_conversation_that_hangs_when_freed_then_its_line_is_ended_and_the_place_is_due_at_once(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert callback.state is C.HELD and callback.hangup_asked_at, "hears a kind word"
    conversations.line_ended(session, callback, settings, hung_up=False)
    session.refresh(callback)
    place = callback.registration
    assert (callback.outcome, place.state, place.attempts) == (Outcome.CALL_AGAIN, R.WAITING, 0)
    assert place.not_before is not None and place.not_before <= now(session)


def test_given_a_citizen_on_hold_when_freed_then_nobody_brings_them_back_to_the_desk(
    session: Session, settings: Settings
) -> None:
    callback = make.a_callback(session, C.TALKING)
    conversations.put_on_hold(session, callback, settings)
    session.refresh(callback)
    frees(session, callback, settings)
    assert callback.on_hold_at is None and callback.hangup_asked_at
    assert callback.token not in conversations.overdue(session)


def test_given_somebody_who_was_taken_and_not_called_when_freed_then_they_are_back_in_their_place(
    session: Session, settings: Settings
) -> None:
    callback = freed(session, settings, C.CLAIMED)
    place = callback.registration
    assert (callback.outcome, place.state, place.not_before) == (Outcome.RETURNED, R.WAITING, None)


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING])
def test_given_a_phone_that_rings_when_freed_then_the_call_is_nobodys_and_is_to_end(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert (callback.state, callback.desk_id) == (state, None)
    assert callback.hangup_asked_at


@pytest.mark.parametrize("state", [C.ANSWERED, C.WAITING])
def test_given_a_citizen_who_listens_when_freed_then_a_kind_word_is_due(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert callback.state is state and callback.again_at and callback.hangup_asked_at


def test_given_a_supervisor_who_frees_twice_when_logged_then_it_is_once_with_the_reason(
    session: Session, settings: Settings
) -> None:
    callback = make.a_callback(session, C.TALKING)
    desk = callback.desk_id
    frees(session, callback, settings)
    frees(session, callback, settings)
    assert log(session) == [("the-supervisor", f"callback {callback.id}", f"desk {desk}: {WHY}")]


@pytest.mark.parametrize("state", [C.SCREENING, C.PARTING, C.ENDED, C.CLOSED])
def test_given_a_call_that_is_over_or_another_desks_when_freed_then_it_is_refused(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = make.a_callback(session, state)
    assert refusal(lambda: frees(session, callback, settings)) == "wrong-state"
    assert log(session) == []


def test_given_no_reason_when_freed_then_it_is_refused(session: Session, settings: Settings) -> None:
    callback = make.a_callback(session, C.TALKING)
    free = freeing.free
    assert refusal(lambda: free(session, callback, settings, who="x", reason=" ")) == "reason-missing"
