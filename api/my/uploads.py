"""A citizen's files in pieces, by tus 1.0: core, creation, expiration, termination (docs/decisions/0026).

Metadata is neither read nor kept: the session gives the owner, the content gives the type.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from starlette.requests import ClientDisconnect

from api.access import Database, InForce
from api.limits import Coming, Guesses
from api.my import my_schemas as wire
from api.my.signed_in import Citizen
from api.security import LONGEST_PICTURE, UPLOADS
from db.engine import reading, writing
from db.models import CitizenSession, Upload, UploadKind
from hotline.citizens import sessions
from hotline.errors import Refused
from hotline.pictures import attachments, decoding
from hotline.recordings import voice_notes
from hotline.uploads import pending_uploads, pieces
from settings import Settings

_VERSION, _TYPE = "1.0.0", "application/offset+octet-stream"
_SILENT_S = 20.0
"""Seconds of silence after which a sender counts as gone; its next connection continues."""
_SENT: dict[str, Any] = {
    "max_body_size": LONGEST_PICTURE,
    "openapi_extra": {
        "requestBody": {"content": {_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    },
}
UploadId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")]


def _speaks(citizen: Citizen, tus_resumable: Annotated[str, Header()] = "") -> CitizenSession:
    if tus_resumable != _VERSION:
        raise Refused("upload-version", f"this is tus {_VERSION}")
    return citizen


Sender = Annotated[CitizenSession, Depends(_speaks)]
"""A signed-in citizen whose program speaks tus."""
router = APIRouter(prefix="/my/uploads", tags=["my"])


@router.options("", status_code=204)
def offer() -> Response:
    """The supported parts of tus."""
    largest = str(max(pending_uploads.LARGEST.values()))
    extensions = "creation,expiration,termination"
    return Response(status_code=204, headers={"Tus-Extension": extensions, "Tus-Max-Size": largest})


@router.post("", status_code=201)
def begin_upload(
    *,
    kind: UploadKind,
    citizen: Sender,
    engine: Database,
    settings: InForce,
    upload_length: Annotated[str, Header()] = "",
) -> Response:
    """Announce a picture or a voice message; `Location` is the address for its pieces."""
    size = _count(upload_length, "Upload-Length")
    with writing(engine) as session:
        sessions.lock_number(session, citizen)
        upload, gone = pending_uploads.begin_upload(session, citizen.number, kind, size)
        pieces.make(settings.uploads_dir, upload.id)
        headers = {"Location": f"{UPLOADS}/{upload.id}", **_expires(upload)}
    _delete(settings, gone)
    return Response(status_code=201, headers=headers)


@router.head("/{upload_id}")
def how_far(upload_id: UploadId, citizen: Sender, engine: Database, settings: InForce) -> Response:
    """How many bytes of the upload have arrived."""
    upload = _mine(engine, citizen, upload_id)
    there = upload.size if upload.kept else pieces.find_length(settings.uploads_dir, upload.id)
    told = {"Upload-Length": str(upload.size), "Upload-Offset": str(there)}
    return Response(headers=told | _expires(upload))


@router.patch("/{upload_id}", status_code=204, **_SENT)
async def add_piece(
    *,
    upload_id: UploadId,
    request: Request,
    citizen: Sender,
    engine: Database,
    settings: InForce,
    upload_offset: Annotated[str, Header()] = "",
    content_type: Annotated[str, Header()] = "",
) -> Response:
    """The next piece; bytes that arrive stay, even if the connection breaks."""
    at = _count(upload_offset, "Upload-Offset")
    if content_type != _TYPE:
        raise Refused("upload-type", f"a piece is {_TYPE}")
    coming: Coming = request.app.state.pieces_coming
    with coming.one(citizen.number):
        upload = await run_in_threadpool(_mine, engine, citizen, upload_id)
        if upload.kept:
            raise Refused("upload-offset", "all of it is there")
        at = await _taken(request, settings, upload, at)
    return Response(status_code=204, headers={"Upload-Offset": str(at), **_expires(upload)})


@router.delete("/{upload_id}", status_code=204)
def end_upload(upload_id: UploadId, citizen: Sender, engine: Database, settings: InForce) -> None:
    """Cancel the upload and delete its bytes."""
    with writing(engine) as session:
        gone = pending_uploads.end(session, citizen.number, upload_id)
    _delete(settings, gone)


@router.post("/{upload_id}/finish")
def finish_upload(
    upload_id: UploadId, request: Request, citizen: Citizen, engine: Database, settings: InForce
) -> wire.UploadKept:
    """Finish a complete upload: the file is checked, and a report may claim it for a day.

    Repeating returns the same answer.
    """
    upload = _mine(engine, citizen, upload_id)
    kept = upload.kept
    if kept is None:
        sent: Guesses = request.app.state.pictures_sent
        sent.take(citizen.number)
        kept = _finished(engine, settings, citizen, upload)
    return wire.UploadKept(id=kept if upload.kind is UploadKind.PICTURE else upload.id)


async def _taken(request: Request, settings: Settings, upload: Upload, at: int) -> int:
    """Store the pieces and return the file's new end.

    A refusal is sent after the whole body, since the client reads only then.
    """
    begins, head, wrong = at == 0, b"", None
    with pieces.open_for_pieces(settings.uploads_dir, upload.id) as file:
        await run_in_threadpool(file.add, at, b"")  # raises if the file ends elsewhere
        async for piece in _coming(request):
            if wrong is None and at + len(piece) > upload.size:
                wrong = Refused("upload-large", "it is longer than it was said to be")
            wrong = wrong or await run_in_threadpool(_refusal, file.add, at, piece)
            if wrong is None:
                at += len(piece)
                head = (head + piece)[: decoding.HEAD] if begins else head
            if begins and (len(head) == decoding.HEAD or at == upload.size):
                wrong, begins = _refusal(pending_uploads.LOOK[upload.kind], head), False
        await run_in_threadpool(file.sync)
    if wrong:
        raise wrong
    return at


def _refusal(act: Callable[..., object], *of: Any) -> Refused | None:
    try:
        act(*of)
    except Refused as refused:
        return refused
    return None


async def _coming(request: Request) -> AsyncIterator[bytes]:
    """Yield the body's pieces as long as they come. Raises Refused("upload-idle")."""
    body = request.stream()
    with suppress(StopAsyncIteration, ClientDisconnect):
        while True:
            try:
                piece = await asyncio.wait_for(anext(body), _SILENT_S)
            except TimeoutError:
                raise Refused("upload-idle", "nothing came any more", after_s=1) from None
            if piece:
                yield piece


def _finished(engine: Engine, settings: Settings, citizen: CitizenSession, upload: Upload) -> str:
    """Check the whole file and store its result once: of two concurrent calls, the first wins."""
    picture = None
    with pieces.open_whole(settings.uploads_dir, upload.id, upload.size) as file:
        if upload.kind is UploadKind.PICTURE:
            picture = decoding.redraw(file)
            name = attachments.keep(settings.pictures_dir, picture)
        else:
            name = voice_notes.keep(settings.messages_dir, voice_notes.convert_to_wav(file))
    made = attachments.find_path(settings.pictures_dir, name) if picture else settings.messages_dir / name
    try:
        with writing(engine) as session:
            sessions.lock_number(session, citizen)
            row = pending_uploads.get_for_update(session, citizen.number, upload.id)
            if picture and not row.kept:
                attachments.add(session, name, picture, number=citizen.number)
            row.kept = kept = row.kept or name
    except Refused:  # after any other error the row may exist
        pieces.discard(made.parent, made.name)
        raise
    if kept != name:
        pieces.discard(made.parent, made.name)
    pieces.discard(settings.uploads_dir, upload.id)
    return kept


def _mine(engine: Engine, citizen: CitizenSession, upload_id: str) -> Upload:
    with reading(engine) as session:
        return pending_uploads.get(session, citizen.number, upload_id)


def _delete(settings: Settings, files: pending_uploads.Files) -> None:
    folders = {pending_uploads.UPLOADS: settings.uploads_dir, pending_uploads.MESSAGES: settings.messages_dir}
    for folder, name in files:
        pieces.discard(folders[folder], name)


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(pending_uploads.find_expiry(upload), usegmt=True)}


def _count(said: str, header: str) -> int:
    if not re.fullmatch("[0-9]{1,12}", said):
        raise Refused("upload-headers", f"{header} is a number of bytes")
    return int(said)
