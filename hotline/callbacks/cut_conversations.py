"""Conversations that our own side cut: the desk may call the citizen again at once."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, User
from db.states import ON_THE_PHONE, CallbackState, Outcome, Phase, RegistrationState
from hotline.callbacks import claims, conversations, transitions
from hotline.errors import Refused
from hotline.line import busy_numbers, order
from hotline.rounds import phases
from hotline.trunk import call_caps
from settings import Settings

_SPOKE = or_(
    Callback.talking_at.is_not(None),
    Callback.outcome.is_(None),
    Callback.outcome.not_in((Outcome.FAILED, Outcome.UNREACHABLE)),
)
"""Not a call that was cut before the two spoke: that citizen is called again without the desk's doing."""


def find_at_desk(session: Session, desk_id: int) -> Callback | None:
    """Return the desk's newest cut conversation if its citizen may be called again for the desk now."""
    last = session.scalar(
        select(Callback)
        .where(
            Callback.desk_id == desk_id,
            Callback.held_until.is_not(None),
            _SPOKE,
        )
        .order_by(Callback.held_until.desc(), Callback.id.desc())
        .limit(1)
    )
    return last if last is not None and _may_be_called_again(session, last) else None


def _may_be_called_again(session: Session, callback: Callback) -> bool:
    round_ = phases.get(session, callback.round_id)
    if callback.held_until is None or phases.find_phase(round_, now(session)) is not Phase.LIVE:
        return False
    if callback.state is CallbackState.ENDED:
        return True
    registration = callback.registration
    if callback.outcome is not Outcome.CALL_AGAIN or registration.round_id != callback.round_id:
        return False
    if registration.state is RegistrationState.WAITING:
        return order.is_due(registration, now(session)) and not _was_called_since(session, callback)
    called_ahead = transitions.find_by_registration(session, registration.id)
    return called_ahead is not None and _for_any_desk(called_ahead)


def _was_called_since(session: Session, callback: Callback) -> bool:
    """Return whether the citizen was called again since the cut, and now waits like all others.

    A call that never reached their phone does not count.
    """
    again = exists().where(
        Callback.registration_id == callback.registration_id,
        Callback.id > callback.id,
        Callback.outcome.not_in((Outcome.RETURNED, Outcome.FAILED)),
    )
    return bool(session.scalar(select(again)))


def _for_any_desk(callback: Callback) -> bool:
    return callback.desk_id is None and not callback.hangup_asked_at and callback.state in ON_THE_PHONE


def call_again_now(session: Session, callback: Callback, desk: Desk, settings: Settings) -> Callback:
    """Call the citizen whose conversation our side cut for this desk at once.

    The ledger names the citizens who are passed. If the dialer already calls this citizen ahead, the desk
    takes that call over. Raises Refused("desk-phone-away" | "desk-hears" | "desk-phone-elsewhere" |
    "desk-busy" | "calls-capped" | "wrong-state" | "engaged"). Also raises the errors of
    `transitions.check_may_be_called` and `call_caps.check_capacity`.
    """
    transitions.hold(session, desk)
    events.hold_line(session, callback.round_id)
    session.refresh(callback, with_for_update={"key_share": True})
    transitions.check_phone(desk)
    transitions.check_same_node(session, desk, callback.round_id)
    transitions.check_may_be_called(session, callback)
    if not _may_be_called_again(session, callback):
        raise Refused("wrong-state", f"the callback is {callback.state}, outcome {callback.outcome}")
    back = conversations.send_back(session, desk, but=callback)
    if callback.state is CallbackState.ENDED:
        conversations.return_to_line(session, callback.token, now(session), settings)
    again = _take_called_ahead(session, callback, desk) or _take_again(session, callback, desk, settings)
    for waits in back:
        events.append_callback(session, waits)
    return again


def _take_called_ahead(session: Session, before: Callback, desk: Desk) -> Callback | None:
    called_ahead = transitions.find_by_registration(session, before.registration_id)
    if called_ahead is None or not _for_any_desk(called_ahead):
        return None
    session.refresh(called_ahead, with_for_update={"key_share": True})
    if not _for_any_desk(called_ahead) or called_ahead.state is CallbackState.SCREENING:
        raise Refused("wrong-state", "somebody else speaks with the citizen")
    called_ahead.desk_id, called_ahead.user_id = desk.id, _person(session, desk)
    session.flush()
    events.append_callback(session, called_ahead)
    return called_ahead


def _take_again(session: Session, before: Callback, desk: Desk, settings: Settings) -> Callback:
    busy_numbers.check_free(session, before)
    call_caps.check_capacity(session, settings)
    if until := call_caps.find_next_free_at(session, before.registration.number, settings):
        raise Refused("calls-capped", f"this number has been called too often, until {until}")
    values = {"desk_id": desk.id, "user_id": _person(session, desk)}
    taken = claims.call_this(session, before.registration, **values)
    if taken is None:
        raise Refused("wrong-state", "the citizen does not wait in the line")
    return taken


def _person(session: Session, desk: Desk) -> int | None:
    return session.scalar(select(User.id).where(User.desk_id == desk.id))
