"""The call that tells a land line about its request what a mobile reads, and asks whether it is solved.

No text message arrives there. `hotline.requests.work.queue_call` asks for the call when the office answers,
rejects or closes the request. It does so again when somebody has answered in the number's name.
"""

from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import OutboundCall, OutboundKind, Request, make_literals
from db.states import RequestState
from hotline.outbound import queue

OBJECTED = (RequestState.REOPENED, RequestState.SPLIT)
"""States after a caller's objection; `SPLIT` if the request has parts."""
ASKED = (RequestState.REPLIED, *OBJECTED)
"""States in which the land line is asked whether it is solved."""
TOLD = (RequestState.CLOSED, RequestState.REJECTED)
"""States that the land line is told, and asked nothing."""

_answer = aliased(Request)
"""The request with the office's answer: the original of a duplicate, else the request itself."""
_STANDS = (
    select(Request.id)
    .join(_answer, _answer.id == func.coalesce(Request.duplicate_of_id, Request.id))
    .where(
        Request.id == OutboundCall.request_id,
        Request.number.is_not(None),
        _answer.state.in_(make_literals((*ASKED, *TOLD))),
        _answer.replied_at == OutboundCall.asked_at,
    )
    .correlate(OutboundCall)
    .exists()
)
"""Condition on OutboundCall: what the call tells is still so."""

CALLS = queue.Eligibility(OutboundKind.SOLVED, queue.IS_FREE, _STANDS)


def hear(session: Session, token: str, due_at: datetime) -> None:
    """Record that a person has listened as far as the question: whatever they answer, nobody calls again.

    Unless there is news since the call was due at `due_at` (`hotline.requests.work.queue_call`).
    """
    queue.answer(session, token, "told", due_at=due_at)


def forget(session: Session) -> None:
    """Delete the calls that are over: told, given up, or of an answer that does not stand any more."""
    over = OutboundCall.token.is_(None), or_(OutboundCall.ended_at.is_not(None), ~_STANDS)
    gone = delete(OutboundCall).where(OutboundCall.kind == OutboundKind.SOLVED, *over)
    session.execute(gone.execution_options(synchronize_session=False))
