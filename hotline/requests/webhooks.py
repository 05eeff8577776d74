"""Webhook: steps of requests posted to the city's own address, with numbers, states and times, no words."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Category, OutboxKind, OutboxMessage, Request, RequestEntry
from db.states import RequestState, RequestStep
from settings import Settings

_KEY = "request-step-"
_USEFUL = timedelta(days=1)
"""Steps older than this are not posted, for example to an address that was away or was set only now."""
_AT_ONCE = 200
_CALLED: Mapping[RequestStep, str] = {
    RequestStep.REPORTED: "filed",
    RequestStep.REPLIED: "answered",
    RequestStep.CONFIRMED: "closed",
    RequestStep.UNANSWERED: "closed",
    RequestStep.DENIED: "reopened",
}
"""Names of steps in the webhook; other steps have our own names."""
_INSERT = {
    name: insert(OutboxMessage).on_conflict_do_nothing(index_elements=["key"])
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def queue_due(session: Session, settings: Settings) -> int:
    """Put at most 200 unposted steps of the last day into the outbox; return how many.

    It looks for steps without a message, because a step with a lower id may be committed later.
    """
    if not settings.request_webhook:
        return 0
    at = now(session)
    told = exists().where(OutboxMessage.key == _KEY + cast(RequestEntry.id, String))
    due = (
        select(RequestEntry, Request, Category.code)
        .join(Request, Request.id == RequestEntry.request_id)
        .join(Category, Category.id == Request.category)
        .where(RequestEntry.at > at - _USEFUL, Request.part_of_id.is_(None), ~told)
        .order_by(RequestEntry.at, RequestEntry.id)
        .limit(_AT_ONCE)
    )
    rows = [
        {
            "key": f"{_KEY}{entry.id}",
            "kind": OutboxKind.REQUEST_STEP,
            "request_id": request.id,
            "to": settings.request_webhook,
            "body": json.dumps(_event(entry, request, code)),
            "made_at": at,
            "not_before": at,
            "expires_at": entry.at + 2 * _USEFUL,
        }
        for entry, request, code in session.execute(due)
    ]
    if rows:
        session.execute(_INSERT[session.get_bind().dialect.name], rows)
    return len(rows)


def _event(entry: RequestEntry, request: Request, category: str) -> dict[str, Any]:
    """Return the step, and the request's present state."""
    called = _CALLED.get(entry.step, entry.step.value)
    if entry.step is RequestStep.CONFIRMED and request.state is RequestState.REPLIED:
        called = entry.step.value  # a caller said yes, but the number itself may still object
    times = ("made_at", "answer_by", "answered_at", "solve_by", "due_at", "replied_at")
    found = {name: getattr(request, name) for name in times}
    return {
        "type": f"request.{called}",
        "timestamp": entry.at.isoformat(),
        "data": {
            "number": request.tracking,
            "step": entry.id,
            "state": request.state.value,
            "category": category,
            "district": request.district,
            **{name: value.isoformat() if value else None for name, value in found.items()},
            "objections": request.denials,
            "unanswered": request.unanswered,
        },
    }
