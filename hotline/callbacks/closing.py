"""Outcomes of callbacks: a desk or a call records one, and the registration moves on."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, OutboxKind, Registration, Round
from db.states import FREE_OF_CHARGE, RETRIED, CallbackState, Fact, Outcome, RegistrationState
from hotline import audit
from hotline.callbacks import own_faults, schedule, transitions
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.messages import outbox
from hotline.rounds import phases
from settings import Settings


def record_outcome(
    session: Session,
    callback: Callback,
    outcome: Outcome,
    settings: Settings,
    *,
    again_at: datetime | None = None,
    agreed_by: str | None = None,
) -> Callback:
    """Record the outcome that the desk gives. The same outcome again changes nothing.

    `again_at`: the time at which a citizen asked to be called again
    (`schedule.find_promised_time`). `agreed_by`: the user who agreed that time with the citizen; it
    then holds in quiet hours, too. Raises
    Refused("wrong-state") during the call, or if another outcome is recorded. Raises Refused("never-met") if
    desk and citizen never met in the room, and Refused("too-far-ahead" | "agreed-without-time").
    """
    # read and locked again: another tab, «next» or the end of the line may have changed the row
    session.refresh(callback, with_for_update={"key_share": True})
    state = callback.state
    if state is CallbackState.CLOSED and callback.outcome is outcome:
        return callback
    without_call = outcome is Outcome.RETURNED
    if state not in ((CallbackState.CLAIMED,) if without_call else _OWES_OUTCOME) or callback.said:
        raise Refused("wrong-state", f"the callback is {state}, outcome {callback.outcome}")
    if outcome is Outcome.REACHED and callback.talking_at is None:
        raise Refused("never-met", "the desk and the citizen were never in the room together")
    values: dict[str, Any] = {}
    if state is CallbackState.PARTING:  # undo is over; the dialer hangs up and records the end
        values = {"hangup_asked_at": now(session), "ended_at": None}
    if agreed_by:
        record_agreement(session, callback, outcome, again_at, who=agreed_by)
    agreed = agreed_by is not None
    closed = close(session, callback.token, outcome, settings, again_at=again_at, agreed=agreed, **values)
    if closed is None:
        raise Refused("wrong-state", "the callback has just moved on")
    return closed


def record_agreement(
    session: Session, callback: Callback, outcome: Outcome, again_at: datetime | None, *, who: str
) -> None:
    """Record in the audit log who agreed the time of a call with the citizen.

    Raises Refused("agreed-without-time").
    """
    at = schedule.check_agreed(outcome, again_at).astimezone(CITY)
    audit.record(session, who, "call-agreed", f"callback {callback.id}", f"{at:%Y-%m-%d %H:%M}")


_OWES_OUTCOME = (CallbackState.PARTING, CallbackState.ENDED)


def close(
    session: Session,
    token: str,
    outcome: Outcome,
    settings: Settings,
    *,
    until: datetime | None = None,
    again_at: datetime | None = None,
    agreed: bool = False,
    cut: own_faults.Cut | None = None,
    **values: Any,
) -> Callback | None:
    """Record the outcome and move the registration on; None if the callback was closed before.

    FAILED becomes UNREACHABLE if the fault is the citizen's own phone (own_faults). `until`: the earliest
    retry, whatever the outcome. `again_at`: the citizen's own wish, which outranks both. If it is `agreed`,
    it outranks the quiet hours, too. `cut`: the cause if neither a script nor the citizen ended an answered
    call. Raises Refused("too-far-ahead").
    """
    at = now(session)
    callback = transitions.find_by_token(session, token)
    if callback is None:
        return None
    values.setdefault("ended_at", callback.ended_at or at)
    if cut:
        values.setdefault("held_until", at)
    if outcome is Outcome.FAILED and own_faults.is_phones_fault(session, callback):
        outcome = Outcome.UNREACHABLE
    closed = transitions.move_unheard(session, token, CallbackState.CLOSED, outcome=outcome, **values)
    if closed is None:
        return None
    registration = session.get_one(Registration, closed.registration_id, populate_existing=True)
    registration.last_outcome = outcome
    registration.attempts += outcome not in FREE_OF_CHARGE
    round_ = phases.get(session, closed.round_id)
    registration.state = _after(outcome, registration.attempts, round_, settings)
    if outcome in RETRIED and registration.state is RegistrationState.CLOSED:
        outbox.tell(session, OutboxKind.CLOSED, registration, about_round=round_.id)
    if outcome is Outcome.FAILED:
        until = max(until or at, at + own_faults.find_pause(session, closed, settings, cut=cut))
    if again_at and outcome is Outcome.CALL_AGAIN:
        closed.again_at, closed.agreed = again_at, agreed
        registration.not_before = schedule.find_promised_time(
            again_at, at, round_, settings, agreed=agreed
        ).due
    else:
        registration.not_before = schedule.find_not_before(
            outcome, registration.attempts, at, settings, until
        )
    session.flush()  # lock order: all rows before the log
    said = {"agreed": True} if closed.agreed else {}
    entries.record(session, Fact.OUTCOME, registration, outcome=outcome, **said)
    events.append_callback(session, closed)
    events.append_registration(session, registration)
    return closed


def _after(outcome: Outcome, attempts: int, round_: Round, settings: Settings) -> RegistrationState:
    """Return the registration's state after this outcome.

    The operators' line has no next round, so it closes a place whose attempts are used up.
    """
    if outcome is Outcome.REACHED:
        return RegistrationState.REACHED
    if outcome not in RETRIED:
        return RegistrationState.CLOSED
    used_up = outcome not in FREE_OF_CHARGE and attempts >= settings.max_attempts
    if not used_up:
        return RegistrationState.WAITING
    return RegistrationState.CLOSED if round_.is_operators_line else RegistrationState.UNREACHED
