"""The audit log: who did what to whom, and why. Entries are written in the transaction of the act itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry
from db.trusted_time import STEP
from hotline.errors import Refused

COMMAND_LINE = "command line"
SYSTEM = "system"
"""No person acted: a timeout caused it."""
_AGAIN = timedelta(minutes=10)
DIRECTORY = "the directory"
"""The office's directory caused it; the blank keeps it apart from usernames."""
STRANGER = "stranger"
"""Somebody who was refused access."""
CITIZEN = "citizen"
"""A caller from the number of the place."""
SUPERVISOR = "supervisor's phone"
"""A person who pressed 1 at a supervisor's telephone; the name is unknown."""


def record(session: Session, who: str, action: str, subject: str, reason: str = "") -> None:
    """Record that the user `who` did `action` (for example `round-cancelled`) to `subject` (`round 3`)."""
    session.add(AuditEntry(at=now(session), who=who, action=action, subject=subject, reason=reason))


def record_once(session: Session, who: str, action: str, subject: str) -> None:
    """Record an act unless the same one was recorded within ten minutes, because pages repeat requests by
    themselves.
    """
    at = now(session)
    same = exists().where(
        AuditEntry.who == who,
        AuditEntry.action == action,
        AuditEntry.subject == subject,
        AuditEntry.at.between(at - _AGAIN, at + STEP),  # a later one is of a clock that has been set back
    )
    if not session.scalar(select(same)):
        record(session, who, action, subject)


def check_reason(reason: str) -> str:
    """Return a reason that only the audit log shows. Raises Refused("reason-missing")."""
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
    """Return at most `limit` entries, newest first, that match each given value and have ids below `before`.

    `subject` is a whole subject (`round 3`) or its kind (`round`); `since` is included, `until` is not.
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
