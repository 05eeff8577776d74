"""Backups that are made, and archives that nobody made; what is in a database and in the state folder."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from db.engine import connect, reading, writing
from db.models import Base
from hotline.pictures import attachments, decoding
from ops.backup import signing, take
from ops.backup.archive import HEAD, MANIFEST
from ops.backup.take import Made
from settings import Settings
from tests.factories import a_number
from tests.kit import picture_files


def taken(settings: Settings, folder: Path, key: str = "", **how: Any) -> Made:
    made = take.take(settings, folder, key, **how)
    assert made
    return made


def signer_of(settings: Settings) -> str:
    return signing.get_signer(signing.read_key(settings))


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write the archive anew, as somebody does who can write on its disk but has no signing key."""
    with tarfile.open(path) as tar:
        infos = {info.name: info for info in tar}
        members = {name: file.read() for name, info in infos.items() if (file := tar.extractfile(info))}
    change(members)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            infos[name].size = len(data)
            tar.addfile(infos[name], io.BytesIO(data))


def rows(url: str) -> dict[str, list[Any]]:
    engine = connect(url)
    with reading(engine) as session:
        tables = Base.metadata.sorted_tables
        found = {t.name: [*session.execute(select(t).order_by(*t.primary_key.columns))] for t in tables}
    engine.dispose()
    return found


def files(settings: Settings) -> dict[str, bytes]:
    folders = ("recordings", "messages", "pictures", "uploads")
    paths = [path for folder in folders for path in (settings.state_dir / folder).glob("*")]
    return {str(path.relative_to(settings.state_dir)): path.read_bytes() for path in paths}


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def a_picture(engine: Engine, settings: Settings) -> str:
    made = decoding.redraw(io.BytesIO(picture_files.jpeg()))
    name = attachments.keep(settings.pictures_dir, made)
    with writing(engine) as session:
        attachments.add(session, name, made, number=a_number())
    return name


def an_archive(
    path: Path,
    members: list[tuple[tarfile.TarInfo, bytes]],
    manifest: Any = None,
    *,
    database: str = "sqlite",
) -> Path:
    head = {"format": 1, "version": "0.1.0", "schema": "0001", "database": database, "at": "2026-11-29"}
    with tarfile.open(path, "w") as tar:
        for info, data in [(tarfile.TarInfo(HEAD), json.dumps(head).encode()), *members]:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
        if manifest is not None:
            info, data = tarfile.TarInfo(MANIFEST), json.dumps(manifest).encode()
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def a_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o6777
    return info, b"x"
