"""Supervision: a supervisor listens to a desk's conversation, whispers to the desk, or joins.

The desk's row (`hears_…`) holds the request for one conversation; the dialer moves the supervisor's phone.
The audit log records each begin and end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Desk, Hearing, User
from db.states import IN_TALK, CallbackState
from hotline import audit
from hotline.callbacks import transitions
from hotline.errors import Refused


def hear(session: Session, desk: Desk, heard_id: int, how: Hearing, *, who: str) -> None:
    """Let the phone of the supervisor's `desk` take part in the current conversation of the desk `heard_id`.

    Raises Refused("desk-phone-away" | "own-desk" | "not-found" | "desk-busy" | "nobody-speaks" |
    "desk-elsewhere").
    """
    session.refresh(desk, with_for_update=True)
    if not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if heard_id == desk.id:
        raise Refused("own-desk", "a desk hears another one")
    if session.get(Desk, heard_id) is None:
        raise Refused("not-found", f"no desk {heard_id}")
    if _busy(session, desk):
        raise Refused("desk-busy", "the desk has a citizen of its own")
    live = transitions.find_live_at_desk(session, heard_id)
    if live is None or live.state is not CallbackState.TALKING:
        raise Refused("nobody-speaks", f"desk {heard_id} speaks with nobody")
    if desk.node and live.node and desk.node != live.node:
        raise Refused("desk-elsewhere", f"desk {heard_id} speaks on node {live.node}")
    if (desk.hears_callback_id, desk.hears_how) == (live.id, how):
        return
    before = desk.hears_callback_id
    desk.hears_desk_id, desk.hears_callback_id, desk.hears_how = heard_id, live.id, how
    desk.next_asked_at = None
    session.flush()  # lock order: rows before the log
    if before is not None:
        audit.record(session, who, "supervision-ended", f"callback {before}")
    audit.record(session, who, "supervision-began", f"callback {live.id}", f"{how}, desk {heard_id}")
    events.append_desk(session, desk.id, "hears")
    events.append_desk(session, heard_id, "is-heard")


def stop_by(session: Session, desk: Desk, *, who: str, why: str = "") -> None:
    """End the supervision by this desk."""
    if desk.hears_desk_id is None:
        return
    _tell_ended(session, desk.id, _ends(session, desk, who, why))


def _ends(session: Session, desk: Desk, who: str, why: str) -> int | None:
    audit.record(session, who, "supervision-ended", f"callback {desk.hears_callback_id}", why)
    heard = desk.hears_desk_id
    desk.hears_desk_id = desk.hears_callback_id = desk.hears_how = None
    session.flush()
    return heard


def _tell_ended(session: Session, desk_id: int, heard_id: int | None) -> None:
    events.append_desk(session, desk_id, "heard-out")
    if heard_id is not None:
        events.append_desk(session, heard_id, "is-heard")


@dataclass(frozen=True)
class Ear:
    """Participant of a desk's conversation."""

    desk_id: int
    how: Hearing
    name: str


_EARS = (
    select(Desk.hears_desk_id, Desk.hears_how, User.name)
    .outerjoin(User, User.desk_id == Desk.id)
    .where(Desk.hears_desk_id.is_not(None))
    .order_by(Desk.id)
)


def list_supervisors(session: Session) -> list[Ear]:
    """Return all supervisors in conversations: by the city's rule the desk is told."""
    rows = session.execute(_EARS).all()
    return [Ear(row.hears_desk_id, Hearing(row.hears_how), row.name or "") for row in rows]


_HEARING = select(Desk).where(Desk.hears_desk_id.is_not(None)).order_by(Desk.id)


def list_hearing(session: Session) -> Sequence[Desk]:
    """Return the desks that hear another desk."""
    return session.scalars(_HEARING).all()


def has_over(session: Session) -> bool:
    """Return whether `end_over` has work."""
    return any(_why_over(session, desk) for desk in list_hearing(session))


def end_over(session: Session) -> None:
    """End supervisions after the conversation, without a phone, or with a citizen of the desk's own."""
    held = _HEARING.with_for_update(of=Desk, key_share=True).execution_options(populate_existing=True)
    found = [(desk, why) for desk in session.scalars(held).all() if (why := _why_over(session, desk))]
    heard = []
    for desk, why in found:
        who = session.scalar(select(User.username).where(User.desk_id == desk.id))
        heard.append((desk.id, _ends(session, desk, who or f"desk {desk.id}", why)))
    for desk_id, heard_id in heard:  # lock order: rows before the log
        _tell_ended(session, desk_id, heard_id)


def _why_over(session: Session, desk: Desk) -> str:
    heard = session.get_one(Desk, desk.hears_desk_id)
    live = session.get_one(Callback, desk.hears_callback_id)
    # While the citizen is held, the supervisor waits in their own room for the desk's phone.
    held = live.state is CallbackState.HELD
    if not desk.phone_connected or not (heard.phone_connected or held):
        return "the phone left"
    if live.state not in IN_TALK or live.desk_id != heard.id:
        return "the conversation is over"
    return "a citizen of the desk's own" if _busy(session, desk) else ""


def _busy(session: Session, desk: Desk) -> bool:
    live, screened = (
        transitions.find_live_at_desk(session, desk.id),
        transitions.find_screened_at_desk(session, desk.id),
    )
    return live is not None or screened is not None
