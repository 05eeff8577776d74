"""A request of which parts belong to different departments: each part is a request of its own.

A part has no citizen: the whole has, who hears of one thing, and is asked once, when all parts are done.
Whoever changes a part holds the whole first (work.get_for_update), so the last one sees that it is the last.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import Pass, Request, RequestEntry
from db.states import WITH_DEPARTMENT, RequestState, RequestStep
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.requests import categories
from hotline.requests.filing import LONGEST, add
from hotline.requests.requests import log, move

_S, _T = RequestState, RequestStep
MOST = 5
"""Parts of one request."""
_DONE = (_S.REPLIED, _S.REJECTED)
_UNTOUCHED = (_S.NEW, _S.REFERRED)


class Piece(NamedTuple):
    """What a part is about, in the words of who splits."""

    category: int
    written: str


class Result(NamedTuple):
    """What the citizen is told of all parts: the last word of each; and whether anything was solved."""

    whole: Request
    reply: str
    solved: bool


def split(
    session: Session, request: Request, pieces: Sequence[Piece], *, who: str, keeps_first: bool = False
) -> Sequence[Request]:
    """Make parts of it, with no department; or the first one with the department that has it all by now.

    Raises Refused("parts-count" | "text-missing" | "text-long" | "category-inactive" | "wrong-state").
    """
    if not 1 < len(pieces) <= MOST:
        raise Refused("parts-count", f"2 to {MOST} parts", "parts")
    if request.part_of_id:
        raise Refused("wrong-state", "it is a part itself")
    if request.state is _S.REPLIED:
        raise Refused("wrong-state", "its citizen is asked whether it is solved, and may say yes any moment")
    for piece in pieces:
        categories.in_use(session, piece.category)
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
    """The department, its date, and whether it is in work."""
    if request.state not in WITH_DEPARTMENT:
        raise Refused("wrong-state", "no department has it")
    state = _S.ACCEPTED if request.state is _S.ASKED else request.state
    same = ("department_id", "due_at", "escalated_to")
    return {"state": state, **{name: getattr(request, name) for name in same}}


def _of(request: Request) -> dict[str, Any]:
    """What a part has of its whole: where and since when it is, and what was promised; not whose."""
    same = ("district", "language", "made_at", "solve_by", "latitude", "longitude", "place")
    return {"part_of_id": request.id, **{name: getattr(request, name) for name in same}}


def of(session: Session, whole: Request) -> Sequence[Request]:
    """Its parts, as they are by now."""
    return [part for part in ever(session, whole) if part.state is not _S.DUPLICATE]


def ever(session: Session, whole: Request) -> Sequence[Request]:
    """The same, with those that were joined again."""
    its = select(Request).where(Request.part_of_id == whole.id).order_by(Request.id)
    return session.scalars(its.execution_options(populate_existing=True)).all()


def join(session: Session, whole: Request, *, who: str) -> None:
    """It is one thing again, while no department has begun on a part; each of them ends with it.

    Whoever accepts several holds the part alone, so the parts are held here, too.
    What a body outside the city has said of a part would be lost with it, and a link that it works by ended
    under its hands: somebody withdraws it first.
    Raises Refused("parts-begun" | "parts-answered" | "wrong-state").
    """
    if whole.state is not _S.SPLIT:
        raise Refused("wrong-state", "it is in no parts")
    held = select(Request.id).where(Request.part_of_id == whole.id).order_by(Request.id).with_for_update()
    session.execute(held)
    its = of(session, whole)
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
    answered = select(Pass.id).where(
        Pass.request_id.in_([part.id for part in its]),
        Pass.withdrawn_at.is_(None),
        or_(*(each.is_not(None) for each in (Pass.received_at, Pass.answered_at, Pass.done_at))),
    )
    return session.scalar(answered.limit(1)) is not None


def _before(session: Session, whole: Request) -> RequestState:
    """With no department, or, if its citizen had objected and nobody had taken that up, before all others."""
    moves = select(RequestEntry.step).where(
        RequestEntry.request_id == whole.id,
        RequestEntry.step.in_([_T.DENIED, _T.REFERRED, _T.SEPARATED]),
    )
    last = session.scalar(moves.order_by(RequestEntry.id.desc()).limit(1))
    return _S.REOPENED if last is _T.DENIED else _S.NEW


def solved(session: Session, whole: Request) -> Sequence[tuple[int, Request]]:
    """Those that were called solved, with their places among all; none where there is one thing only."""
    found = [
        (place, part)
        for place, part in enumerate(of(session, whole), 1)
        if part.state is RequestState.REPLIED
    ]
    return found if len(found) > 1 else []


def whole_of(session: Session, request: Request) -> Request:
    """The one of which it is a part; else itself."""
    return session.get_one(Request, request.part_of_id) if request.part_of_id else request


def result(session: Session, part: Request) -> Result | None:
    """What is to be said of the whole now that this part is done; nothing while another is not."""
    session.flush()
    whole = whole_of(session, part)
    parts = of(session, whole)
    if whole is part or any(each.state not in _DONE for each in parts):
        return None
    said = " / ".join(dict.fromkeys(each.reply for each in parts))
    if len(said) > reasons.LONGEST:
        said = f"{said[: reasons.LONGEST - 1]}…"
    return Result(whole, said, any(each.state is _S.REPLIED for each in parts))


def move_all(session: Session, requests: Sequence[Request], to: RequestState, **values: Any) -> None:
    """All of them go on together, each as `move` does it; they are to be logged."""
    for request in requests:
        move(session, request, to, **values)
