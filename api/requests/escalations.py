"""What is before the supervisors: it stands on each of their pages until somebody sees to it."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.access import MayMove, Reading, Writing
from api.ids import PathId
from api.requests import request_schemas
from api.routes import APIRouter
from hotline.requests import escalations

router = APIRouter(prefix="/escalations", tags=["requests"])


class Escalated(BaseModel):
    """A request whose department is late by two working days."""

    id: int
    tracking: str
    category: int
    district: int | None
    department: request_schemas.Department | None
    due_at: datetime | None


class Escalations(BaseModel):
    """How many there are, and those that were due first."""

    open: int
    first: list[Escalated]


@router.get("")
def list_escalations(_user: MayMove, session: Reading) -> Escalations:
    """What nobody of the office sees to yet."""
    return _view(session)


@router.post("/{request_id}/take")
def take_escalation(request_id: PathId, user: MayMove, session: Writing) -> Escalations:
    """I see to it; the request's history and the audit log say who. Twice is once."""
    escalations.take(session, request_id, who=user.username)
    return _view(session)


def _view(session: Session) -> Escalations:
    number, first = escalations.list_open(session)
    return Escalations(
        open=number, first=[Escalated.model_validate(each, from_attributes=True) for each in first]
    )
