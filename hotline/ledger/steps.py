"""The history of requests in the ledger: one leaf of hashes for each step, without text or telephone number.

A leaf has three hashes: the citizen's part of the step, the office's part, and the note. Each has its own
salt, so nobody can guess the text. Deleting a note deletes its salt; the leaf stays.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db.models import LedgerEntry, Request, RequestEntry
from db.states import Fact, RequestStep
from hotline.ledger import entries

_BY_TIME = {RequestStep.REMINDED, RequestStep.TO_HEAD, RequestStep.TO_SUPERVISORS, RequestStep.UNANSWERED}
_BY_CITIZEN = {RequestStep.REPORTED, RequestStep.CONFIRMED, RequestStep.DENIED, RequestStep.ANSWERED}
_BY_BODY = {RequestStep.BODY_RECEIVED, RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE}
_CAN_BE_EMPTIED = {RequestStep.DENIED, RequestStep.ANSWERED, RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE}
"""Steps whose note may be deleted: the words of citizens and of outside agencies. The city's words stay."""
_PAGE = 2000


def append(session: Session, entry: RequestEntry, tracking: str) -> None:
    """Append the leaf of a step of the request with this tracking number; the step must have its id."""
    entries.append(
        session, Fact.REQUEST_STEP, None, None, _hashes(entry, tracking), at=entry.at, step=entry.id
    )


class Sealed(NamedTuple):
    """A step with its ledger entry, and the texts of two of the hashes: the citizen's part and the note."""

    step: RequestEntry
    entry: LedgerEntry
    told: str
    note: str | None
    """None if the note was deleted."""


def list_sealed(session: Session, steps: Sequence[RequestEntry], tracking: str) -> Sequence[Sealed]:
    """Return these steps of the request with their ledger entries, in order."""
    query = select(LedgerEntry).where(LedgerEntry.step_id.in_([step.id for step in steps]))
    found = {entry.step_id: entry for entry in session.scalars(query)}
    return [
        Sealed(step, found[step.id], _told(step, tracking), _note(step)) for step in steps if step.id in found
    ]


def list_problems(session: Session) -> Iterator[str]:
    """Yield every step that differs from its leaf or has none, and every leaf without its step."""
    last = 0
    while True:
        pairs = session.execute(_PAIRS.where(LedgerEntry.id > last).limit(_PAGE)).all()
        for entry, step, tracking in pairs:
            if step is None:
                yield f"entry {entry.id}: its step of a request's history is missing"
            else:
                for wrong in _differs(step, tracking, entry.details):
                    yield f"step {step.id} of request {step.request_id}: {wrong} entry {entry.id}"
        if len(pairs) < _PAGE:
            break
        last = pairs[-1][0].id
    for step_id, request_id in session.execute(_WITHOUT_LEAF):
        yield f"step {step_id} of request {request_id}: is not in the ledger"


_PAIRS = (
    select(LedgerEntry, RequestEntry, Request.tracking)
    .outerjoin(RequestEntry, RequestEntry.id == LedgerEntry.step_id)
    .outerjoin(Request, Request.id == RequestEntry.request_id)
    .where(or_(LedgerEntry.fact == Fact.REQUEST_STEP, LedgerEntry.step_id.is_not(None)))
    .order_by(LedgerEntry.id)
)
_HAS_LEAF = exists().where(LedgerEntry.step_id == RequestEntry.id, LedgerEntry.fact == Fact.REQUEST_STEP)
_WITHOUT_LEAF = select(RequestEntry.id, RequestEntry.request_id).where(~_HAS_LEAF).order_by(RequestEntry.id)


def _differs(step: RequestEntry, tracking: str, details: str) -> Iterator[str]:
    try:
        sealed_ = json.loads(details)
        kept = {name: sealed_[name] for name in ("step", "office", "note")}
    except (ValueError, KeyError, TypeError):
        yield "cannot be compared with"
        return
    now = _hashes(step, tracking)
    if now["step"] != kept["step"]:
        yield "what was done, when, or of which request, is not what was sealed in"
    if now["office"] != kept["office"]:
        yield "who did it, whose it is, or until when, is not what was sealed in"
    if step.note_salt is None and step.note == "":
        if step.step not in _CAN_BE_EMPTIED:
            yield "its note was emptied, which is the city's, of"
    elif now["note"] != kept["note"]:
        yield "its note is not what was sealed in"


def _hashes(step: RequestEntry, tracking: str) -> dict[str, str]:
    office = [_salt(step, "office"), step.who, step.department_id, _time(step.due_at), step.other_id]
    texts = {"step": _told(step, tracking), "office": _text(office), "note": _note(step) or ""}
    return {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}


def _told(step: RequestEntry, tracking: str) -> str:
    return _text([_salt(step, "step"), tracking, step.step, _time(step.at), find_actor(step)])


def find_actor(step: RequestEntry) -> Literal["time", "body", "citizen", "office"]:
    """Return who acted in the step.

    When an employee records a citizen's words, the office acted. The office also ends a split request whose
    parts are done.
    """
    if step.step in _BY_TIME:
        return "time"
    if step.step in _BY_BODY:
        return "body"
    return "citizen" if not step.who and step.step in _BY_CITIZEN else "office"


def _note(step: RequestEntry) -> str | None:
    return None if step.note_salt is None else _text([step.note_salt, step.note])


def _salt(step: RequestEntry, of: str) -> str:
    """Return a separate salt for each hash: the text of one hash helps nobody to guess another."""
    return sha256(f"{step.salt} {of}".encode()).hexdigest()


def _time(at: datetime | None) -> str | None:
    return entries.format_time(at.astimezone(UTC)) if at else None


def _text(parts: list[Any]) -> str:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
