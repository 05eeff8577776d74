"""History of the citizen with whom a desk is about to speak, and the citizen's voice message."""

from fastapi import APIRouter
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import MAY_HEAR, MAY_OVERSEE, AtDesk, Database, InForce, Reading, SignedIn, Writing
from api.desk import desk_schemas as desk
from api.ids import PathId
from api.sounds import SOUND, Range, play
from db import models
from db.engine import reading
from db.states import CallbackState
from hotline.callbacks import notes, serving, transitions
from hotline.errors import Refused
from hotline.recordings import archive, voice_messages, voice_summaries
from hotline.reports import citizen_history

router = APIRouter(tags=["callbacks"])


@router.get("/callbacks/{callback_id}/history")
def show_history(callback_id: PathId, user: SignedIn, session: Reading) -> desk.CitizensHistory:
    """The citizen's history for overseers, and for people who may write notes on the callback now."""
    callback = transitions.get(session, callback_id)
    if user.role not in MAY_OVERSEE:
        if callback.state is CallbackState.CLOSED:
            raise Refused("forbidden", "this callback is in nobody's hands any more")
        notes.check_writes(session, callback, user)
    return read_history(session, callback.registration.number, user)


def read_history(session: Session, number: str, user: models.User) -> desk.CitizensHistory:
    """Return the history of an E.164 number, as far as the person may see it.

    Only a role that may hear recordings sees their length.
    """
    hears = user.role in MAY_HEAR
    registered = citizen_history.list_registrations(session, number)
    calls = citizen_history.list_calls(session, registered)
    return desk.CitizensHistory(
        registrations=[_registration(one, calls.get(one.id, []), hears=hears) for one in registered],
        requests=[
            desk.PastRequest.model_validate(request, from_attributes=True)
            for request in citizen_history.list_requests(session, number, user)
        ],
    )


def _registration(
    registration: models.Registration, calls: list[citizen_history.PastCall], *, hears: bool
) -> desk.PastRegistration:
    return desk.PastRegistration(
        id=registration.id,
        official=views.describe_official(registration.round.official),
        starts_at=registration.round.starts_at,
        in_operators_line=registration.round.is_operators_line,
        ticket=registration.ticket,
        registered_at=registration.registered_at,
        state=registration.state,
        subject=registration.subject,
        calls=[_call(call, hears=hears) for call in calls],
    )


def _call(call: citizen_history.PastCall, *, hears: bool) -> desk.PastCall:
    callback = call.callback
    talked = callback.talking_at and callback.ended_at and callback.ended_at - callback.talking_at
    return desk.PastCall(
        callback_id=callback.id,
        desk_id=callback.desk_id,
        at=callback.called_at or callback.claimed_at,
        talked_seconds=max(0, round(talked.total_seconds() - callback.held_s)) if talked else 0,
        threat=callback.threat_at is not None,
        outcome=callback.outcome,
        notes=views.describe_notes(callback),
        recorded=call.recorded if hears else None,
        quality=views.describe_quality(call.quality),
    )


def _comes_to(session: Session, callback: models.Callback, desk_id: int | None) -> bool:
    """Return whether the desk has the citizen, or may get them next."""
    return transitions.has_in_hand(callback, desk_id) or serving.may_come_to(session, callback, desk_id)


@router.get("/registrations/{registration_id}/voice-message/about")
def describe_voice_message(
    registration_id: PathId, user: SignedIn, session: Reading, settings: InForce
) -> desk.VoiceMessage:
    """A voice message's length, language, date and summary, for people who may hear it."""
    _check_hears(session, registration_id, user)
    path = archive.get_voice_message(session, registration_id, settings.messages_dir)
    left, summary = (
        session.get_one(models.Registration, registration_id),
        voice_summaries.find(session, registration_id),
    )
    return desk.VoiceMessage(
        seconds=voice_messages.measure_seconds(path),
        language=left.language,
        made_at=left.registered_at,
        summary=_summary(summary) if summary else None,
    )


@router.put("/registrations/{registration_id}/voice-message/summary")
def sum_up_voice_message(
    registration_id: PathId, body: desk.SummaryIn, user: AtDesk, session: Writing
) -> schemas.Note:
    """Write a voice message's summary for later desks."""
    _check_hears(session, registration_id, user)
    left = session.get(models.Registration, registration_id)
    if left is None:
        raise Refused("not-found", f"no registration {registration_id}")
    return _summary(voice_summaries.write(session, left, body.written, by=user))


def _summary(summary: models.VoiceSummary) -> schemas.Note:
    return schemas.Note(by=summary.writer.name, at=summary.at, written=summary.written)


def _check_hears(session: Session, registration_id: int, user: models.User) -> None:
    callback = transitions.find_by_registration(session, registration_id)
    if user.role not in MAY_HEAR and not (callback and _comes_to(session, callback, user.desk_id)):
        raise Refused("forbidden", "this citizen is not in the hands of this desk")


@router.get("/registrations/{registration_id}/voice-message", **SOUND)
def hear_voice_message(
    registration_id: PathId, user: SignedIn, engine: Database, settings: InForce, wanted: Range = ""
) -> FileResponse:
    """The citizen's voice message.

    Listeners are the citizen's desk, desks of the round, and recording roles.
    """
    with reading(engine) as session:
        _check_hears(session, registration_id, user)
        path = archive.get_voice_message(session, registration_id, settings.messages_dir)
    what = archive.VOICE_MESSAGE_HEARD
    return play(engine, path, f"registration {registration_id}", who=user.username, wanted=wanted, what=what)
