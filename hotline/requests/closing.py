"""How a request comes to its end: rejected, closed by its citizen or by time, or a duplicate of another.

Whoever follows it is told, too.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from db.engine import now, one_at_a_time
from db.models import OutboxKind, Request, RequestEntry, SolvedCall
from db.states import RequestState, RequestStep
from db.trusted_time import trusted_now
from hotline import dates, outbox, reasons
from hotline.errors import Refused
from hotline.requests import followers, parts, ratings
from hotline.requests.requests import first, log, move
from hotline.requests.work import (
    answered,
    did,
    end_replied,
    get_for_update,
    hold_all,
    may_end,
    must_be_anothers,
)

_S, _T = RequestState, RequestStep
_HANGS_UP = timedelta(seconds=60)
"""How long a caller may go on listening after an answer; nobody calls a phone that is in use."""


def reject(session: Session, request: Request, *, who: str, reason: str) -> None:
    """Say that it is not for the city to solve; the citizen is told why. Raises what `reply` raises."""
    _end_rejected(session, request, who=who, reason=reasons.check(reason))


def _end_rejected(session: Session, request: Request, *, who: str, reason: str) -> None:
    """`reason` in words that are checked, as in `work.end_replied`."""
    may_end(session, request, who)
    move(session, request, _S.REJECTED, reply=reason, reply_stands=True, replied_at=now(session))
    answered(session, request)
    did(session, request, _T.REJECTED, who, reason)
    outbox.tell_of_request(session, OutboxKind.REQUEST_REJECTED, request, reason)
    _tell_duplicates(session, request, OutboxKind.REQUEST_REJECTED)
    followers.tell(session, request, OutboxKind.FOLLOWED_REJECTED, reason)
    if done := parts.result(session, request):
        if done.solved:
            end_replied(session, done.whole, who="", reply=done.reply)
        else:
            _end_rejected(session, done.whole, who="", reason=done.reply)


def answer(
    session: Session,
    request_id: int,
    *,
    solved: bool,
    who: str = "",
    note: str = "",
    named: Collection[int] = (),
) -> None:
    """The citizen says whether it is solved: by telephone or app, or (`who`) to somebody of the office.

    Of what is split an objection may have `named` some of the parts; else it is about all of them.
    It replaces what a caller has said in this number's name (`answer_of_caller`).
    Raises Refused("not-found" | "wrong-state" | "part-unknown").
    """
    request = get_for_update(session, request_id)
    if request.part_of_id:
        raise Refused("wrong-state", "its citizen is asked of the whole")
    its = parts.of(session, request)
    meant = [part for part in its if part.state is _S.REPLIED and (solved or not named or part.id in named)]
    if not solved and set(named) - {part.id for part in meant}:
        raise Refused("part-unknown", "it has no such part that was called solved", "parts")
    by_caller = ratings.answer_of(session, request)
    if solved:
        parts.move_all(session, [request, *meant], _S.CLOSED, only=(_S.REPLIED,))
    else:
        no: dict[str, Any] = {"denials": Request.denials + 1, "reply_stands": False}
        move(session, request, _S.SPLIT if its else _S.REOPENED, **no)
        parts.move_all(session, meant, _S.REOPENED, **no)
    if by_caller:
        ratings.forget_answer(session, by_caller)
    _end_calls(session, request)
    step = _T.CONFIRMED if solved else _T.DENIED
    did(session, request, step, who, note)
    for part in meant:
        log(session, part, step, who)
    if solved:
        _tell_closed(session, request)


def answer_of_caller(session: Session, request_id: int, *, solved: bool) -> bool:
    """Take the answer of a caller who shows the request's number. Return whether the request is closed by it.

    A caller ID is easily forged, so the number is told at once, and its own word replaces the caller's. A yes
    closes nothing before the number has said nothing else for the days of `close_unanswered`. A number that
    was withheld had to key in the tracking number, which proves it.
    Raises Refused("not-found" | "wrong-state").
    """
    request = get_for_update(session, request_id)
    if request.number is None:
        answer(session, request_id, solved=solved)
        return solved
    if not solved:
        answer(session, request_id, solved=False)
    elif request.state is not _S.REPLIED:
        raise Refused("wrong-state", "nobody is asked whether it is solved")
    elif ratings.answer_of(session, request):
        return False  # said before, and told
    else:
        did(session, request, _T.CONFIRMED, "")
    _tell_number(session, request, solved=solved)
    return False


def _tell_number(session: Session, request: Request, *, solved: bool) -> None:
    """Tell a mobile by text message, a land line by a call, what was said in its name."""
    number, at = request.number or "", now(session)
    if number.startswith(outbox.MOBILE):
        language: dates.Language = "en" if request.language == "en" else "fa"
        facts: dict[str, Any] = {
            "text": "caller-yes" if solved else "caller-no",
            "language": language,
            "values": {"tracking": dates.digits(request.tracking, language)},
            "ways": [],
        }
        outbox.answer(session, f"caller-{request.id}-{int(at.timestamp() * 1e6)}", number, facts)
        return
    call = session.scalar(_CALL_OF_ANSWER, {"request": request.id, "replied_at": request.replied_at})
    if call is None:
        call = SolvedCall(request_id=request.id, replied_at=request.replied_at)
        session.add(call)
    elif call.token:  # it is ringing just now
        return
    call.tries, call.told_at, call.ended_at, call.due_at = 0, None, None, at + _HANGS_UP
    session.flush()


_CALL_OF_ANSWER = select(SolvedCall).where(
    SolvedCall.request_id == bindparam("request"), SolvedCall.replied_at == bindparam("replied_at")
)


def _end_calls(session: Session, request: Request) -> None:
    """Nobody is called any more about an answer that the number itself has given."""
    ended = update(SolvedCall).where(SolvedCall.request_id == request.id, SolvedCall.ended_at.is_(None))
    session.execute(ended.values(ended_at=now(session)).execution_options(synchronize_session=False))


def take_back_objection(session: Session, request_id: int) -> None:
    """Close a request of which a caller has said that it is not solved: its own number says that it is.

    Only while nobody has taken the objection up. Raises Refused("not-found" | "wrong-state").
    """
    request = get_for_update(session, request_id)
    objection = ratings.answer_of(session, request)
    if objection is None or objection.step is not _T.DENIED or objection.who:
        raise Refused("wrong-state", "there is no objection of its citizen")
    as_before: dict[str, Any] = {"denials": Request.denials - 1, "reply_stands": True}
    move(session, request, _S.CLOSED, only=(_S.REOPENED,), **as_before)
    ratings.forget_answer(session, objection)
    _end_calls(session, request)
    did(session, request, _T.CONFIRMED, "")
    _tell_closed(session, request)


def close_unanswered(session: Session, days: int, limit: int) -> int:
    """Close at most `limit` requests whose citizens said nothing for so many days; returns how many.

    The days of one whose caller has said yes (`answer_of_caller`) count from then.
    """
    since = trusted_now(session) - timedelta(days=days)
    said_yes = exists().where(
        RequestEntry.request_id == Request.id, RequestEntry.step == _T.CONFIRMED, RequestEntry.at >= since
    )
    found = session.scalars(
        select(Request)
        .where(
            Request.state == _S.REPLIED,
            Request.replied_at < since,
            Request.part_of_id.is_(None),
            ~said_yes,
        )
        .order_by(Request.replied_at)
        .limit(limit)
        .with_for_update(of=Request, skip_locked=True)
    ).all()
    for request in found:
        solved = [part for part in parts.of(session, request) if part.state is _S.REPLIED]
        unanswered = ratings.answer_of(session, request) is None
        parts.move_all(session, [request, *solved], _S.CLOSED, unanswered=unanswered)
        for each in (request, *solved):
            log(session, each, _T.UNANSWERED, "")
        _tell_closed(session, request)
    return len(found)


def merge(session: Session, request_id: int, into_id: int, *, who: str) -> Request:
    """Mark a request as a duplicate of another, or of the one whose duplicate that is; returns the first.

    Its own duplicates follow it.
    Raises Refused("not-found" | "duplicate-itself" | "objection-own" | "wrong-state").
    """
    one_at_a_time(session, "request-duplicates")
    hold_all(session, (request_id, into_id))
    request = get_for_update(session, request_id)
    original = parts.whole_of(session, first(session, get_for_update(session, into_id)))
    if original.id == request.id:
        raise Refused("duplicate-itself", "a request is no duplicate of itself")
    if request.part_of_id:
        raise Refused("wrong-state", "a part ends with its whole")
    if original.state is _S.REJECTED:
        raise Refused("wrong-state", "the other one is rejected")
    must_be_anothers(session, request, who)
    move(session, request, _S.DUPLICATE, duplicate_of_id=original.id, department_id=None)
    session.execute(
        update(Request)
        .where(Request.duplicate_of_id == request.id)
        .values(duplicate_of_id=original.id)
        .execution_options(synchronize_session=False)
    )
    _hand_on_promise(request, original)
    did(session, request, _T.MERGED, who, other_id=original.id)
    if original.state is _S.CLOSED:
        outbox.tell_of_request(session, OutboxKind.REQUEST_CLOSED, request)
    return original


def _hand_on_promise(request: Request, original: Request) -> None:
    until, its = request.promised_until, original.promised_until
    if until and (its is None or until < its):
        original.promised_by_id, original.promised_until = request.promised_by_id, until


def separate(session: Session, request: Request, *, who: str) -> None:
    """It is no duplicate after all. Raises Refused("wrong-state")."""
    other = request.duplicate_of_id
    if request.part_of_id:
        raise Refused("wrong-state", "a part that was joined again stays so")
    move(session, request, _S.NEW, only=(_S.DUPLICATE,), duplicate_of_id=None)
    did(session, request, _T.SEPARATED, who, other_id=other)


def _tell_closed(session: Session, request: Request) -> None:
    _tell_duplicates(session, request, OutboxKind.REQUEST_CLOSED)
    followers.tell(session, request, OutboxKind.FOLLOWED_CLOSED)


def _tell_duplicates(session: Session, request: Request, kind: OutboxKind) -> None:
    for duplicate in session.scalars(select(Request).where(Request.duplicate_of_id == request.id)):
        if duplicate.number != request.number:
            outbox.tell_of_request(session, kind, duplicate, request.reply)
