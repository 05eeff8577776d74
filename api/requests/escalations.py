"""Escalated requests: each supervisor's page shows them until somebody takes them."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.access import MayMove, Reading, Writing
from api.ids import PathId
from api.requests import request_schemas
from hotline.requests import escalations

router = APIRouter(prefix="/escalations", tags=["requests"])


class Escalated(BaseModel):
    """A request whose department is two working days late."""

    id: int
    tracking: str
    category: int
    district: int | None
    department: request_schemas.Department | None
    due_at: datetime | None


class Escalations(BaseModel):
    """The number of escalations, and those that were due first."""

    open: int
    first: list[Escalated]


@router.get("")
def list_escalations(_user: MayMove, session: Reading) -> Escalations:
    """Escalations that nobody of the office has taken."""
    return _view(session)


@router.post("/{request_id}/take")
def take_escalation(request_id: PathId, user: MayMove, session: Writing) -> Escalations:
    """Take an escalation; the request's history and the audit log name the person. Repeating is harmless."""
    escalations.take(session, request_id, who=user.username)
    return _view(session)


def _view(session: Session) -> Escalations:
    number, first = escalations.list_open(session)
    return Escalations(
        open=number, first=[Escalated.model_validate(each, from_attributes=True) for each in first]
    )
