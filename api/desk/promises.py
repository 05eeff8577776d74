"""Notes, threats and promises of a conversation."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import AtDesk, InForce, Writing
from api.desk import desk_schemas as desk
from api.ids import PathId
from api.requests import request_schemas
from api.requests.reading import describe_whole_request
from db.models import Callback, User
from hotline.callbacks import conversations, notes, threats, transitions
from hotline.errors import Refused
from hotline.requests import work

router = APIRouter(prefix="/callbacks", tags=["callbacks"])


@router.post("/{callback_id}/notes")
def add_note(callback_id: PathId, body: desk.NoteIn, user: AtDesk, session: Writing) -> schemas.Callback:
    """Add a note to my desk's conversation, or to one that I joined."""
    callback = _written_of(session, callback_id, user)
    return views.describe_callback(session, notes.add(session, callback, body.note, by=user))


@router.post("/{callback_id}/threat")
def mark_threat(callback_id: PathId, user: AtDesk, session: Writing) -> schemas.Callback:
    """Mark that the citizen threatens somebody: the recording is kept, and supervisors see it at once."""
    callback = _written_of(session, callback_id, user)
    return views.describe_callback(session, threats.mark(session, callback, who=user.username))


@router.post("/{callback_id}/promises", status_code=201)
def promise(
    callback_id: PathId, body: desk.PromiseIn, user: AtDesk, session: Writing, settings: InForce
) -> request_schemas.RequestDetail:
    """Record the official's promise to this citizen, who gets its tracking number.

    The same promise again is one promise.
    """
    callback = _written_of(session, callback_id, user)
    if callback.talking_at is None:
        raise Refused("never-met", "nobody has spoken with this citizen yet")
    official = conversations.find_speaker(session, callback)
    made = work.promise(
        session,
        callback.registration,
        official,
        written=body.written,
        until=body.until,
        week=settings.working_week,
        who=user.username,
    )
    return describe_whole_request(session, made)


def _written_of(session: Session, callback_id: int, user: User) -> Callback:
    callback = transitions.get(session, callback_id)
    notes.check_writes(session, callback, user)
    return callback
