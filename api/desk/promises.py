"""What is said in a conversation and is not to be lost: notes, and what the citizen is promised."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import AtDesk, InForce, Writing
from api.desk import desk_schemas as desk
from api.desk.callbacks import Id
from api.requests import request_schemas
from api.requests.requests import detail
from db.models import Callback, User
from hotline.callbacks import callbacks, notes
from hotline.requests import work
from hotline.rounds import rounds

router = APIRouter(prefix="/callbacks", tags=["callbacks"])


@router.post("/{callback_id}/notes")
def add_note(callback_id: Id, body: desk.NoteIn, user: AtDesk, session: Writing) -> schemas.Callback:
    """Add a line to the note of my desk's conversation, or of one beside which I sit."""
    return views.callback_view(
        session, notes.add(session, _written_of(session, callback_id, user), body.note)
    )


@router.post("/{callback_id}/promises", status_code=201)
def promise(
    callback_id: Id, body: desk.PromiseIn, user: AtDesk, session: Writing, settings: InForce
) -> request_schemas.RequestDetail:
    """Write down what the official of the round promises this citizen; they are told its tracking number."""
    callback = _written_of(session, callback_id, user)
    official = rounds.speaker(rounds.get(session, callback.round_id))
    made = work.promise(
        session, callback.registration, official, written=body.written, until=body.until, who=user.username
    )
    return detail(session, made, settings.request_alike_days)


def _written_of(session: Session, callback_id: int, user: User) -> Callback:
    callback = callbacks.get(session, callback_id)
    notes.check_writes(session, callback, user)
    return callback
