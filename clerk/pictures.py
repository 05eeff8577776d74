"""Deletes pictures whose time is over, and those that no report has claimed."""

import logging

from sqlalchemy import Engine

from clerk.progress import step
from db.engine import reading, writing
from hotline.pictures import pictures
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
        for name in old:
            pictures.discard(folder, name)
        if not old:
            break
    step()
    with reading(engine) as session:
        left = pictures.orphans(session, folder)
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        log.info("pictures: %d of nobody deleted", len(left))
