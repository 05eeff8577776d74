"""Recorded conversations: lists, and playback, which the audit log shows."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from api import reason_schemas, schemas, views
from api.access import Database, InForce, MayAdminister, MayHear, Reading, Writing
from api.ids import PathId, QueryId
from api.reports import recording_schemas
from api.sounds import SOUND, Range, play
from db import models
from db.engine import reading
from hotline import tickets
from hotline.callbacks import call_quality
from hotline.recordings import archive, disk, retention
from hotline.rounds import phases

router = APIRouter(prefix="/recordings", tags=["recordings"])


@router.get("")
def list_recordings(round_id: QueryId, _user: MayHear, session: Reading) -> list[recording_schemas.Recording]:
    """The recorded conversations of a round in their order, deleted ones included."""
    phases.get(session, round_id)
    found = archive.list_by_round(session, round_id)
    measured = call_quality.find_by_callbacks(session, [recording.callback_id for recording in found])
    return [_view(recording, measured.get(recording.callback_id)) for recording in found]


def _view(recording: models.Recording, measured: models.CallQuality | None) -> recording_schemas.Recording:
    callback = recording.callback
    return recording_schemas.Recording(
        callback_id=callback.id,
        desk_id=callback.desk_id,
        ticket=callback.registration.ticket,
        talking_at=callback.talking_at,
        seconds=recording.seconds,
        sha256=recording.sha256,
        made_at=recording.made_at,
        deleted_at=recording.deleted_at,
        quality=views.describe_quality(measured),
    )


@router.get("/all")
def search(
    *,
    _user: MayHear,
    session: Reading,
    round_id: QueryId | None = None,
    ticket: Annotated[schemas.Text, Query(max_length=20)] = "",
    since: Annotated[schemas.Moment | None, Query(alias="from")] = None,
    until: schemas.Moment | None = None,
    before: QueryId | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> recording_schemas.Recordings:
    """Matching recordings of all rounds, latest conversation first."""
    found = archive.search(
        session,
        round_id=round_id,
        ticket=tickets.parse(ticket) if ticket.strip() else "",
        since=since,
        until=until,
        before=before,
        limit=limit + 1,
    )
    measured = call_quality.find_by_callbacks(session, [recording.callback_id for recording in found])
    items = [_of_round(session, one, measured.get(one.callback_id)) for one in found[:limit]]
    return recording_schemas.Recordings(
        items=items, next=items[-1].callback_id if len(found) > limit else None
    )


def _of_round(
    session: Session, recording: models.Recording, measured: models.CallQuality | None
) -> recording_schemas.RecordingOfRound:
    round_ = phases.get(session, recording.callback.round_id)
    return recording_schemas.RecordingOfRound(
        **_view(recording, measured).model_dump(),
        round_id=round_.id,
        official=views.describe_official(phases.find_speaker(round_)),
    )


@router.get("/retention")
def show_retention(_user: MayHear, session: Reading, settings: InForce) -> recording_schemas.Retention:
    """The stored recordings, their retention, and how full the disk is."""
    folder, days = settings.recordings_dir, settings.recordings_days
    space, kept = disk.find_disk(settings.state_dir), retention.find_overview(session, folder, days)
    return recording_schemas.Retention(
        days=days,
        disk_total=space.total,
        disk_free=space.free,
        disk_nearly_full=space.nearly_full,
        **kept._asdict(),
    )


@router.post("/{callback_id}/delete")
def delete_early(
    callback_id: PathId,
    body: reason_schemas.Because,
    user: MayAdminister,
    session: Writing,
    settings: InForce,
) -> recording_schemas.Recording:
    """Delete a recording early: the file goes for good, and the audit log has the reason."""
    folder = settings.recordings_dir
    deleted = retention.delete_early(session, callback_id, folder, who=user.username, reason=body.reason)
    return _view(deleted, call_quality.find_by_callbacks(session, [callback_id]).get(callback_id))


@router.get("/{callback_id}/audio", **SOUND)
def hear(
    callback_id: PathId, user: MayHear, engine: Database, settings: InForce, wanted: Range = ""
) -> FileResponse:
    """A conversation's sound, or a range of it."""
    with reading(engine) as session:
        recording = archive.get_by_callback(session, callback_id)
    path = archive.get_unchanged_file(recording, settings.recordings_dir)
    return play(engine, path, f"callback {callback_id}", who=user.username, wanted=wanted)
