"""Work on a request: promise, refer, give back, answer. `closing` has its ends.

The request's number is told by text message. Acts of the office also go into the audit log.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import (
    Department,
    Official,
    OutboundCall,
    OutboundKind,
    OutboxKind,
    Registration,
    Request,
    RequestEntry,
    Role,
    User,
)
from db.states import IN_WORK, WITH_DEPARTMENT, RequestState, RequestStep
from hotline import audit, reasons, subjects
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.messages import outbox
from hotline.requests import categories, followers, parts
from hotline.requests.filing import write
from hotline.requests.lifecycle import BY_CITIZEN, get, log, move
from settings import WorkingWeek

_S, _T = RequestState, RequestStep
_FARTHEST = timedelta(days=366)
_TWICE = timedelta(minutes=1)
"""A repeated press of the same button within this time counts once."""
HANDLERS = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS, Role.SUPERVISOR, Role.OPERATOR)
"""Roles that work on requests."""


def get_for_update(session: Session, request_id: int) -> Request:
    """Lock and return the request until the transaction ends. Raises Refused("not-found").

    For a part, the whole is locked first; every function keeps this order.
    """
    whole = session.scalar(select(Request.part_of_id).where(Request.id == request_id))
    if whole is not None:
        hold(session, whole)
    return hold(session, request_id)


def hold_all(session: Session, request_ids: Collection[int]) -> None:
    """Lock the requests, their wholes, originals and duplicates by ascending id; every function keeps this
    order.
    """
    their = select(Request.id).where(
        or_(
            Request.id.in_(request_ids),
            Request.duplicate_of_id.in_(request_ids),
            *(
                Request.id.in_(select(other).where(Request.id.in_(request_ids)))
                for other in (Request.part_of_id, Request.duplicate_of_id)
            ),
        )
    )
    session.execute(their.order_by(Request.id).with_for_update(of=Request))


def hold(session: Session, request_id: int) -> Request:
    """Lock and return only this request: enough for an act that does not end it.

    Raises Refused("not-found").
    """
    locked = {"of": Request}
    request = session.get(Request, request_id, with_for_update=locked, populate_existing=True)
    return request or get(session, request_id)


def promise(
    session: Session,
    registration: Registration,
    official: Official,
    *,
    written: str,
    until: date,
    week: WorkingWeek,
    who: str,
) -> Request:
    """Record that `official` promises the citizen a result by the end of the day `until`, in the city's time.

    A repeat returns the first request: its response may have been lost.

    Raises Refused("text-missing" | "text-long" | "due-date").
    """
    until_at = _end_of(session, until)
    hold_lock(session, f"promises-{registration.id}")
    same = select(Request).where(
        Request.registration_id == registration.id,
        Request.promised_until == until_at,
        Request.written == written.strip(),
    )
    if found := session.scalars(same).first():
        return found
    request = write(
        session,
        number=None,  # the registration has it
        category=categories.find_by_key(session, registration.subject or subjects.OTHER).id,
        district=official.district,
        written=written,
        language=registration.language,
        week=week,
        who=who,
        registration_id=registration.id,
    )
    request.promised_by, request.promised_until = official, until_at
    session.flush()
    record_step(session, request, _T.PROMISED, who, due_at=until_at)
    return request


def refer(
    session: Session,
    request: Request,
    department: Department,
    *,
    due_on: date | None = None,
    who: str,
    note: str = "",
) -> None:
    """Refer the request to a department until the end of the day `due_on`, in the city's time.

    Without a day, the citizen's due date holds.

    Raises Refused("department-inactive" | "due-date" | "objection-own" | "wrong-state").
    """
    check_is_anothers(session, request, who)
    if not department.active:
        raise Refused("department-inactive", "nothing is referred to it any more")
    due_at = _end_of(session, due_on) if due_on else _promised(session, request)
    step = {"step": _T.REFERRED, "who": who, "note": note.strip(), "department_id": department.id}
    if _is_repeated(session, request, step | {"due_at": due_at}):
        return
    move(session, request, _S.REFERRED, department_id=department.id, due_at=due_at)
    record_step(session, request, _T.REFERRED, who, note.strip(), department_id=department.id, due_at=due_at)


def _is_repeated(session: Session, request: Request, step: Mapping[str, object]) -> bool:
    """Return whether the last step is the same one, less than a minute ago: a button was pressed twice."""
    mine = select(RequestEntry).where(RequestEntry.request_id == request.id)
    last = session.scalars(mine.order_by(RequestEntry.id.desc()).limit(1)).first()
    return (
        last is not None
        and last.at > now(session) - _TWICE
        and all(getattr(last, name) == value for name, value in step.items())
    )


def give_back(session: Session, request: Request, *, who: str, note: str) -> None:
    """Give the request back to the office with a reason. Raises Refused("reason-missing" | "wrong-state")."""
    note, department_id = clean_note(note), request.department_id
    move(session, request, _S.NEW, only=WITH_DEPARTMENT, department_id=None)
    record_step(session, request, _T.RETURNED, who, note, department_id=department_id)


def tell(session: Session, request: Request, *, who: str, reply: str) -> None:
    """Tell the citizen how the work goes on; the state stays. The same reply within a minute is sent once.

    Raises Refused("wrong-state" | "reason-missing" | "reason-personal" | "reason-long").
    """
    reply = reasons.check(reply)
    if request.state not in IN_WORK:
        raise Refused("wrong-state", "it is not in work any more")
    if _is_repeated(session, request, {"step": _T.NEWS, "who": who, "note": reply}):
        return
    whole = parts.find_whole(session, request)
    for each in {request, whole}:
        each.reply, each.reply_stands = reply, True
        record_first_answer(session, each)
    record_step(session, request, _T.NEWS, who, reply)
    if whole is not request:
        log(session, whole, _T.NEWS, who, reply)
    outbox.tell_of_request(session, OutboxKind.REQUEST_NEWS, whole, reply)


def reply(session: Session, request: Request, *, who: str, reply: str) -> None:
    """Tell the citizen that the problem is solved, and ask whether it is.

    Raises what `reasons.check` raises, and Refused("wrong-state" | "objection-own").
    """
    end_replied(session, request, who=who, reply=reasons.check(reply))


def end_replied(session: Session, request: Request, *, who: str, reply: str) -> None:
    """Do what `reply` does with words that were checked before, such as the joined replies of all parts.

    Raises Refused("wrong-state" | "objection-own").
    """
    may_end(session, request, who)
    said: dict[str, Any] = {
        "reply": reply,
        "reply_stands": True,
        "replied_at": now(session),
        "replied_by": who or None,
    }
    move(session, request, _S.REPLIED, **said)
    record_first_answer(session, request)
    queue_call(session, request)
    record_step(session, request, _T.REPLIED, who, reply, department_id=request.department_id)
    outbox.tell_of_request(session, OutboxKind.REQUEST_REPLIED, request, reply)
    followers.tell(session, request, OutboxKind.FOLLOWED_REPLIED, reply)
    if done := parts.find_result(session, request):
        _tell_of_all(session, done)


def _tell_of_all(session: Session, done: parts.Result) -> None:
    """Reply for the whole request, because all of its parts are done."""
    end_replied(session, done.whole, who="", reply=done.reply)


def split(
    session: Session,
    request: Request,
    pieces: Sequence[parts.Piece],
    *,
    who: str,
    keeps_first: bool = False,
) -> Sequence[Request]:
    """Split the request into parts. Raises what `parts.split` raises, and Refused("objection-own")."""
    check_is_anothers(session, request, who)
    return parts.split(session, request, pieces, who=who, keeps_first=keeps_first)


def may_end(session: Session, request: Request, who: str) -> None:
    """Check that a person may end the request: it is not split, and no objection to their own reply.

    Raises Refused("wrong-state" | "objection-own").
    """
    if who and request.state is _S.SPLIT:
        raise Refused("wrong-state", "it is done when its parts are")
    check_is_anothers(session, request, who)


def queue_call(
    session: Session, request: Request, *, of: Request | None = None, after: timedelta = timedelta()
) -> None:
    """Queue a call to a land line, which gets no text messages (hotline.outbound.solved).

    There is one call for each answer of the office, `of` the original if the request is a duplicate. News of
    the same answer begins its call again. A call in progress may tell what was true before, so it is
    repeated.
    """
    answered_at = (of or request).replied_at
    if not request.number or not answered_at or request.number.startswith(outbox.MOBILE):
        return
    call = session.scalar(_CALL_OF_ANSWER, {"request": request.id, "replied_at": answered_at})
    if call is None:
        about = {"kind": OutboundKind.SOLVED, "number": request.number, "request_id": request.id}
        call = OutboundCall(**about, asked_at=answered_at)
        session.add(call)
    call.attempts, call.due_at = 0, now(session) + after
    call.answer = call.answered_at = call.ended_at = None
    session.flush()


_CALL_OF_ANSWER = (
    select(OutboundCall)
    .where(
        OutboundCall.kind == OutboundKind.SOLVED,
        OutboundCall.request_id == bindparam("request"),
        OutboundCall.asked_at == bindparam("replied_at"),
    )
    .execution_options(populate_existing=True)
)


def check_is_anothers(session: Session, request: Request, who: str) -> None:
    """Raises Refused("objection-own") if the citizen objects to this person's reply and a colleague could
    act.
    """
    if request.state is not _S.REOPENED or request.replied_by != who:
        return
    others = select(User.id).where(User.username != who, User.role.in_(HANDLERS), User.disabled_at.is_(None))
    if session.scalar(others.limit(1)) is not None:
        raise Refused("objection-own", "the citizen objects to what this person has said")


def record_first_answer(session: Session, request: Request) -> None:
    """Record the time of the first answer to the citizen."""
    request.answered_at = request.answered_at or now(session)


def _promised(session: Session, request: Request) -> datetime:
    if request.solve_by is None or request.solve_by <= now(session):
        raise Refused("due-date", "its time is over: say until when")
    return request.solve_by


def _end_of(session: Session, day: date) -> datetime:
    at = datetime.combine(day + timedelta(days=1), time(), CITY)
    if not timedelta() < at - now(session) < _FARTHEST:
        raise Refused("due-date", "a due date is today or later, within a year")
    return at


def record_step(
    session: Session, request: Request, step: RequestStep, who: str, note: str = "", **facts: Any
) -> None:
    """Record a step in the request's history and, for a person, in the audit log. Call it last."""
    if who:  # words of the citizen stand only in the history, where they can be deleted
        reason = "" if step in BY_CITIZEN else note[:500]
        audit.record(session, who, f"request-{step}", f"request {request.id}", reason)
    log(session, request, step, who, note, **facts)


def clean_note(note: str) -> str:
    """Return the note without outer spaces. Raises Refused("reason-missing")."""
    note = note.strip()
    if not note:
        raise Refused("reason-missing", "say why")
    return note
