"""Content of a backup besides the database: the state folder's files, stored pictures, the settings."""

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
"""Folders of the state folder in a backup; Asterisk's configuration and all others can be made anew."""
SECRET = "state/secret"  # noqa: S105  # the file's name, no secret
TAKES = "settings/prompts"
"""Folder of the studio's recordings, which are beside the code."""
_ENVIRONMENT = "settings/environment.env"
_NAMED = (
    *("city", "messages", "directory", "districts_file", "city_emblem", "sms_templates", "directory_roles"),
)
"""Settings that name a file of the city. The ground map is left out: it is large, and can be downloaded
again. A secret in a file of its own is left out, too.
"""


def put(settings: Settings, writer: Writer) -> list[str]:
    """Put everything into the archive, after the database. Return the notes about it.

    Raises OSError, and Unusable if the store of pictures does not answer.
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
    """Yield every plain file below the folder, by name, without following links."""
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
    """Add the pictures of the database that are in the store, or came there while the folder was read."""
    store, folder = stores.open_bucket(settings), stores.open_folder(settings)
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
            data = store.get(name) or folder.get(name)  # it may have just returned to the folder
        except stores.StoreAway as error:
            raise Unusable(f"the store of pictures does not answer ({error})") from None
        if data is not None:
            writer.add_bytes(inside, data)


def _put_settings(settings: Settings, writer: Writer) -> list[str]:
    """Add the settings' files, following links. Return notes about files that only root may read."""
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
