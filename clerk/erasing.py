"""What is over of citizens' accounts, and what is to be erased of those who wished it: files, then rows."""

from sqlalchemy import Engine

from clerk.progress import step
from db.engine import reading, writing
from hotline.citizens import codes, erasure, sessions
from settings import Settings

_AT_ONCE = 50


def run(engine: Engine, settings: Settings) -> None:
    """Forget old codes and sessions; erase files, and the words of requests that are over by now."""
    with writing(engine) as session:
        codes.forget(session)
        sessions.forget(session)
        erasure.erase_words(session)
    folders = {
        erasure.MESSAGES: settings.messages_dir,
        erasure.RECORDINGS: settings.recordings_dir,
        erasure.PICTURES: settings.pictures_dir,
    }
    while True:
        step()
        with reading(engine) as session:
            due = erasure.due_files(session, _AT_ONCE)
        for each in due:
            folder, _, name = (each.file or "").partition("/")
            (folders[folder] / name).unlink(missing_ok=True)
        if not due:
            return
        with writing(engine) as session:
            erasure.erased(session, due)
