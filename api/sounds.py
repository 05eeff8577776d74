"""Something recorded, as a player asks for it: whole or in ranges, and each hearing is in the audit log."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import FileResponse
from sqlalchemy import Engine

from db.engine import writing
from hotline.recordings import recordings

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
    return FileResponse(path, media_type="audio/wav")
