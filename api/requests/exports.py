"""Exports of requests as CSV: the filter's rows, newest first.

Each page is read in its own transaction, so a long export needs no more memory and blocks nobody.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import spreadsheets
from api.access import MAY_OVERSEE, Database, OfDepartment, SignedIn
from api.requests.reading import Wanted
from db.engine import now, reading, writing
from db.models import Escalation, Request
from hotline import audit, numbers
from hotline.dates import Language
from hotline.errors import Refused
from hotline.requests import categories, department_inbox, inbox
from hotline.requests.department_inbox import Part
from hotline.requests.inbox import Filter, Newest
from hotline.words import STAFF

router = APIRouter()

_AT_ONCE = 500
_SHOWN = (
    *("tracking", "category", "district", "state", "department", "made_at", "due_at", "solve_by"),
    *("overdue", "escalated", "number", "written", "place", "latitude", "longitude"),
    *("reply", "replied_at", "denials"),
)
_OF_OFFICE = ("department", "number")
"""Columns that a department's table leaves out."""


@router.get("/requests.csv", response_class=StreamingResponse, tags=["requests"])
def of_office(
    user: SignedIn, wanted: Wanted, engine: Database, language: Language = "fa", with_numbers: bool = False
) -> StreamingResponse:
    """All matching requests; the audit log shows who exported them.

    `with_numbers`: unmasked, only for roles that read histories.
    """
    if with_numbers and user.role not in MAY_OVERSEE:
        raise Refused("forbidden", "numbers are masked for this person")
    _record(engine, user.username, [*_told(wanted), *(["numbers"] if with_numbers else [])])
    ask = partial(inbox.list_newest, wanted=wanted)
    return _file(engine, ask, _SHOWN, language, with_numbers)


@router.get("/inbox.csv", response_class=StreamingResponse, tags=["inbox"])
def of_department(
    user: OfDepartment, engine: Database, part: Part = Part.WORK, language: Language = "fa"
) -> StreamingResponse:
    """My department's requests, or those that it solved; the audit log shows who exported them."""
    solved = ["replied"] if part is Part.SOLVED else []
    _record(engine, user.username, [f"department {user.department_id}", *solved])
    ask = partial(department_inbox.list_newest, department_id=user.department_id or 0, part=part)
    shown = [name for name in _SHOWN if name not in _OF_OFFICE]
    return _file(engine, ask, shown, language, False)


def _record(engine: Engine, who: str, told: Sequence[str]) -> None:
    """Record the export, committed before the first byte is sent."""
    with writing(engine) as session:
        audit.record(session, who, "requests-exported", "requests", ", ".join(told)[:500])


def _told(wanted: Filter) -> Iterator[str]:
    """Yield the filter's parts in the audit log's words."""
    named = {"category": wanted.category, "district": wanted.district, "department": wanted.department_id}
    yield from (f"{name} {value}" for name, value in (named | {"days": wanted.since_days}).items() if value)
    yield from wanted.states
    marks = {"overdue": wanted.overdue, "escalated": wanted.escalated, "mine": wanted.mine}
    yield from (name for name, is_asked in (marks | {"promised": wanted.promised}).items() if is_asked)


def _file(
    engine: Engine, ask: Newest, shown: Sequence[str], language: Language, whole: bool
) -> StreamingResponse:
    header = STAFF.table(language, "request-columns")
    rows = _rows(engine, ask, shown, language, whole)
    return spreadsheets.make_csv("137-requests", [header[name] for name in shown], rows)


def _rows(
    engine: Engine, ask: Newest, shown: Sequence[str], language: Language, whole: bool
) -> Iterator[Sequence[spreadsheets.Cell]]:
    before: int | None = None
    while True:
        with reading(engine) as session:
            found = ask(session, before=before, limit=_AT_ONCE)
            at = now(session)
            cells = [_cells(session, request, at, language, whole) for request in found]
        yield from ([each[name] for name in shown] for each in cells)
        if len(found) < _AT_ONCE:
            return
        before = found[-1].id


def _cells(
    session: Session, request: Request, at: datetime, language: Language, whole: bool
) -> dict[str, spreadsheets.Cell]:
    words = STAFF.table(language, "request-columns")
    category, department = categories.get(session, request.category), request.department
    name = "name_fa" if language == "fa" else "name_en"
    number = request.number and numbers.format_national(
        request.number if whole else numbers.mask(request.number)
    )
    moments = {name: getattr(request, name) for name in ("made_at", "due_at", "solve_by", "replied_at")}
    plain = ("tracking", "district", "written", "place", "latitude", "longitude", "reply", "denials")
    return {
        **{name: getattr(request, name) for name in plain},
        **{name: spreadsheets.format_moment(when, language) for name, when in moments.items()},
        "category": getattr(category, name),
        "department": getattr(department, name, ""),
        "state": STAFF.text(language, "request-states", request.state),
        "overdue": words["yes"] if request.owed_at and request.owed_at < at else "",
        "escalated": words["yes"] if request.escalated_to is Escalation.SUPERVISORS else "",
        "number": number or "",
    }
