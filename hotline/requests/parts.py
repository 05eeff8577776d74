"""A request split into parts for different departments; each part is a request of its own.

A part has no citizen. The whole has one: the citizen hears of one request, and is asked once, when all parts
are done. A transaction that changes a part locks the whole first (`work.get_for_update`). So the last part to
end sees that it is the last.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import AgencyReferral, Request, RequestEntry
from db.states import WITH_DEPARTMENT, RequestState, RequestStep
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.requests import categories
from hotline.requests.filing import LONGEST, add
from hotline.requests.lifecycle import log, move

_S, _T = RequestState, RequestStep
MOST = 5
"""Maximum number of parts of one request."""
_DONE = (_S.REPLIED, _S.REJECTED)
_UNTOUCHED = (_S.NEW, _S.REFERRED)


class Piece(NamedTuple):
    """The category of a part, and its text as written by the person who splits the request."""

    category: int
    written: str


class Result(NamedTuple):
    """The reply to the citizen about all parts, each part's last reply in it, and whether any part was
    solved.
    """

    whole: Request
    reply: str
    solved: bool


def split(
    session: Session, request: Request, pieces: Sequence[Piece], *, who: str, keeps_first: bool = False
) -> Sequence[Request]:
    """Split a request into parts without a department.

    With `keeps_first` the first part stays with the department that has the request now.

    Raises Refused("parts-count" | "text-missing" | "text-long" | "category-inactive" | "wrong-state").
    """
    if not 1 < len(pieces) <= MOST:
        raise Refused("parts-count", f"2 to {MOST} parts", "parts")
    if request.part_of_id:
        raise Refused("wrong-state", "it is a part itself")
    if request.state is _S.REPLIED:
        raise Refused("wrong-state", "its citizen is asked whether it is solved, and may say yes any moment")
    for piece in pieces:
        categories.get_active(session, piece.category)
        _check(piece.written)
    kept = _kept(request) if keeps_first else {}
    move(session, request, _S.SPLIT, department_id=None)
    parts = [
        add(session, **_of(request), category=piece.category, written=piece.written.strip(), **extra)
        for piece, extra in zip(pieces, [kept, *[{}] * (len(pieces) - 1)], strict=True)
    ]
    audit.record(session, who, "request-split", f"request {request.id}")
    for part in parts:
        facts: dict[str, Any] = {"department_id": part.department_id, "due_at": part.due_at}
        log(session, part, _T.PART, who, other_id=request.id, **facts)
    log(session, request, _T.SPLIT, who)
    return parts


def _check(written: str) -> None:
    if not written.strip():
        raise Refused("text-missing", "say what this part is", "written")
    if len(written.strip()) > LONGEST:
        raise Refused("text-long", f"at most {LONGEST} characters", "written")


def _kept(request: Request) -> dict[str, Any]:
    """Return what the first part keeps: its department, due date, escalation, and whether it is in work.

    Raises Refused("wrong-state").
    """
    if request.state not in WITH_DEPARTMENT:
        raise Refused("wrong-state", "no department has it")
    state = _S.ACCEPTED if request.state is _S.ASKED else request.state
    same = ("department_id", "due_at", "escalated_to")
    return {"state": state, **{name: getattr(request, name) for name in same}}


def _of(request: Request) -> dict[str, Any]:
    """Return what a part inherits: location, date and the city's promise, but not the citizen."""
    same = ("district", "language", "made_at", "solve_by", "latitude", "longitude", "place")
    return {"part_of_id": request.id, **{name: getattr(request, name) for name in same}}


def list_current(session: Session, whole: Request) -> Sequence[Request]:
    """Return the current parts of a split request, by id."""
    return [part for part in list_all(session, whole) if part.state is not _S.DUPLICATE]


def list_all(session: Session, whole: Request) -> Sequence[Request]:
    """Return all parts of a request, also those that were joined again, by id."""
    its = select(Request).where(Request.part_of_id == whole.id).order_by(Request.id)
    return session.scalars(its.execution_options(populate_existing=True)).all()


def join(session: Session, whole: Request, *, who: str) -> None:
    """Join the parts into one request again, as long as no department has begun to work on one.

    `department_work.accept_all` locks only the part, so each part is locked here as well. A part that an
    outside agency has received or answered is refused: its answer would be lost. Somebody must withdraw the
    agency's link first.

    Raises Refused("parts-begun" | "parts-answered" | "wrong-state").
    """
    if whole.state is not _S.SPLIT:
        raise Refused("wrong-state", "it is in no parts")
    held = select(Request.id).where(Request.part_of_id == whole.id).order_by(Request.id).with_for_update()
    session.execute(held)
    its = list_current(session, whole)
    if any(part.state not in _UNTOUCHED or part.replied_at for part in its):
        raise Refused("parts-begun", "a department has begun on a part")
    if _bodies_have(session, its):
        raise Refused("parts-answered", "a body outside the city has a part, or has answered of it")
    ended = {"duplicate_of_id": whole.id, "department_id": None}
    move_all(session, its, _S.DUPLICATE, **ended)
    move(session, whole, _before(session, whole), only=(_S.SPLIT,))
    audit.record(session, who, "request-joined", f"request {whole.id}")
    for part in its:
        log(session, part, _T.JOINED, who, other_id=whole.id)
    log(session, whole, _T.JOINED, who)


def _bodies_have(session: Session, its: Sequence[Request]) -> bool:
    answered = select(AgencyReferral.id).where(
        AgencyReferral.request_id.in_([part.id for part in its]),
        AgencyReferral.withdrawn_at.is_(None),
        or_(
            *(
                each.is_not(None)
                for each in (AgencyReferral.received_at, AgencyReferral.answered_at, AgencyReferral.done_at)
            )
        ),
    )
    return session.scalar(answered.limit(1)) is not None


def _before(session: Session, whole: Request) -> RequestState:
    """Return the state before the split: reopened if an objection was the last such step, else new."""
    moves = select(RequestEntry.step).where(
        RequestEntry.request_id == whole.id,
        RequestEntry.step.in_([_T.DENIED, _T.REFERRED, _T.SEPARATED]),
    )
    last = session.scalar(moves.order_by(RequestEntry.id.desc()).limit(1))
    return _S.REOPENED if last is _T.DENIED else _S.NEW


def list_solved(session: Session, whole: Request) -> Sequence[tuple[int, Request]]:
    """Return the parts that were replied to, with their positions among all; empty if there is only one."""
    found = [
        (place, part)
        for place, part in enumerate(list_current(session, whole), 1)
        if part.state is RequestState.REPLIED
    ]
    return found if len(found) > 1 else []


def find_whole(session: Session, request: Request) -> Request:
    """Return the whole of which the request is a part, else the request itself."""
    return session.get_one(Request, request.part_of_id) if request.part_of_id else request


def find_result(session: Session, part: Request) -> Result | None:
    """Return the reply about the whole request when this part was the last to end, else None."""
    session.flush()
    whole = find_whole(session, part)
    parts = list_current(session, whole)
    if whole is part or any(each.state not in _DONE for each in parts):
        return None
    said = " / ".join(dict.fromkeys(each.reply for each in parts))
    if len(said) > reasons.LONGEST:
        said = f"{said[: reasons.LONGEST - 1]}…"
    return Result(whole, said, any(each.state is _S.REPLIED for each in parts))


def move_all(session: Session, requests: Sequence[Request], to: RequestState, **values: Any) -> None:
    """Move several requests into one state as `move` does; the caller must log each of them."""
    for request in requests:
        move(session, request, to, **values)
