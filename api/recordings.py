"""Recorded conversations: the list of a round, and hearing one, which the audit log shows."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import FileResponse

from api import office_schemas as office
from api.access import Database, Hearer, InForce, Reading
from api.callbacks import Id
from db import models
from db.engine import reading, writing
from hotline import recordings, rounds

router = APIRouter(prefix="/recordings", tags=["recordings"])

RoundId = Annotated[int, Query(ge=1, lt=2**31)]


@router.get("")
def list_recordings(round_id: RoundId, _user: Hearer, session: Reading) -> list[office.Recording]:
    """The recorded conversations of a round, in their order; the deleted ones, too."""
    rounds.get(session, round_id)
    return [_view(recording) for recording in recordings.of_round(session, round_id)]


def _view(recording: models.Recording) -> office.Recording:
    callback = recording.callback
    return office.Recording(
        callback_id=callback.id,
        desk_id=callback.desk_id,
        ticket=callback.registration.ticket,
        talking_at=callback.talking_at,
        seconds=recording.seconds,
        sha256=recording.sha256,
        made_at=recording.made_at,
        deleted_at=recording.deleted_at,
    )


@router.get(
    "/{callback_id}/audio",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}}}, 206: {"description": "The part that was asked for"}},
)
def hear(
    callback_id: Id,
    user: Hearer,
    engine: Database,
    settings: InForce,
    wanted: Annotated[str, Header(alias="Range", max_length=200)] = "",
) -> FileResponse:
    """The sound of a conversation, or the range of it that a player asks for."""
    with reading(engine) as session:
        recording = recordings.to_hear(session, callback_id)
    path = recordings.unchanged(recording, settings.recordings_dir)
    with writing(engine) as session:  # committed before the first byte goes out
        begins = recordings.from_begin(wanted)
        recordings.heard(session, f"callback {callback_id}", who=user.username, from_begin=begins)
    return FileResponse(path, media_type="audio/wav")
