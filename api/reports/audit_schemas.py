"""JSON of the audit log."""

from datetime import datetime

from pydantic import BaseModel


class AuditAction(BaseModel):
    """An action of the audit log, and its text."""

    action: str
    text: str


class AuditEntry(BaseModel):
    """An entry of the audit log: as it is stored, and as text in the language asked for.

    `page`: the page of the entry's subject.
    """

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    reason: str
    who_text: str
    action_text: str
    subject_text: str
    reason_text: str
    page: str | None


class AuditPage(BaseModel):
    """A page of the audit log, newest first; `next` asks for older entries."""

    items: list[AuditEntry]
    next: int | None
