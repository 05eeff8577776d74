"""My desk's callback: call, hang up, record the outcome."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from api import desk_schemas, schemas, views
from api.access import AtDesk, InForce, Reading, Writing
from db import models
from hotline import callbacks
from hotline.errors import Refused

router = APIRouter(prefix="/callbacks", tags=["callbacks"])

Id = Annotated[int, Path(ge=1, lt=2**31)]


def _mine(session: Session, callback_id: int, user: models.User) -> models.Callback:
    callback = callbacks.get(session, callback_id)
    if callback.desk_id != user.desk_id:
        raise Refused("forbidden", "this callback belongs to another desk")
    return callback


@router.get("/{callback_id}")
def show(callback_id: Id, user: AtDesk, session: Reading) -> schemas.Callback:
    """One of my desk's callbacks."""
    return views.callback_view(session, _mine(session, callback_id, user))


@router.post("/{callback_id}/call", status_code=202)
def call(callback_id: Id, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Have the citizen called; events tell how it goes on."""
    asked = callbacks.ask_call(session, _mine(session, callback_id, user), settings)
    return views.callback_view(session, asked)


@router.post("/{callback_id}/hangup", status_code=202)
def hangup(callback_id: Id, user: AtDesk, session: Writing) -> schemas.Callback:
    """Have the call ended."""
    asked = callbacks.ask_hangup(session, _mine(session, callback_id, user))
    return views.callback_view(session, asked)


@router.put("/{callback_id}/outcome")
def record_outcome(
    callback_id: Id, body: desk_schemas.DeskOutcome, user: AtDesk, session: Writing, settings: InForce
) -> schemas.Callback:
    """Record what became of the callback; the same again changes only the note."""
    mine = _mine(session, callback_id, user)
    closed = callbacks.record_outcome(
        session, mine, body.outcome, body.note, settings, again_at=body.again_at
    )
    return views.callback_view(session, closed)
