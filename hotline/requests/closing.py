"""Ends of a request: rejected, closed by its citizen or by timeout, or a duplicate of another.

Followers are notified too.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import OutboundCall, OutboxKind, Request, RequestEntry
from db.states import RequestState, RequestStep
from db.trusted_time import trusted_now
from hotline import dates, reasons
from hotline.errors import Refused
from hotline.messages import outbox
from hotline.requests import followers, parts, ratings
from hotline.requests.lifecycle import find_original, log, move
from hotline.requests.work import (
    check_is_anothers,
    end_replied,
    get_for_update,
    hold_all,
    may_end,
    queue_call,
    record_first_answer,
    record_step,
)

_S, _T = RequestState, RequestStep
_HANGS_UP = timedelta(seconds=60)
"""How long a caller may stay on the phone after an answer. Until then the dialer would find the number
busy."""


def reject(session: Session, request: Request, *, who: str, reason: str) -> None:
    """Reject a request: the city will not solve it. The citizen is told the reason.

    Raises what `reasons.check` and `may_end` raise, and Refused("wrong-state").
    """
    _end_rejected(session, request, who=who, reason=reasons.check(reason))


def _end_rejected(session: Session, request: Request, *, who: str, reason: str) -> None:
    """Reject with a `reason` that was checked before, as `work.end_replied` does with a reply."""
    may_end(session, request, who)
    move(session, request, _S.REJECTED, reply=reason, reply_stands=True, replied_at=now(session))
    record_first_answer(session, request)
    queue_call(session, request)
    record_step(session, request, _T.REJECTED, who, reason)
    outbox.tell_of_request(session, OutboxKind.REQUEST_REJECTED, request, reason)
    _tell_duplicates(session, request, OutboxKind.REQUEST_REJECTED)
    followers.tell(session, request, OutboxKind.FOLLOWED_REJECTED, reason)
    if done := parts.find_result(session, request):
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
    """Record whether the citizen calls the request solved, by telephone, app, or to an employee (`who`).

    An objection to a split request may name some of its parts (`named`); else it is about all of them.

    The citizen's answer replaces an answer that a caller gave in the number's name (`answer_of_caller`).

    Raises Refused("not-found" | "wrong-state" | "part-unknown").
    """
    request = get_for_update(session, request_id)
    if request.part_of_id:
        raise Refused("wrong-state", "its citizen is asked of the whole")
    its = parts.list_current(session, request)
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
    record_step(session, request, step, who, note)
    for part in meant:
        log(session, part, step, who)
    if solved:
        if who:
            _tell_number(session, request, "office-yes")  # so that nobody closes it unnoticed
        _tell_closed(session, request)


def answer_of_caller(session: Session, request_id: int, *, solved: bool) -> bool:
    """Record the answer of a caller who shows the request's number. Return whether it closes the request.

    A caller ID is easily forged, so the number is told at once, and its own answer replaces the caller's. A
    yes closes the request only after the silence that `close_unanswered` waits for. A request without a
    number is closed at once: its caller keyed in the tracking number, which proves them.

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
        return False  # the number was told when the caller said it the first time
    else:
        record_step(session, request, _T.CONFIRMED, "")
    _tell_number(session, request, "caller-yes" if solved else "caller-no")
    return False


def _tell_number(session: Session, request: Request, text: str) -> None:
    """Tell the number what was answered in its name: `answer-<text>` to a mobile, a call to a land line."""
    queue_call(session, request, after=_HANGS_UP)
    if not (request.number or "").startswith(outbox.MOBILE):
        return
    language: dates.Language = "en" if request.language == "en" else "fa"
    facts: dict[str, Any] = {
        "text": text,
        "language": language,
        "values": {"tracking": dates.format_digits(request.tracking, language)},
        "ways": [],
    }
    key = f"caller-{request.id}-{int(now(session).timestamp() * 1e6)}"
    outbox.answer(session, key, request.number or "", facts)


def _end_calls(session: Session, request: Request) -> None:
    """End the calls about this request: its own number has answered, or is asked no more."""
    ended = update(OutboundCall).where(OutboundCall.request_id == request.id, OutboundCall.ended_at.is_(None))
    session.execute(ended.values(ended_at=now(session)).execution_options(synchronize_session=False))


def take_back_objection(session: Session, request_id: int) -> None:
    """Close a request to which a caller objected, because its own number says that it is solved.

    Only while nobody works on the objection, nor on a part. Raises Refused("not-found" | "wrong-state").
    """
    request = get_for_update(session, request_id)
    objection = ratings.answer_of(session, request)
    if objection is None or objection.step is not _T.DENIED or objection.who:
        raise Refused("wrong-state", "there is no objection of its citizen")
    its = parts.list_current(session, request)
    reopened = [part for part in its if part.state is _S.REOPENED]
    if any(part.state not in (_S.REOPENED, _S.REJECTED) for part in its):
        raise Refused("wrong-state", "somebody works on a part of it")
    as_before: dict[str, Any] = {"denials": Request.denials - 1, "reply_stands": True}
    parts.move_all(session, [request, *reopened], _S.CLOSED, only=(_S.REOPENED, _S.SPLIT), **as_before)
    ratings.forget_answer(session, objection)
    _end_calls(session, request)
    record_step(session, request, _T.CONFIRMED, "")
    for part in reopened:
        log(session, part, _T.CONFIRMED, "")
    _tell_closed(session, request)


def close_unanswered(session: Session, days: int, limit: int) -> int:
    """Close at most `limit` requests whose citizens have not answered for `days` days; return how many.

    After a caller's yes (`answer_of_caller`) the days count from that yes.
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
        solved = [part for part in parts.list_current(session, request) if part.state is _S.REPLIED]
        unanswered = ratings.answer_of(session, request) is None
        parts.move_all(session, [request, *solved], _S.CLOSED, unanswered=unanswered)
        _end_calls(session, request)
        for each in (request, *solved):
            log(session, each, _T.UNANSWERED, "")
        _tell_closed(session, request)
    return len(found)


def merge(session: Session, request_id: int, into_id: int, *, who: str) -> Request:
    """Mark a request as a duplicate of another; return the original.

    If the other one is itself a duplicate, its original is meant. The request's own duplicates move with it.

    Raises Refused("not-found" | "duplicate-itself" | "objection-own" | "wrong-state").
    """
    hold_lock(session, "request-duplicates")
    hold_all(session, (request_id, into_id))
    request = get_for_update(session, request_id)
    original = parts.find_whole(session, find_original(session, get_for_update(session, into_id)))
    if original.id == request.id:
        raise Refused("duplicate-itself", "a request is no duplicate of itself")
    if request.part_of_id:
        raise Refused("wrong-state", "a part ends with its whole")
    if original.state is _S.REJECTED:
        raise Refused("wrong-state", "the other one is rejected")
    check_is_anothers(session, request, who)
    move(session, request, _S.DUPLICATE, duplicate_of_id=original.id, department_id=None)
    session.execute(
        update(Request)
        .where(Request.duplicate_of_id == request.id)
        .values(duplicate_of_id=original.id)
        .execution_options(synchronize_session=False)
    )
    _hand_on_promise(request, original)
    record_step(session, request, _T.MERGED, who, other_id=original.id)
    if original.state is _S.CLOSED:
        outbox.tell_of_request(session, OutboxKind.REQUEST_CLOSED, request)
        queue_call(session, request, of=original)
    return original


def _hand_on_promise(request: Request, original: Request) -> None:
    until, its = request.promised_until, original.promised_until
    if until and (its is None or until < its):
        original.promised_by_id, original.promised_until = request.promised_by_id, until


def undo_merge(session: Session, request: Request, *, who: str) -> None:
    """Undo a merge: the request is not a duplicate. Raises Refused("wrong-state")."""
    other = request.duplicate_of_id
    if request.part_of_id:
        raise Refused("wrong-state", "a part that was joined again stays so")
    move(session, request, _S.NEW, only=(_S.DUPLICATE,), duplicate_of_id=None)
    record_step(session, request, _T.SEPARATED, who, other_id=other)


def _tell_closed(session: Session, request: Request) -> None:
    _tell_duplicates(session, request, OutboxKind.REQUEST_CLOSED)
    followers.tell(session, request, OutboxKind.FOLLOWED_CLOSED)


def _tell_duplicates(session: Session, request: Request, kind: OutboxKind) -> None:
    for duplicate in session.scalars(select(Request).where(Request.duplicate_of_id == request.id)):
        if duplicate.number != request.number:
            outbox.tell_of_request(session, kind, duplicate, request.reply)
            queue_call(session, duplicate, of=request)
