"""The audit log: who did what to whom, and why. Written in the transaction of the deed itself."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry

COMMAND_LINE = "command line"


def record(session: Session, who: str, action: str, subject: str, reason: str = "") -> None:
    """Write that the user `who` did `action` (for example `round-cancelled`) to `subject` (`round 3`)."""
    session.add(AuditEntry(at=now(session), who=who, action=action, subject=subject, reason=reason))


def search(
    session: Session,
    *,
    who: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
    limit: int = 100,
) -> Sequence[AuditEntry]:
    """Entries, newest first, at most `limit`; only those that match each word given, older than `before`."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    for column, word in ((AuditEntry.who, who), (AuditEntry.action, action), (AuditEntry.subject, subject)):
        if word:
            query = query.where(column == word)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return session.scalars(query).all()
