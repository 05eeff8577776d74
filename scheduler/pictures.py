"""Pictures: moves them to the store, if any, and deletes expired, ownerless and unfinished ones."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline.pictures import attachments, stores, transfer
from hotline.pictures.transfer import Moved
from hotline.uploads import pending_uploads
from scheduler.progress import step
from settings import Settings

log = logging.getLogger("scheduler")

_AT_ONCE = 200
_GIVE_UP = 3


def bring_to_store(engine: Engine, settings: Settings) -> None:
    """Move pictures to the store. A refused one stays usable in the folder, and is moved later.

    Raises StoreAway if the store refused a picture or does not answer.
    """
    bucket = stores.open_bucket(settings)
    if bucket is None:
        return
    folder, became, refused, after = stores.open_folder(settings), Counter[Moved](), None, ""
    refusals = 0
    while True:
        with reading(engine) as session:
            due = transfer.list_due(session, stored=False, after=after, limit=_AT_ONCE)
        if not due:
            break
        after = due[-1].name
        for file in due:
            step()
            try:
                became[transfer.move(engine, file, folder, bucket, stored=True)] += 1
            except stores.StoreAway as away:
                refused, refusals = away, refusals + 1
                if refusals >= _GIVE_UP:
                    raise
    if became[Moved.MOVED]:
        log.info("pictures: %d brought to the store", became[Moved.MOVED])
    for wrong in (Moved.MISSING, Moved.DAMAGED):
        if became[wrong]:
            log.error("pictures: %d are %s", became[wrong], wrong)
    if refused:
        raise refused


def delete_old(engine: Engine, settings: Settings) -> None:
    """Delete expired rows and ownerless files.

    The rows' own files are erased like deleted ones (scheduler.erasing).
    """
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = attachments.drop_nobodys(session, _AT_ONCE) > 0
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = attachments.forget(session, settings.pictures_days, _AT_ONCE) > 0
    with reading(engine) as session:
        strays = attachments.list_strays(session, settings.pictures_dir)
    deleted = _unlink(strays)
    if deleted:
        log.info("pictures: %d of nobody deleted", deleted)


def delete_uploads(engine: Engine, settings: Settings) -> None:
    """Delete uploads that are unfinished after a day, and files without a row."""
    folders = {pending_uploads.UPLOADS: settings.uploads_dir, pending_uploads.MESSAGES: settings.messages_dir}
    while True:
        step()
        with writing(engine) as session:
            old = pending_uploads.drop_old(session, _AT_ONCE)
        _unlink(folders[folder] / name for folder, name in old)
        if not old:
            break
    with reading(engine) as session:
        left = pending_uploads.list_orphans(session, settings.uploads_dir)
    _unlink(left)


def _unlink(paths: Iterable[Path]) -> int:
    """Delete these files.

    A failed one holds up no other, and is found again. Return how many were deleted.
    """
    deleted = 0
    for path in paths:
        step()
        try:
            path.unlink(missing_ok=True)
            deleted += 1
        except OSError as error:
            log.error("pictures: %s stays: %s", path.name, error.strerror)
    return deleted
