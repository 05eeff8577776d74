"""The audit log."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import office_schemas as office
from api import schemas
from api.access import Inspector, Reading
from hotline import audit

router = APIRouter(prefix="/audit", tags=["audit"])

Word = Annotated[schemas.Text, Query(max_length=80)]


@router.get("")
def list_entries(
    *,
    _user: Inspector,
    session: Reading,
    who: Word = "",
    action: Word = "",
    subject: Word = "",
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> office.AuditPage:
    """Who did what to whom, and why, newest first; only what matches the words given."""
    found = audit.search(session, who=who, action=action, subject=subject, before=before, limit=limit + 1)
    items = [office.AuditEntry.model_validate(entry, from_attributes=True) for entry in found[:limit]]
    return office.AuditPage(items=items, next=items[-1].id if len(found) > limit else None)
