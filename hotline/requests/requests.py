"""Requests: city problems reported to 137: how each stands, its moves and its history; made by `filing`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Pass, Release, Request, RequestEntry
from db.states import OPEN_REQUESTS, RequestState, RequestStep, request_sources
from hotline import tickets
from hotline.errors import Refused
from hotline.ledger import steps
from hotline.requests import spoken_replies

LATENESS = (RequestStep.REMINDED, RequestStep.TO_HEAD, RequestStep.TO_SUPERVISORS)
"""Who was told that a department is late."""
BY_BODY = (RequestStep.BODY_RECEIVED, RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE)
"""Said by a body outside the city, to which it was passed on."""
IN_WORDS_OF_BODY = (RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE)
OF_THE_OFFICE = (
    *(RequestStep.RETURNED, RequestStep.SEPARATED, RequestStep.SPLIT, RequestStep.PART),
    *(RequestStep.RECALLED, *BY_BODY),
    RequestStep.JOINED,
    *LATENESS,
)
"""What it does among itself is not the public's."""
TO_CITIZEN = (RequestStep.NEWS, RequestStep.REPLIED, RequestStep.REJECTED, RequestStep.ASKED)
BY_CITIZEN = (RequestStep.DENIED, RequestStep.ANSWERED)
_SAID = (*TO_CITIZEN, *BY_CITIZEN)

_LEFT = "left"
"""Which department saw a request before its move: in the session, by the request's id."""
_REMEMBERED = timedelta(days=60)
"""For so long a caller hears, by the number alone, what became of a request that is at its end."""


def get(session: Session, request_id: int) -> Request:
    """The request. Raises Refused("not-found")."""
    request = session.get(Request, request_id)
    if request is None:
        raise Refused("not-found", f"no request {request_id}")
    return request


def get_by_tracking(session: Session, typed: str, *, parts: bool = False) -> Request:
    """The request with the tracking number a person typed; one of its `parts` only for the office.

    Raises Refused("ticket-invalid" | "not-found").
    """
    tracking = tickets.parse(typed, tickets.TRACKING)
    request = session.scalar(select(Request).where(Request.tracking == tracking))
    if request is None or (request.part_of_id and not parts):
        raise Refused("not-found", "no request has this tracking number")
    return request


def of_call(session: Session, call_id: str) -> Request | None:
    """What was reported in this call, if anything."""
    made = select(Request).where(Request.call_id == call_id)
    return session.scalars(made.order_by(Request.id.desc()).limit(1)).first()


def latest(session: Session, number: str) -> Request | None:
    """What a caller with this E.164 number is told of: what is asked of them, else what is under way, else
    what came to its end not long ago.
    """
    query = select(Request).where(
        Request.number == number,
        Request.state.in_([*OPEN_REQUESTS, RequestState.DUPLICATE])
        | (Request.made_at > now(session) - _REMEMBERED),
    )
    order = (
        (Request.state != RequestState.REPLIED),
        Request.state.not_in(OPEN_REQUESTS),
        Request.id.desc(),
    )
    return session.scalars(query.order_by(*order).limit(1)).first()


def first(session: Session, request: Request) -> Request:
    """The request of which this one is a duplicate; else itself."""
    return session.get_one(Request, request.duplicate_of_id) if request.duplicate_of_id else request


class Progress(NamedTuple):
    """How a request stands, as its citizen may hear it: a duplicate as the first one (`joined`), one that is
    split as in work.
    """

    request_id: int
    state: RequestState
    joined: bool
    reply_of: int | None
    """The request whose reply lies as sound (spoken_replies), if there is one to be heard."""
    said_yes: bool = False
    """Whether a caller has said that it is solved, and the number may still say that it is not."""

    @property
    def asked(self) -> bool:
        """Whether the citizen is asked if it is solved."""
        return self.state is RequestState.REPLIED and not self.joined


def progress(session: Session, request: Request) -> Progress:
    """How it stands."""
    leading = first(session, request)
    reply_of = leading.id if spoken_replies.can_be_read(leading) else None
    state = _of_parts(session, leading) if leading.state is RequestState.SPLIT else leading.state
    said_yes = state is RequestState.REPLIED and _said_yes(session, request)
    return Progress(request.id, state, joined=leading is not request, reply_of=reply_of, said_yes=said_yes)


def _said_yes(session: Session, request: Request) -> bool:
    answers = select(RequestEntry.step).where(
        RequestEntry.request_id == request.id,
        RequestEntry.step.in_([RequestStep.REPLIED, RequestStep.CONFIRMED]),
    )
    last = session.scalar(answers.order_by(RequestEntry.id.desc()).limit(1))
    return last is RequestStep.CONFIRMED


def _of_parts(session: Session, whole: Request) -> RequestState:
    asks = select(Request.id).where(Request.part_of_id == whole.id, Request.state == RequestState.ASKED)
    return RequestState.ACCEPTED if session.scalar(asks.limit(1)) is None else RequestState.ASKED


def of_caller(session: Session, number: str) -> Progress | None:
    """How the request stands of which a caller with this E.164 number is told (`latest`)."""
    request = latest(session, number)
    return progress(session, request) if request else None


def may_answer(session: Session, request: Request, number: str | None) -> bool:
    """Whether a caller from this E.164 `number` (None: withheld), who has keyed in the tracking number, may
    say whether the request is solved.

    A request has no number if a program or the office brought it, if its citizen was deleted, or if its
    caller withheld the number: only in the last case is the tracking number something that only they know,
    as long as nobody releases it to the public.
    """
    if request.number is not None:
        return request.number == number
    return request.call_id is not None and session.get(Release, request.id) is None


def history(session: Session, request: Request) -> Sequence[RequestEntry]:
    """What was done with it, oldest first."""
    return session.scalars(_HISTORY, {"request": request.id}).all()


_HISTORY = (
    select(RequestEntry).where(RequestEntry.request_id == bindparam("request")).order_by(RequestEntry.id)
)


def proven(session: Session, request: Request) -> Sequence[steps.Sealed]:
    """What its citizen reads of its history, as it is sealed in the public ledger; no others' notes."""
    mine = [entry for entry, _ in told(session, request)]
    return [
        each if each.step.step in _SAID else each._replace(note=None)
        for each in steps.sealed(session, mine, request.tracking)
    ]


class Step(NamedTuple):
    """A step of a request's history as its citizen reads it, with what was said to them, or by them."""

    entry: RequestEntry
    note: str


def told(session: Session, request: Request) -> Sequence[Step]:
    """Its history, oldest first, without what the office does and writes among itself."""
    return told_in(history(session, request))


def told_in(history: Sequence[RequestEntry]) -> Sequence[Step]:
    """The same of one that was read."""
    return [
        Step(entry, entry.note if entry.step in _SAID else "")
        for entry in history
        if entry.step not in OF_THE_OFFICE
    ]


def sound(request: Request, folder: Path) -> Path:
    """The file of what its caller said. Raises Refused("not-found")."""
    path = folder / Path(request.voice_message).name if request.voice_message else None
    if path is None or path.is_symlink() or not path.is_file():
        raise Refused("not-found", "there is no message, or not any more")
    return path


def move(
    session: Session, request: Request, to: RequestState, *, only: Sequence[RequestState] = (), **values: Any
) -> None:
    """Bring it into another state, out of `only` these; `log` it then. Raises Refused("wrong-state")."""
    session.info[_LEFT, request.id] = events.department_that_sees(request)
    moved = session.scalar(
        update(Request)
        .where(Request.id == request.id, Request.state.in_(only or request_sources(to)))
        .values(state=to, **({"due_at": None, "escalated_to": None} | values))
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Refused("wrong-state", f"it cannot become {to} any more")
    if "department_id" in values:
        _leave_links(session, request, values["department_id"])
    session.refresh(request)


def _leave_links(session: Session, request: Request, department_id: int | None) -> None:
    """Links of the department that has it no more are the office's: whoever has it reads what bodies say."""
    theirs = Pass.department_id.is_distinct_from(department_id), Pass.department_id.is_not(None)
    left = update(Pass).where(Pass.request_id == request.id, Pass.withdrawn_at.is_(None), *theirs)
    session.execute(left.values(department_id=None))


def log(
    session: Session,
    request: Request,
    step: RequestStep,
    who: str,
    note: str = "",
    *,
    department_id: int | None = None,
    due_at: datetime | None = None,
    other_id: int | None = None,
) -> None:
    """Add a step to its history, its leaf to the ledger, and tell the pages. Call it last.

    `who` is empty for the citizen.
    """
    entry = RequestEntry(
        request_id=request.id,
        at=now(session),
        who=who,
        step=step,
        note=note,
        department_id=department_id,
        due_at=due_at,
        other_id=other_id,
    )
    session.add(entry)
    session.flush()
    steps.append(session, entry, request.tracking)
    events.request_changed(session, request, session.info.pop((_LEFT, request.id), None))
