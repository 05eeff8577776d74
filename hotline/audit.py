"""The audit log: who did what to whom, and why. Written in the transaction of the deed itself."""

from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry

COMMAND_LINE = "command line"


def record(session: Session, who: str, action: str, subject: str, reason: str = "") -> None:
    """Write that the user `who` did `action` (for example `round-cancelled`) to `subject` (`round 3`)."""
    session.add(AuditEntry(at=now(session), who=who, action=action, subject=subject, reason=reason))
