"""What goes over the wire between the API and those who read the audit log."""

from datetime import datetime

from pydantic import BaseModel


class AuditAction(BaseModel):
    """An action that the audit log knows, and what it is called."""

    action: str
    text: str


class AuditEntry(BaseModel):
    """Who did what to whom, when and why: as it is stored, and in words of the language asked for.

    `page` is the address, among the pages, of what it was done to.
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
    """A part of the audit log, newest first; `next` asks for what is older."""

    items: list[AuditEntry]
    next: int | None
