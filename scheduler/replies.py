"""Spoken replies of the office for key 2: renders missing ones, and deletes unused ones."""

import logging
from pathlib import Path

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline.requests import spoken_replies
from prompts import replies
from prompts.sources import VoiceError
from scheduler.progress import step
from settings import Settings

log = logging.getLogger("scheduler")

_AT_ONCE = 20


def speak(engine: Engine, settings: Settings) -> None:
    """Render the missing replies. The files exist before the row says so."""
    with reading(engine) as session:
        lacking = spoken_replies.list_without_sound(session, _AT_ONCE)
    failed: VoiceError | None = None
    for request_id, reply in lacking:
        step()
        try:
            _render(settings, reply, spoken_replies.find_sound_path(settings.replies_dir, request_id))
        except VoiceError as error:  # the others must still be rendered; this one is retried
            failed = failed or error
            continue
        with writing(engine) as session:
            spoken_replies.record_spoken(session, request_id, reply)
    if failed:
        raise failed


def _render(settings: Settings, reply: str, path: Path) -> None:
    for old in path.parent.glob(f"{path.name}.*"):
        old.unlink(missing_ok=True)
    if reply:
        try:
            replies.render(settings, reply, path)
        except replies.Unspeakable as error:  # it can never be rendered
            log.warning("reply %s", error)


def delete_old(engine: Engine, settings: Settings) -> None:
    """Delete the audio of replies whose requests nobody asks about any more."""
    files = [path for path in settings.replies_dir.glob("*.*") if path.stem.isdecimal()]
    for begin in range(0, len(files), _AT_ONCE * 10):
        step()
        some = files[begin : begin + _AT_ONCE * 10]
        with reading(engine) as session:
            over = spoken_replies.list_over(session, {int(path.stem) for path in some})
        for path in some:
            if int(path.stem) in over:
                path.unlink(missing_ok=True)
