"""The audit log: who did what to whom, and why. Written in the transaction of the deed itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry
from hotline.errors import Refused

COMMAND_LINE = "command line"
SYSTEM = "system"
"""What nobody did: it happened because nobody did anything."""
_AGAIN = timedelta(minutes=10)
DIRECTORY = "the directory"
"""The office's directory said so; no username has a blank."""
STRANGER = "stranger"
"""Whoever was not let in."""
CITIZEN = "citizen"
"""By telephone, from the number of the place."""
SUPERVISOR = "supervisor's phone"
"""Whoever pressed 1 there: no name is known."""


def record(session: Session, who: str, action: str, subject: str, reason: str = "") -> None:
    """Write that the user `who` did `action` (for example `round-cancelled`) to `subject` (`round 3`)."""
    session.add(AuditEntry(at=now(session), who=who, action=action, subject=subject, reason=reason))


def record_once(session: Session, who: str, action: str, subject: str) -> None:
    """The same, but for what has been written a few minutes ago: a page asks again by itself."""
    same = exists().where(
        AuditEntry.who == who,
        AuditEntry.action == action,
        AuditEntry.subject == subject,
        AuditEntry.at > now(session) - _AGAIN,
    )
    if not session.scalar(select(same)):
        record(session, who, action, subject)


def check_reason(reason: str) -> str:
    """Why somebody does what needs a reason, for the audit log alone. Raises Refused("reason-missing")."""
    if not reason.strip():
        raise Refused("reason-missing", "say why; the audit log shows it")
    return reason.strip()


def search(
    session: Session,
    *,
    who: str = "",
    action: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[AuditEntry]:
    """Entries, newest first, at most `limit`; only those that match each word given, older than `before`.

    `subject` is a whole one (`round 3`) or its kind (`round`); `since` counts, `until` does not.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if who:
        query = query.where(AuditEntry.who == who)
    if action:
        query = query.where(AuditEntry.action == action)
    if subject:
        more = (AuditEntry.subject.startswith(f"{subject}{end}", autoescape=True) for end in " ,")
        query = query.where(or_(AuditEntry.subject == subject, *more))
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return session.scalars(query).all()
