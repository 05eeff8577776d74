"""Deletes pictures whose time is over, those that no report has claimed, and what was never sent to its
end.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine

from clerk.progress import step
from db.engine import reading, writing
from hotline.pictures import pictures
from hotline.uploads import uploads
from settings import Settings

log = logging.getLogger("clerk")

_AT_ONCE = 200


def delete_old(engine: Engine, settings: Settings) -> None:
    """First the rows, then the files: one that no row knows is found again."""
    folder = settings.pictures_dir
    with writing(engine) as session:
        pictures.drop_nobodys(session)
    while True:
        step()
        with writing(engine) as session:
            old = pictures.forget(session, settings.pictures_days, _AT_ONCE)
        _unlink(pictures.path(folder, name) for name in old)
        if not old:
            break
    step()
    with reading(engine) as session:
        left = pictures.orphans(session, folder)
    deleted = _unlink(left)
    if deleted:
        log.info("pictures: %d of nobody deleted", deleted)


def delete_uploads(engine: Engine, settings: Settings) -> None:
    """What has been on its way for a day, and files of which no row knows."""
    folders = {uploads.UPLOADS: settings.uploads_dir, uploads.MESSAGES: settings.messages_dir}
    while True:
        step()
        with writing(engine) as session:
            old = uploads.drop_old(session, _AT_ONCE)
        _unlink(folders[folder] / name for folder, name in old)
        if not old:
            break
    with reading(engine) as session:
        left = uploads.orphans(session, settings.uploads_dir)
    _unlink(left)


def _unlink(paths: Iterable[Path]) -> int:
    """Delete these; one that cannot be holds up no other, and is found again. Returns how many went."""
    deleted = 0
    for path in paths:
        try:
            path.unlink(missing_ok=True)
            deleted += 1
        except OSError as error:
            log.error("pictures: %s stays: %s", path.name, error.strerror)
    return deleted
