"""The office's desks: whose each is, which phone it has, and an outcome that its person never said."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Callback, Desk, User
from db.states import Outcome
from hotline import audit
from hotline.callbacks import callbacks, closing
from hotline.errors import Refused
from settings import Settings

PhoneKind = Literal["browser", "sip", "number"]


def get(session: Session, desk_id: int, count: int) -> Desk:
    """A desk of the office, which has `count` of them. Raises Refused("not-found")."""
    if not 1 <= desk_id <= count:
        raise Refused("not-found", f"desks are numbered 1 to {count}")
    desk = session.get(Desk, desk_id)
    if desk is None:
        desk = Desk(id=desk_id, phone="browser", phone_connected=False)
        session.add(desk)
        session.flush()
    return desk


def known(session: Session) -> dict[int, Desk]:
    """The desks that were ever used, by number."""
    return {desk.id: desk for desk in session.scalars(select(Desk).order_by(Desk.id))}


def people(session: Session) -> dict[int, User]:
    """Whose desk each is."""
    return {
        user.desk_id: user
        for user in session.scalars(select(User).where(User.desk_id.is_not(None)))
        if user.desk_id
    }


def in_hand(session: Session) -> dict[int, Callback]:
    """The callback without an outcome of each desk that has one."""
    live = select(Callback).where(Callback.desk_id.is_not(None), callbacks.OCCUPIES)
    return {callback.desk_id: callback for callback in session.scalars(live) if callback.desk_id}


def phone_kind(desk: Desk) -> PhoneKind:
    """Which phone the desk has: its browser, its SIP account, or a telephone that is called."""
    if desk.number:
        return "number"
    return "sip" if desk.phone == "sip" else "browser"


def account_shown(session: Session, desk: Desk, *, who: str) -> None:
    """Write down that somebody has read the password of the desk's SIP account."""
    audit.record(session, who, "desk-account-shown", f"desk {desk.id}")


def say_outcome(
    session: Session,
    desk: Desk,
    callback_id: int,
    outcome: Outcome,
    *,
    who: str,
    reason: str,
    settings: Settings,
) -> None:
    """Say in the place of the desk's person what became of the citizen, so that nobody is left «calling».

    `reason`: why not the person themselves. Raises Refused("wrong-state" | "reason-missing"), also where the
    desk has another citizen by now.
    """
    reason = audit.check_reason(reason)
    live = callbacks.live_at_desk(session, desk.id)
    if live is None or live.id != callback_id:
        raise Refused("wrong-state", "the desk does not have this citizen any more")
    closing.record_outcome(session, live, outcome, settings)
    audit.record(session, who, "outcome-said", f"callback {live.id}", f"desk {desk.id}, {outcome}: {reason}")
