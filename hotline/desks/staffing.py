"""Desks of the office: their people, their phones, and outcomes that a supervisor gives for a desk."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Callback, Desk, User
from db.states import Outcome
from hotline import audit
from hotline.callbacks import closing, transitions
from hotline.errors import Refused
from settings import Settings

PhoneKind = Literal["browser", "sip", "number"]


def get(session: Session, desk_id: int, count: int) -> Desk:
    """Return a desk of the office, which has `count` desks. Raises Refused("not-found")."""
    if not 1 <= desk_id <= count:
        raise Refused("not-found", f"desks are numbered 1 to {count}")
    desk = session.get(Desk, desk_id)
    if desk is None:
        desk = Desk(id=desk_id, phone="browser", phone_connected=False)
        session.add(desk)
        session.flush()
    return desk


def list_used(session: Session) -> dict[int, Desk]:
    """Return the desks that were ever used, by number."""
    return {desk.id: desk for desk in session.scalars(select(Desk).order_by(Desk.id))}


def find_people(session: Session) -> dict[int, User]:
    """Return the person of each desk that has one, by desk."""
    return {
        user.desk_id: user
        for user in session.scalars(select(User).where(User.desk_id.is_not(None)))
        if user.desk_id
    }


def find_in_hand(session: Session) -> dict[int, Callback]:
    """Return the callback without an outcome of each desk that has one, by desk."""
    live = select(Callback).where(Callback.desk_id.is_not(None), transitions.OCCUPIES)
    return {callback.desk_id: callback for callback in session.scalars(live) if callback.desk_id}


def find_phone_kind(desk: Desk) -> PhoneKind:
    """Return the desk's kind of phone: its browser, its SIP account, or a telephone that is called."""
    if desk.number:
        return "number"
    return "sip" if desk.phone == "sip" else "browser"


def record_account_shown(session: Session, desk: Desk, *, who: str) -> None:
    """Record in the audit log that somebody has read the password of the desk's SIP account."""
    audit.record(session, who, "desk-account-shown", f"desk {desk.id}")


def record_outcome(
    session: Session,
    desk: Desk,
    callback_id: int,
    outcome: Outcome,
    *,
    who: str,
    reason: str,
    settings: Settings,
) -> None:
    """Record the outcome for the desk's person, so that no citizen stays «calling».

    `reason`: why the person did not do it. Raises Refused("wrong-state" | "reason-missing"), also if the desk
    has another citizen by now.
    """
    reason = audit.check_reason(reason)
    live = transitions.find_live_at_desk(session, desk.id)
    if live is None or live.id != callback_id:
        raise Refused("wrong-state", "the desk does not have this citizen any more")
    closing.record_outcome(session, live, outcome, settings)
    audit.record(session, who, "outcome-said", f"callback {live.id}", f"desk {desk.id}, {outcome}: {reason}")
