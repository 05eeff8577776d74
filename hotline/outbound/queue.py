"""One queue of the calls that the system places by itself.

A call is due until it is claimed. The claim commits the call's token before the dialer places the call, so no
call is placed twice. A call ends when a person has heard it, or when its attempts are used up.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Delete,
    Integer,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from db.engine import ago, now
from db.models import BlockedNumber, OutboundCall, OutboundKind, UtcDateTime, make_literal
from hotline.line import busy_numbers
from hotline.outbound.kinds import KINDS
from settings import Settings

_OPEN = and_(OutboundCall.token.is_(None), OutboundCall.ended_at.is_(None))
AT = bindparam("at", type_=UtcDateTime)
"""The moment of the question, in a condition of a kind."""

IS_FREE = and_(
    ~exists().where(BlockedNumber.number == OutboundCall.number),
    ~busy_numbers.where_busy(OutboundCall.number),
)
"""Condition on OutboundCall: the number is not blocked, and its phone is not in a call with us."""

REFUSED = "refused"
"""The answer of a person who does not want such calls. It is kept when the citizen's data are deleted."""
DROPPED = "dropped"
"""The answer of a call that could not be placed."""


class Eligibility:
    """The calls of a kind that are due: those that are open, not too late, and meet the kind's conditions."""

    def __init__(
        self,
        kind: OutboundKind,
        *conditions: ColumnElement[bool],
        order: Sequence[SQLColumnExpression[Any]] = (),
        may_claim: Callable[[Session, int, Settings], bool] = lambda *_: True,
    ) -> None:
        """`order`: which calls come before others that have waited longer.

        `may_claim`: lock what a claim of this call relies on, and return whether the call may be claimed.
        """
        self.kind, self.policy, self.may_claim = kind, KINDS[kind], may_claim
        in_time = OutboundCall.asked_at > bindparam("asked_after", type_=UtcDateTime)
        self.is_due = and_(
            OutboundCall.kind == make_literal(kind),
            _OPEN,
            OutboundCall.due_at <= AT,
            *((in_time,) if self.policy.valid else ()),
            *conditions,
        )
        # The dialer asks this at each poll: the statement is built once.
        self.all_due = (
            select(OutboundCall.id)
            .where(self.is_due)
            .order_by(*order, OutboundCall.due_at, OutboundCall.id)
            .limit(bindparam("limit", type_=Integer))
        )

    def parameters(self, at: datetime) -> dict[str, Any]:
        """Return the parameters of `is_due` at the moment `at`."""
        asked_after = {"asked_after": at - self.policy.valid} if self.policy.valid else {}
        return {"at": at, **asked_after, **busy_numbers.bind_moment(at)}


def add(
    session: Session,
    kind: OutboundKind,
    number: str,
    at: datetime,
    *,
    wait: timedelta = timedelta(),
    **subject: int,
) -> None:
    """Ask for a call to this E.164 number about a subject (`code_id=…`), due `wait` after `at`."""
    session.add(OutboundCall(kind=kind, number=number, asked_at=at, due_at=at + wait, **subject))


def list_due(session: Session, calls: Eligibility, limit: int) -> Sequence[int]:
    """Return the ids of at most `limit` calls that are due."""
    parameters = {"limit": limit, **calls.parameters(now(session))}
    return session.execute(calls.all_due, parameters).scalars().all()


def claim(session: Session, calls: Eligibility, call_id: int) -> OutboundCall | None:
    """Give the call its token, so that it is placed once. Return None if it is not due."""
    at = now(session)
    claimed = session.scalar(
        update(OutboundCall)
        .where(OutboundCall.id == call_id, calls.is_due)
        .values(
            token=f"{calls.policy.prefix}-{uuid4().hex}", placed_at=at, attempts=OutboundCall.attempts + 1
        )
        .returning(OutboundCall.id)
        .execution_options(synchronize_session=False),
        calls.parameters(at),
    )
    return session.get(OutboundCall, claimed, populate_existing=True) if claimed else None


def postpone(call: OutboundCall, until: datetime | None = None) -> None:
    """Take a claim back: the attempt does not count, and the call is due again, from `until` on."""
    call.token = call.placed_at = None
    call.attempts -= 1
    call.due_at = until or call.due_at


def find_by_token(session: Session, token: str) -> OutboundCall | None:
    """Return the call in progress whose channel is `token`."""
    return session.scalar(_of_token(token))


def _of_token(token: str) -> Select[OutboundCall]:
    query = select(OutboundCall).where(OutboundCall.token == token)
    return query.execution_options(populate_existing=True)


def list_in_progress(session: Session, kind: OutboundKind | None = None) -> dict[str, datetime]:
    """Return the tokens of the calls in progress, of one kind or of all, with the time of each claim."""
    query = select(OutboundCall.token, OutboundCall.placed_at).where(
        OutboundCall.token.is_not(None), *((OutboundCall.kind == kind,) if kind else ())
    )
    return {token: at for token, at in session.execute(query) if token and at}


def answer(session: Session, token: str, said: str | None = None, *, due_at: datetime | None = None) -> None:
    """Record that a person has heard the call, so that no further one follows, and the answer.

    `due_at`: only if the call still has this time. A later one stands for news that the person has not heard.
    """
    call = session.scalar(_of_token(token).with_for_update())
    if call and due_at in (None, call.due_at):
        call.answered_at, call.answer = call.answered_at or now(session), said or call.answer


def finish(session: Session, token: str, *, ours: bool = False, apologised: bool = False) -> None:
    """Record that the call has ended, or was never placed; what no person has heard is retried.

    `ours`: it came to nothing by a fault of ours, which costs no attempt. `apologised`: a person heard our
    apology, and no more unless there is an answer.
    """
    call = session.scalar(_of_token(token).with_for_update())  # the script may record an answer just now
    if call is None:
        return
    at, policy = now(session), KINDS[call.kind]
    if apologised and not call.answer:
        call.answered_at = None
    if call.answered_at or call.answer or call.ended_at:
        end(call, at)
    elif ours and policy.after_fault:
        postpone(call, at + policy.after_fault)
    elif ours or call.attempts >= policy.attempts:
        end(call, at)
    else:
        call.token = call.placed_at = None
        call.due_at = at + policy.retry


def end(call: OutboundCall, at: datetime, said: str | None = None) -> None:
    """End the call for good."""
    call.token, call.ended_at, call.answer = None, call.ended_at or at, said or call.answer


def retry_cut(session: Session, tokens: Select[str]) -> None:
    """Have the calls of a node that is gone retried soon, at no cost, unless they have an answer."""
    at = now(session)
    for call in session.scalars(select(OutboundCall).where(OutboundCall.token.in_(tokens))).all():
        wait = KINDS[call.kind].after_fault
        if wait and not call.answer and not call.ended_at:
            call.answered_at = None
            postpone(call, at + wait)
    session.flush()


def build_deletion(number: str, *, refusals: bool = False) -> Delete:
    """Return the statement that deletes the calls to a deleted citizen's number, but for those in progress.

    `refusals`: it deletes also what the former owner refused.
    """
    kept = () if refusals else (OutboundCall.answer.is_distinct_from(REFUSED),)
    return delete(OutboundCall).where(OutboundCall.number == number, OutboundCall.token.is_(None), *kept)


def _is_open(kind: OutboundKind) -> ColumnElement[bool]:
    valid = KINDS[kind].valid
    return and_(
        OutboundCall.kind == make_literal(kind),
        _OPEN,
        *((OutboundCall.asked_at > ago(valid),) if valid else ()),
    )


IS_ANY_OPEN = exists().where(or_(*map(_is_open, KINDS)))
"""Condition: a call waits to be placed, now or later."""
IS_ANY_AWAITED = exists().where(or_(*(_is_open(kind) for kind, policy in KINDS.items() if policy.is_awaited)))
"""Condition: a call waits to be placed, and somebody beside the telephone waits for it."""
