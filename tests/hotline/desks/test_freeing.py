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
def test_freed_conversation_ends_and_the_place_is_due_at_once(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert callback.state is C.HELD and callback.hangup_asked_at, "hears a kind word"
    conversations.record_line_end(session, callback, settings, hung_up=False)
    session.refresh(callback)
    place = callback.registration
    assert (callback.outcome, place.state, place.attempts) == (Outcome.CALL_AGAIN, R.WAITING, 0)
    assert place.not_before is not None and place.not_before <= now(session)


def test_freed_citizen_on_hold_is_not_brought_back(session: Session, settings: Settings) -> None:
    callback = make.a_callback(session, C.TALKING)
    conversations.hold(session, callback, settings)
    session.refresh(callback)
    frees(session, callback, settings)
    assert callback.on_hold_at is None and callback.hangup_asked_at
    assert callback.token not in conversations.list_overdue(session)


def test_freed_unused_claim_returns_to_its_place(session: Session, settings: Settings) -> None:
    callback = freed(session, settings, C.CLAIMED)
    place = callback.registration
    assert (callback.outcome, place.state, place.not_before) == (Outcome.RETURNED, R.WAITING, None)


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING])
def test_freed_ringing_call_loses_its_desk_and_is_hung_up(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert (callback.state, callback.desk_id) == (state, None)
    assert callback.hangup_asked_at


@pytest.mark.parametrize("state", [C.ANSWERED, C.WAITING])
def test_freed_waiting_citizen_gets_a_goodbye(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = freed(session, settings, state)
    assert callback.state is state and callback.again_at and callback.hangup_asked_at


def test_repeated_freeing_is_audited_once_with_the_reason(session: Session, settings: Settings) -> None:
    callback = make.a_callback(session, C.TALKING)
    desk = callback.desk_id
    frees(session, callback, settings)
    frees(session, callback, settings)
    assert log(session) == [("the-supervisor", f"callback {callback.id}", f"desk {desk}: {WHY}")]


@pytest.mark.parametrize("state", [C.SCREENING, C.PARTING, C.ENDED, C.CLOSED])
def test_freeing_an_ended_or_foreign_call_is_refused(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    callback = make.a_callback(session, state)
    assert refusal(lambda: frees(session, callback, settings)) == "wrong-state"
    assert log(session) == []


def test_freeing_without_a_reason_is_refused(session: Session, settings: Settings) -> None:
    callback = make.a_callback(session, C.TALKING)
    free = freeing.free
    assert refusal(lambda: free(session, callback, settings, who="x", reason=" ")) == "reason-missing"
