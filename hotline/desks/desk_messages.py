"""Messages from a supervisor to a desk: each stays on the desk's page until its person has read it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Desk, DeskMessage, User
from hotline import audit
from hotline.errors import Refused

LONGEST = 300
_SHOWN = timedelta(hours=1)
"""How long supervisors still see a message that was read."""


def send(session: Session, desk_id: int, text: str, *, who: str) -> DeskMessage:
    """Send a message to the desk's person. Raises Refused("not-found" | "message-empty")."""
    if session.get(Desk, desk_id) is None:
        raise Refused("not-found", f"no desk {desk_id}")
    text = text.strip()
    if not text:
        raise Refused("message-empty", "a message says something")
    message = DeskMessage(desk_id=desk_id, text=text, who=who, sent_at=now(session))
    session.add(message)
    session.flush()
    audit.record(session, who, "desk-message-sent", f"desk {desk_id}", text)
    events.append_desk(session, desk_id, "message")
    return message


def confirm(session: Session, desk_id: int, message_id: int, *, who: str) -> None:
    """Record that the desk's person has read it; repeats change nothing. Raises Refused("not-found")."""
    message = session.get(DeskMessage, message_id, with_for_update=True)
    if message is None or message.desk_id != desk_id:
        raise Refused("not-found", f"no message {message_id} to this desk")
    if message.read_at is None:
        message.read_at, message.read_by = now(session), who
        events.append_desk(session, desk_id, "message-read")


_unread = DeskMessage.read_at.is_(None)


def list_unread(session: Session, desk_id: int) -> Sequence[Row[DeskMessage, str | None]]:
    """Return the desk's unread messages, oldest first, each with its sender's name."""
    mine = select(DeskMessage, User.name).outerjoin(User, User.username == DeskMessage.who)
    waits = mine.where(DeskMessage.desk_id == desk_id, _unread).order_by(DeskMessage.id)
    return session.execute(waits).all()


def list_newest(session: Session) -> dict[int, DeskMessage]:
    """Return the last message to each desk if it is unread or was read lately."""
    lately = or_(_unread, DeskMessage.read_at > now(session) - _SHOWN)
    last = select(func.max(DeskMessage.id)).group_by(DeskMessage.desk_id)
    found = session.scalars(select(DeskMessage).where(and_(DeskMessage.id.in_(last), lately)))
    return {message.desk_id: message for message in found}
