"""Screening: an operator speaks with the next citizen first, and hands them over or closes the call."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk
from db.states import CallbackState, Outcome
from hotline.callbacks import assignment, closing, transitions
from hotline.errors import Refused
from settings import Settings

_WITHOUT_OFFICIAL = (Outcome.CALL_AGAIN, Outcome.REFUSED, Outcome.WRONG_NUMBER)


def screen(session: Session, callback: Callback, desk: Desk) -> Callback:
    """Let the operator at `desk` speak first with a waiting citizen.

    Raises Refused("wrong-state" | "desk-busy" | "desk-phone-away" | "desk-hears").
    """
    transitions.hold(session, desk)
    transitions.check_phone(desk)
    if transitions.find_live_at_desk(session, desk.id):
        raise Refused("desk-busy", "the desk has a callback of its own")
    # A desk may just have got the citizen, or the call may just have been let go.
    waits = and_(Callback.desk_id.is_(None), Callback.hangup_asked_at.is_(None))
    try:
        with session.begin_nested():
            screened = transitions.move(
                session, callback.token, CallbackState.SCREENING, waits, screen_desk_id=desk.id
            )
    except IntegrityError:
        raise Refused("desk-busy", "the desk speaks with another citizen first") from None
    if screened is None:
        raise Refused("wrong-state", "the citizen does not wait for anybody any more")
    return screened


def hand_over(session: Session, callback: Callback) -> Callback:
    """Hand the screened citizen over: they wait for any desk again. Raises Refused("wrong-state")."""
    if callback.state is not CallbackState.SCREENING:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    moved = transitions.move(session, callback.token, CallbackState.WAITING)
    if moved is None:
        raise Refused("wrong-state", "the callback has just moved on")
    assignment.match(session)
    return moved


def dismiss(
    session: Session,
    callback: Callback,
    outcome: Outcome,
    settings: Settings,
    *,
    again_at: datetime | None = None,
    agreed_by: str | None = None,
) -> Callback:
    """End the screened call with this outcome: nobody is handed over."""
    session.refresh(callback, ["state"], with_for_update={"key_share": True})
    if callback.state is not CallbackState.SCREENING or outcome not in _WITHOUT_OFFICIAL:
        raise Refused("wrong-state", f"the callback is {callback.state}; {outcome} was said")
    if agreed_by:
        closing.record_agreement(session, callback, outcome, again_at, who=agreed_by)
    # The dialer hangs up and records the end.
    ending: dict[str, Any] = {"hangup_asked_at": now(session), "ended_at": None}
    agreed, token = agreed_by is not None, callback.token
    closed = closing.close(session, token, outcome, settings, again_at=again_at, agreed=agreed, **ending)
    assert closed is not None  # noqa: S101  (its row is locked)
    return closed
