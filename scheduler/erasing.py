"""Deletion of citizens' expired data, and of erased citizens' data: files first, then rows."""

from datetime import timedelta
from errno import ENOENT
from os import strerror

from sqlalchemy import Engine

from db.engine import now, reading, writing
from hotline.citizens import codes, erasure, retention, sessions
from hotline.pictures import stores
from hotline.recordings import archive
from hotline.uploads import pending_uploads
from scheduler.progress import step
from settings import Settings

_AT_ONCE = 50
_ON_THE_WAY = timedelta(minutes=5)
"""Age after which a picture is deleted from the store once more: it may have been on its way there."""


def run(engine: Engine, settings: Settings) -> None:
    """Delete old codes and sessions, erased files, and erased citizens' words in closed requests."""
    with writing(engine) as session:
        codes.forget(session)
        sessions.forget(session)
        erasure.erase_words(session)
    with reading(engine) as session:
        files = _Files(settings, records=archive.is_any_known(session))
    after = 0
    while True:
        step()
        with reading(engine) as session:
            due = erasure.list_due_files(session, after, _AT_ONCE)
            final = now(session) - _ON_THE_WAY
        if not due:
            break
        after = due[-1].id
        gone = [each for each in due if files.deleted(each.file or "", final=each.asked_at < final)]
        with writing(engine) as session:
            erasure.delete_done(session, gone)
    if files.wrong:
        raise files.wrong


class _Files:
    """Deletions of one run; a failed one holds up no other."""

    def __init__(self, settings: Settings, *, records: bool) -> None:
        self._records = records
        self._folders = {
            erasure.MESSAGES: settings.messages_dir,
            erasure.RECORDINGS: settings.recordings_dir,
            erasure.PICTURES: settings.pictures_dir,
            pending_uploads.UPLOADS: settings.uploads_dir,
        }
        self._store = stores.open_bucket(settings)
        self._away = False
        self.wrong: OSError | None = None

    def deleted(self, file: str, *, final: bool) -> bool:
        """Delete one file, and return whether it is gone everywhere for good."""
        step()
        place, _, name = file.partition("/")
        try:
            self._check_folder(place)
            (self._folders[place] / name).unlink(missing_ok=True)
            return place != erasure.PICTURES or self._store is None or (self._from_store(name) and final)
        except OSError as error:
            self.wrong = error
            return False

    def _check_folder(self, place: str) -> None:
        """Raise FileNotFoundError if the folder is away: its files would return with it.

        A city that has never recorded has no folder of recordings, yet each conversation of an erased citizen
        names one.
        """
        folder = self._folders[place]
        if not folder.is_dir() and (place != erasure.RECORDINGS or self._records):
            raise FileNotFoundError(ENOENT, strerror(ENOENT), str(folder))

    def _from_store(self, name: str) -> bool:
        """Delete a picture from the store; after a failure the store is not asked again in this run."""
        if self._store is None or self._away:
            return False
        try:
            self._store.delete(name.removesuffix(stores.SUFFIX))
        except stores.StoreAway:
            self._away = True
            raise
        return True


def forget_old(engine: Engine, settings: Settings) -> None:
    """Delete the content of closed requests and sent messages whose retention is over."""
    for some, days in (
        (retention.forget_requests, settings.requests_days),
        (retention.forget_messages, settings.messages_days),
    ):
        while True:
            step()
            with writing(engine) as session:
                if not some(session, days, _AT_ONCE):
                    break
