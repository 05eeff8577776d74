"""What is in a backup besides the database: the state folder's files, pictures in the store, the settings."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from db.engine import connect, reading
from db.models import Picture, PublicPicture
from hotline.pictures import stores
from ops.backup.archive import Unusable, Writer, is_name
from prompts.render import RECORDINGS
from settings import Settings

FOLDERS = ("recordings", "messages", "pictures", "uploads", "replies", "prompts", "voices", "city")
"""Of the state folder; Asterisk's configuration and all else there is made anew."""
SECRET = "state/secret"  # noqa: S105  # its place
TAKES = "settings/prompts"
"""The studio's takes, which lie with the code."""
_ENVIRONMENT = "settings/environment.env"
_NAMED = ("city", "districts_file", "city_emblem", "sms_templates")
"""Settings that name a file of the city's own. Not the ground map: it is large, and to be had again."""


def put(settings: Settings, writer: Writer) -> list[str]:
    """Put everything into the archive, after the database; returns what is to be said of it.

    Raises Unusable: the store of pictures is away. OSError.
    """
    strange = []
    writer.add(SECRET, (settings.state_dir / "secret").resolve())
    for folder in FOLDERS:
        for name, path in _files(settings.state_dir / folder):
            if not is_name(inside := f"state/{folder}/{name}"):
                strange.append(inside)
            else:
                writer.add(inside, path)
    for name, path in _files(RECORDINGS):
        writer.add(f"{TAKES}/{name}", path)
    _put_stored(settings, writer)
    return [f"{name!r} is not in it: no name for an archive" for name in strange] + _put_settings(
        settings, writer
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every plain file below the folder, by name; never what a link leads to."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    yield str(path.relative_to(folder)), path
            except FileNotFoundError:
                continue


def _put_stored(settings: Settings, writer: Writer) -> None:
    """What lies in the store, or came there while the folder was read: whatever the database names."""
    store, folder = stores.bucket(settings), stores.folder(settings)
    if store is None:
        return
    engine = connect(settings.database)
    with reading(engine) as session:
        kept = session.scalars(select(Picture.id).where(Picture.deleted_at.is_(None))).all()
        public = session.scalars(select(PublicPicture.id)).all()
    engine.dispose()
    for name in (*kept, *public):
        inside = f"state/pictures/{name}{stores.SUFFIX}"
        if inside in writer.files:
            continue
        try:
            data = store.get(name) or folder.get(name)  # one that is just brought back
        except stores.StoreAway as error:
            raise Unusable(f"the store of pictures does not answer ({error})") from None
        if data is not None:
            writer.add_bytes(inside, data)


def _put_settings(settings: Settings, writer: Writer) -> list[str]:
    """Also where they are links; one that only the machine's administrator reads is missing, and named."""
    file = settings.model_config.get("env_file")
    named = {f"settings/{name}{path.suffix}": path for name in _NAMED if (path := getattr(settings, name))}
    if file:
        named["settings/hotline.env"] = Path(str(file))
    notes = []
    for name, path in named.items():
        try:
            writer.add(name, path.resolve())
        except PermissionError:
            notes.append(f"{path} is not in it: it may not be read")
    lines = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("HOTLINE_")]
    writer.add_bytes(_ENVIRONMENT, "".join(f"{line}\n" for line in lines).encode(errors="replace"))
    return notes
