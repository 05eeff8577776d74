"""Playback of recordings, whole or in ranges; the audit log shows each one."""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import FileResponse
from sqlalchemy import Engine
from starlette.types import Receive, Scope, Send

from db.engine import writing
from hotline.recordings import archive
from settings.asterisk_files import open_plain

Range = Annotated[str, Header(alias="Range", max_length=200)]
"""The range that a player asks for; FileResponse answers it."""
SOUND: dict[str, Any] = {
    "response_class": FileResponse,
    "responses": {
        200: {"content": {"audio/wav": {}}},
        206: {"description": "The part that was asked for"},
    },
}
"""OpenAPI of an endpoint that answers with sound."""


def play(
    engine: Engine, path: Path, subject: str, *, who: str, wanted: str, what: str = archive.HEARD
) -> FileResponse:
    """Return the sound; the playback by `who` is recorded before the first byte is sent."""
    with writing(engine) as session:
        begins = archive.is_from_start(wanted)
        archive.record_hearing(session, subject, who=who, from_begin=begins, what=what)
    return _PlainFileResponse(path, media_type="audio/wav")


class _PlainFileResponse(FileResponse):
    """Serves the file by its descriptor: Asterisk's user may swap the path for a link after the check."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with open_plain(Path(self.path)) as file:
            self.path = f"/proc/self/fd/{file.fileno()}"
            self.stat_result = os.fstat(file.fileno())
            self.set_stat_headers(self.stat_result)
            await super().__call__(scope, receive, send)
