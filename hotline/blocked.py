"""Numbers that may not register."""

from sqlalchemy.orm import Session

from db.engine import now
from db.models import BlockedNumber, BlockReason
from hotline.errors import Blocked


def block(session: Session, number: str, reason: BlockReason) -> None:
    """Refuse registrations of the E.164 `number` from now on. What it has in a line stays there."""
    session.merge(BlockedNumber(number=number, reason=reason, blocked_at=now(session)))


def unblock(session: Session, number: str) -> None:
    """Let it register again; nothing happens if it could."""
    row = session.get(BlockedNumber, number)
    if row:
        session.delete(row)


def check(session: Session, number: str) -> None:
    """Raises Blocked if the E.164 `number` may not register."""
    row = session.get(BlockedNumber, number)
    if row:
        raise Blocked(row.reason)
