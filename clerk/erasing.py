"""What is over of citizens' accounts, and what is to be erased of those who wished it: files, then rows."""

from sqlalchemy import Engine

from clerk.progress import step
from db.engine import reading, writing
from hotline.citizens import codes, erasure, retention, sessions
from hotline.uploads import uploads
from settings import Settings

_AT_ONCE = 50


def run(engine: Engine, settings: Settings) -> None:
    """Forget old codes and sessions; erase files, and the words of requests that are over by now."""
    with writing(engine) as session:
        codes.forget(session)
        sessions.forget(session)
        erasure.erase_words(session)
    wrong: OSError | None = None
    after = 0
    while True:
        step()
        with reading(engine) as session:
            due = erasure.due_files(session, after, _AT_ONCE)
        if not due:
            break
        after, gone = due[-1].id, []
        for each in due:
            try:
                _unlink(settings, each.file or "")
                gone.append(each)
            except OSError as error:  # the others' go all the same
                wrong = error
        with writing(engine) as session:
            erasure.erased(session, gone)
    if wrong:
        raise wrong


def forget_old(engine: Engine, settings: Settings) -> None:
    """What the city keeps no longer of requests that are over, and of text messages that are out."""
    for some, days in (
        (retention.forget_requests, settings.requests_days),
        (retention.forget_messages, settings.messages_days),
    ):
        while True:
            step()
            with writing(engine) as session:
                if not some(session, days, _AT_ONCE):
                    break


def _unlink(settings: Settings, file: str) -> None:
    folders = {
        erasure.MESSAGES: settings.messages_dir,
        erasure.RECORDINGS: settings.recordings_dir,
        erasure.PICTURES: settings.pictures_dir,
        uploads.UPLOADS: settings.uploads_dir,
    }
    folder, _, name = file.partition("/")
    (folders[folder] / name).unlink(missing_ok=True)
