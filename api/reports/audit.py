"""The audit log: read by pages, and exported whole."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from api import schemas, spreadsheets, views
from api.access import Database, MayInspect, Reading
from api.ids import QueryId
from api.reports import audit_schemas
from db.engine import reading, writing
from hotline import audit
from hotline.dates import Language
from hotline.reports import audit_subjects, audit_texts

router = APIRouter(prefix="/audit", tags=["audit"])

Word = Annotated[schemas.Text, Query(max_length=80)]
_AT_ONCE = 500


class Wanted:
    """The filter of entries; `from` is included, `until` is not."""

    def __init__(
        self,
        *,
        who: Word = "",
        action: Word = "",
        subject: Word = "",
        since: Annotated[schemas.Moment | None, Query(alias="from")] = None,
        until: schemas.Moment | None = None,
    ) -> None:
        self.values: dict[str, Any] = {
            "who": who,
            "action": action,
            "subject": subject,
            "since": since,
            "until": until,
        }

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.values.items() if value)


@router.get("")
def list_entries(
    *,
    _user: MayInspect,
    session: Reading,
    wanted: Annotated[Wanted, Depends()],
    language: Language = "en",
    before: QueryId | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> audit_schemas.AuditPage:
    """The audit log, newest first; only entries that match all given words."""
    found = audit.search(session, before=before, limit=limit + 1, **wanted.values)
    items = views.list_audit_entries(session, found[:limit], language)
    return audit_schemas.AuditPage(items=items, next=items[-1].id if len(found) > limit else None)


@router.get("/actions")
def list_actions(_user: MayInspect, language: Language = "en") -> list[audit_schemas.AuditAction]:
    """All actions, for a list to choose from."""
    named = [
        audit_schemas.AuditAction(action=action, text=text)
        for action, text in audit_texts.list_actions(language).items()
    ]
    return sorted(named, key=lambda one: one.text)


@router.get("/export", response_class=StreamingResponse)
def export(
    user: MayInspect, engine: Database, wanted: Annotated[Wanted, Depends()], language: Language = "fa"
) -> StreamingResponse:
    """All matching entries as CSV, in the city's time; the audit log shows who exported it."""
    with writing(engine) as session:  # committed before the first byte is sent
        audit.record(session, user.username, "audit-exported", "audit", str(wanted)[:500])
    return spreadsheets.make_csv("audit", audit_texts.list_columns(language), _rows(engine, wanted, language))


def _rows(engine: Engine, wanted: Wanted, language: Language) -> Iterator[tuple[str, ...]]:
    before: int | None = None
    while True:
        with reading(engine) as session:
            found = audit.search(session, before=before, limit=_AT_ONCE, **wanted.values)
            named = audit_subjects.find_names(session, (entry.subject for entry in found), language)
        for entry in found:
            yield (
                spreadsheets.format_moment(entry.at, language),
                *audit_texts.describe_entry(entry, language, named),
            )
        if len(found) < _AT_ONCE:
            return
        before = found[-1].id
