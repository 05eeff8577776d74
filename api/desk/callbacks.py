"""My desk's callback: call, hang up, undo the end, record the outcome."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import AtDesk, InForce, Reading, Writing
from api.desk import desk_schemas
from api.ids import PathId
from db import models
from db.states import CallbackState, Outcome
from hotline.callbacks import (
    call_quality,
    closing,
    conversations,
    cut_conversations,
    notes,
    schedule,
    transitions,
)
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions

router = APIRouter(prefix="/callbacks", tags=["callbacks"])


def find_mine(session: Session, callback_id: int, user: models.User) -> models.Callback:
    """Return the callback if my desk has it. Raises Refused("not-found" | "forbidden")."""
    callback = transitions.get(session, callback_id)
    if callback.desk_id != user.desk_id:
        raise Refused("forbidden", "this callback belongs to another desk")
    return callback


def find_once_mine(session: Session, callback_id: int, user: models.User) -> models.Callback:
    """Return the callback if my desk has it, or gave it to a desk that still has it.

    A page may not know yet that the callback was given away. Raises Refused("not-found" | "forbidden").
    """
    callback = transitions.get(session, callback_id)
    given = callback.given_by_desk_id == user.desk_id and callback.state is not CallbackState.CLOSED
    if not given:
        return find_mine(session, callback_id, user)
    round_permissions.check_sees(session, user, phases.get(session, callback.round_id))
    return callback


@router.get("/agreed")
def list_agreed(user: AtDesk, session: Reading) -> list[desk_schemas.AgreedCall]:
    """Calls that I agreed with citizens and that are still to come. The dialer places them by itself."""
    return [
        desk_schemas.AgreedCall(
            callback_id=callback.id,
            registration_id=callback.registration_id,
            ticket=callback.registration.ticket,
            subject=callback.registration.subject,
            again_at=callback.again_at,
            due_at=callback.registration.not_before,
            notes=views.describe_notes(callback),
        )
        for callback in schedule.list_promised(session, user)
        if callback.again_at
    ]


@router.get("/{callback_id}")
def show(callback_id: PathId, user: AtDesk, session: Reading) -> schemas.Callback:
    """One of my desk's callbacks, or one that my desk gave to another."""
    return views.describe_callback(session, find_once_mine(session, callback_id, user))


@router.post("/{callback_id}/call", status_code=202)
def call(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Ask the dialer to call the citizen; events report the progress."""
    asked = transitions.ask_call(session, find_mine(session, callback_id, user), settings)
    return views.describe_callback(session, asked)


@router.post("/{callback_id}/hangup", status_code=202)
def hangup(callback_id: PathId, user: AtDesk, session: Writing) -> schemas.Callback:
    """Ask the dialer to end the call; for a few seconds, undo continues the conversation."""
    asked = conversations.hang_up(session, find_mine(session, callback_id, user))
    return views.describe_callback(session, asked)


@router.put("/{callback_id}/hold", status_code=202)
def hold(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Put the citizen on hold with music; after HOTLINE_ON_HOLD_SECONDS the citizen is connected again."""
    mine = find_mine(session, callback_id, user)
    return views.describe_callback(session, conversations.hold(session, mine, settings))


@router.delete("/{callback_id}/hold", status_code=202)
def resume(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Take the citizen off hold: back to my phone."""
    mine = find_mine(session, callback_id, user)
    return views.describe_callback(session, conversations.resume(session, mine, settings))


@router.post("/{callback_id}/undo")
def undo(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Undo the end of my conversation: the citizen, still on the line, is connected again."""
    mine, desk = find_mine(session, callback_id, user), session.get_one(models.Desk, user.desk_id)
    return views.describe_callback(session, conversations.undo(session, mine, desk, settings))


@router.post("/{callback_id}/call-again", status_code=202)
def call_again(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Call the citizen again for my desk now, if our own side cut the conversation: a new callback."""
    mine, desk = find_mine(session, callback_id, user), session.get_one(models.Desk, user.desk_id)
    round_permissions.check_serves(session, user, phases.get(session, mine.round_id))
    return views.describe_callback(session, cut_conversations.call_again_now(session, mine, desk, settings))


@router.put("/{callback_id}/outcome")
def record_outcome(
    callback_id: PathId, body: desk_schemas.DeskOutcome, user: AtDesk, session: Writing, settings: InForce
) -> schemas.Callback:
    """Record the callback's outcome; the same outcome again adds only the note."""
    mine = find_mine(session, callback_id, user)
    agreed_by = user.username if body.agreed else None
    notes.write(session, mine, body.note, by=user)
    closed = closing.record_outcome(
        session, mine, body.outcome, settings, again_at=body.again_at, agreed_by=agreed_by
    )
    return views.describe_callback(session, closed)


@router.put("/{callback_id}/quality", status_code=204)
def keep_quality(callback_id: PathId, body: schemas.Measured, user: AtDesk, session: Writing) -> None:
    """Record my browser's measurement of this conversation's sound; the longest measurement wins."""
    mine = find_mine(session, callback_id, user)
    call_quality.keep(session, mine, call_quality.Measured(**body.model_dump()))


@router.get("/{callback_id}/called-again")
def foresee(
    callback_id: PathId,
    wish: Annotated[desk_schemas.Wish, Query()],
    user: AtDesk,
    session: Reading,
    settings: InForce,
) -> desk_schemas.CalledAgain:
    """When the citizen would be called if I recorded "call again" now; without a wish, soon."""
    callback = transitions.get(session, callback_id)
    if user.desk_id not in (callback.desk_id, callback.screen_desk_id):
        raise Refused("forbidden", "this callback belongs to another desk")
    if wish.agreed:
        schedule.check_agreed(Outcome.CALL_AGAIN, wish.again_at)
    seen = schedule.forecast(session, callback, wish.again_at, settings, agreed=wish.agreed)
    return desk_schemas.CalledAgain(at=seen.at, because=seen.because, quiet=seen.quiet)
