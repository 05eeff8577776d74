"""Something recorded, as a player asks for it: whole or in ranges, and each hearing is in the audit log."""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import FileResponse
from sqlalchemy import Engine
from starlette.types import Receive, Scope, Send

from db.engine import writing
from hotline.recordings import recordings
from settings.asterisk_files import open_plain

Range = Annotated[str, Header(alias="Range", max_length=200)]
"""What part a player asks for; FileResponse answers it."""
SOUND: dict[str, Any] = {
    "response_class": FileResponse,
    "responses": {
        200: {"content": {"audio/wav": {}}},
        206: {"description": "The part that was asked for"},
    },
}
"""How an endpoint that answers with a sound is described."""


def play(
    engine: Engine, path: Path, subject: str, *, who: str, wanted: str, what: str = recordings.HEARD
) -> FileResponse:
    """The sound; that `who` hears it is written down before the first byte goes out."""
    with writing(engine) as session:
        begins = recordings.from_begin(wanted)
        recordings.heard(session, subject, who=who, from_begin=begins, what=what)
    return _PlainFileResponse(path, media_type="audio/wav")


class _PlainFileResponse(FileResponse):
    """Serves the file by a descriptor: Asterisk's user may put a link in its place after it was checked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with open_plain(Path(self.path)) as file:
            self.path = f"/proc/self/fd/{file.fileno()}"
            self.stat_result = os.fstat(file.fileno())
            self.set_stat_headers(self.stat_result)
            await super().__call__(scope, receive, send)
