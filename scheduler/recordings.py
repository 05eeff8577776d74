"""Recordings: registers finished ones, and deletes expired recordings and voice messages."""

import logging

from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Recording
from hotline.recordings import archive, voice_messages
from scheduler.progress import step
from settings import Settings

log = logging.getLogger("scheduler")

_AT_ONCE = 500


def register(engine: Engine, settings: Settings) -> None:
    """Register every finished file whose conversation is over."""
    if not archive.is_any_open(settings.recordings_dir):
        return
    with reading(engine) as session:
        new = archive.list_new(session, settings.recordings_dir)
    for path, callback_id in new:
        step()
        try:
            found = archive.inspect_file(path)  # reads the file, so outside the transaction
        except OSError as error:  # the others must still be registered
            log.error("recording of callback %d: %s", callback_id, error.strerror)
            continue
        with writing(engine) as session:
            archive.register(session, callback_id, found)
        try:
            archive.seal(path)
        except OSError as error:  # retried at the next run
            log.error("recording of callback %d is not sealed: %s", callback_id, error.strerror)


def delete_old(engine: Engine, settings: Settings) -> None:
    """Delete recordings beyond their retention."""
    folder, days = settings.recordings_dir, settings.recordings_days
    with reading(engine) as session:
        old = [recording.callback_id for recording in archive.list_expired(session, days)]
    for callback_id in old:
        step()
        with writing(engine) as session:
            archive.delete(session, session.get_one(Recording, callback_id), folder)
    with reading(engine) as session:
        left = archive.list_orphans(session, folder, days)
    for path in left:
        path.unlink(missing_ok=True)
    if old or left:
        log.info("recordings: %d deleted after %d days, %d orphans", len(old), days, len(left))


def delete_old_messages(engine: Engine, settings: Settings) -> None:
    """Delete voice messages beyond their retention, except those of requests in work."""
    days = settings.voice_messages_days
    with reading(engine) as session:
        old = voice_messages.list_expired(session, settings.messages_dir, days)
    for begin in range(0, len(old), _AT_ONCE):
        step()
        some = old[begin : begin + _AT_ONCE]
        with writing(engine) as session:
            voice_messages.forget(session, [path.name for path in some])
        for path in some:  # last: a file without a row is found again, a row without its file is not
            path.unlink(missing_ok=True)
    if old:
        log.info("voice messages: %d deleted after %d days", len(old), days)
