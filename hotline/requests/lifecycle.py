"""Requests: their state, moves and history. `filing` makes them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import AgencyReferral, Release, Request, RequestEntry
from db.states import OPEN_REQUESTS, RequestState, RequestStep, list_request_sources
from hotline import tickets
from hotline.errors import Refused
from hotline.ledger import steps
from hotline.requests import spoken_replies

LATENESS = (RequestStep.REMINDED, RequestStep.TO_HEAD, RequestStep.TO_SUPERVISORS)
"""Steps that report a department's lateness."""
BY_BODY = (RequestStep.BODY_RECEIVED, RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE)
"""Steps of an outside agency to which the request was passed."""
IN_WORDS_OF_BODY = (RequestStep.BODY_ANSWERED, RequestStep.BODY_DONE)
OF_THE_OFFICE = (
    *(RequestStep.RETURNED, RequestStep.SEPARATED, RequestStep.SPLIT, RequestStep.PART),
    *(RequestStep.RECALLED, *BY_BODY),
    RequestStep.JOINED,
    *LATENESS,
)
"""Internal steps of the office, hidden from the citizen and the public."""
TO_CITIZEN = (RequestStep.NEWS, RequestStep.REPLIED, RequestStep.REJECTED, RequestStep.ASKED)
BY_CITIZEN = (RequestStep.DENIED, RequestStep.ANSWERED)
_SAID = (*TO_CITIZEN, *BY_CITIZEN)

_LEFT = "left"
"""Key in the session's info: the department that saw a request before its move, by the request's id."""
_REMEMBERED = timedelta(days=60)
"""How long after filing a caller hears about an ended request by caller ID alone."""


def get(session: Session, request_id: int) -> Request:
    """The request. Raises Refused("not-found")."""
    request = session.get(Request, request_id)
    if request is None:
        raise Refused("not-found", f"no request {request_id}")
    return request


def get_by_tracking(session: Session, typed: str, *, parts: bool = False) -> Request:
    """Return the request with the tracking number that a person typed; only the office finds `parts`.

    Raises Refused("ticket-invalid" | "not-found").
    """
    tracking = tickets.parse(typed, tickets.TRACKING)
    request = session.scalar(select(Request).where(Request.tracking == tracking))
    if request is None or (request.part_of_id and not parts):
        raise Refused("not-found", "no request has this tracking number")
    return request


def find_by_call(session: Session, call_id: str) -> Request | None:
    """Return the request that was reported in this call, if any."""
    made = select(Request).where(Request.call_id == call_id)
    return session.scalars(made.order_by(Request.id.desc()).limit(1)).first()


def find_latest(session: Session, number: str) -> Request | None:
    """Return the request that a caller with this E.164 number hears about, or None.

    A request that awaits the caller's answer comes first, then an open one, then a recently ended one.
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


def find_original(session: Session, request: Request) -> Request:
    """Return the original of a duplicate, else the request itself."""
    return session.get_one(Request, request.duplicate_of_id) if request.duplicate_of_id else request


class Progress(NamedTuple):
    """A request's state as its citizen may hear it.

    A duplicate has the state of its original (`joined`); a split request is in work.
    """

    request_id: int
    state: RequestState
    joined: bool
    reply_of: int | None
    """The request whose reply exists as sound (spoken_replies), if there is one to play."""
    said_yes: bool = False
    """Whether a caller has said that it is solved; the number itself may still object."""

    @property
    def asked(self) -> bool:
        """Return whether the citizen is asked if the problem is solved."""
        return self.state is RequestState.REPLIED and not self.joined


def find_progress(session: Session, request: Request) -> Progress:
    """Return the request's state as its citizen may hear it."""
    leading = find_original(session, request)
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


def find_progress_for_caller(session: Session, number: str) -> Progress | None:
    """Return the state of the request that a caller with this E.164 number hears about (`find_latest`)."""
    request = find_latest(session, number)
    return find_progress(session, request) if request else None


def may_answer(session: Session, request: Request, number: str | None) -> bool:
    """Return whether a caller who keyed in the tracking number may say if the request is solved.

    `number` is the caller's E.164 number, None if withheld. A request lacks a number if a program or the
    office filed it, or its citizen was deleted. It also lacks one if its caller withheld it. Only then does
    the tracking number prove the caller, until the request is published.
    """
    if request.number is not None:
        return request.number == number
    return request.call_id is not None and session.get(Release, request.id) is None


def list_steps(session: Session, request: Request) -> Sequence[RequestEntry]:
    """Return the request's steps, oldest first."""
    return session.scalars(_HISTORY, {"request": request.id}).all()


_HISTORY = (
    select(RequestEntry).where(RequestEntry.request_id == bindparam("request")).order_by(RequestEntry.id)
)


def list_proven_steps(session: Session, request: Request) -> Sequence[steps.Sealed]:
    """Return the steps that the citizen may read, as sealed in the ledger, without the office's notes."""
    mine = [entry for entry, _ in list_public_steps(session, request)]
    return [
        each if each.step.step in _SAID else each._replace(note=None)
        for each in steps.list_sealed(session, mine, request.tracking)
    ]


class Step(NamedTuple):
    """A step as the citizen reads it, with the words said to them or by them."""

    entry: RequestEntry
    note: str


def list_public_steps(session: Session, request: Request) -> Sequence[Step]:
    """Return the request's steps for its citizen, oldest first, without the office's internal steps and
    notes.
    """
    return select_public_steps(list_steps(session, request))


def select_public_steps(history: Sequence[RequestEntry]) -> Sequence[Step]:
    """Do what `list_public_steps` does with a history already read."""
    return [
        Step(entry, entry.note if entry.step in _SAID else "")
        for entry in history
        if entry.step not in OF_THE_OFFICE
    ]


def get_sound(request: Request, folder: Path) -> Path:
    """Return the file of the caller's voice message. Raises Refused("not-found")."""
    path = folder / Path(request.voice_message).name if request.voice_message else None
    if path is None or path.is_symlink() or not path.is_file():
        raise Refused("not-found", "there is no message, or not any more")
    return path


def move(
    session: Session, request: Request, to: RequestState, *, only: Sequence[RequestState] = (), **values: Any
) -> None:
    """Move the request into another state, from one of `only`. The caller must `log` the step.

    Raises Refused("wrong-state").
    """
    session.info[_LEFT, request.id] = events.find_department(request)
    moved = session.scalar(
        update(Request)
        .where(Request.id == request.id, Request.state.in_(only or list_request_sources(to)))
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
    """Give a department's links to the office when the request leaves that department.

    The present holder of the request then reads what the agencies answer.
    """
    theirs = (
        AgencyReferral.department_id.is_distinct_from(department_id),
        AgencyReferral.department_id.is_not(None),
    )
    left = update(AgencyReferral).where(
        AgencyReferral.request_id == request.id, AgencyReferral.withdrawn_at.is_(None), *theirs
    )
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
    """Add a step to the request's history, append its leaf to the ledger, and notify the pages. Call it last.

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
    events.append_request(session, request, session.info.pop((_LEFT, request.id), None))
