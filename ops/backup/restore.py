"""Restore: the whole archive is read and compared before anything changes; then everything moves in."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from db import copying
from db.engine import connect, reading, writing
from db.migrate import is_known
from db.models import Heartbeat, Picture, PublicPicture, Recording
from hotline import heartbeats
from hotline.ledger.verify import verify
from hotline.recordings import archive
from hotline.version import VERSION
from ops.backup import contents, database, signing
from ops.backup.archive import Unpacked, Unusable, decrypt_archive, unpack
from ops.backup.take import lock_backups, make_scratch_folder, sync
from settings import Settings, secret_file

SETTINGS = "settings-of-backup"
_ASIDE = "before-restore-"
_WAYS = (
    "--signer takes what `hotline137 backup-signer` printed where the backup was made; "
    "--unproven restores it although nothing proves which installation made it"
)
_SEALED = 0o400
_AT_ONCE = 500


class Restored(NamedTuple):
    """Result of a restore, and the locations of the replaced files."""

    head: dict[str, Any]
    files: int
    rows: int
    aside: list[str]
    unproven: str
    """Reason why the archive's origin is unproven; empty if its signature is right."""


def restore(
    settings: Settings,
    file: Path,
    keys: str = "",
    *,
    over: bool = False,
    signer: str = "",
    unproven: bool = False,
) -> Restored:
    """Replace this installation, which must be stopped, by the content of the archive.

    The archive must be signed by `signer`, or by this machine itself if none is given. With `unproven` the
    administrator vouches for an archive without proof.

    Raises Unusable: nothing is changed.
    """
    with lock_backups(settings), ExitStack() as open_:
        trusted = signing.find_trusted(settings, signer)
        if not trusted and not unproven:
            raise Unusable(f"no signer is known here. {_WAYS}")
        _check_target(settings, over=over)
        beside = open_.enter_context(make_scratch_folder(settings))
        try:
            with file.open("rb") as packed, decrypt_archive(packed, keys) as plain:
                found = unpack(plain, beside, lambda head: _check_head(head, settings))
        except OSError as error:
            raise Unusable(f"{error.filename or file}: {error.strerror or error}") from None
        why = _why_unproven(found, trusted)
        if why and not unproven:
            raise Unusable(f"{why}. {_WAYS}")
        kind = found.head["database"]
        copy = _check_whole(found, beside)
        database.check(copy, kind, found.counts)
        try:
            with (
                database.put(copy, kind, settings.database) as old,
                _moved_in(beside, settings.state_dir) as aside,
            ):
                _as_in_the_books(settings)
        except OSError as error:
            raise Unusable(f"{error.filename or settings.state_dir}: {error.strerror or error}") from None
        except SQLAlchemyError as error:
            raise Unusable(f"the database: {type(error).__name__}") from None
        sync(settings.state_dir)
    kept = [each for each in (old, str(aside) if aside else "") if each]
    return Restored(found.head, len(found.files), sum(found.counts.values()), kept, why)


def _why_unproven(found: Unpacked, trusted: str | None) -> str:
    """Return why nothing proves the archive's origin; empty: the trusted signer has signed it."""
    if not trusted:
        return "no signer was given"
    try:
        signing.check(found, trusted)
    except signing.Unproven as error:
        return str(error)
    return ""


def _check_target(settings: Settings, *, over: bool) -> None:
    engine = connect(settings.database)
    try:
        if database.get_kind(settings.database) == "sqlite":
            path = database.get_sqlite_file(settings.database)
            if not path.exists():
                return _check_empty("", settings, over=over)
        check_at_rest(engine)
        filled = copying.find_used_table(engine)
    except SQLAlchemyError as error:
        raise Unusable(f"the database does not answer: {type(error).__name__}") from None
    finally:
        engine.dispose()
    _check_empty(f"the database has rows in {filled}" if filled else "", settings, over=over)


def check_at_rest(engine: Engine) -> None:
    """Raise Unusable if one of our processes works on this database."""
    if not inspect(engine).has_table(Heartbeat.__tablename__):
        return
    with reading(engine) as session:
        alive = heartbeats.list_alive(session)
    if alive:
        raise Unusable(f"hotline137 runs here ({', '.join(alive)}): stop it first")


def _check_empty(filled: str, settings: Settings, *, over: bool) -> None:
    for name in ("recordings", "messages", "pictures"):
        if not filled and any((settings.state_dir / name).glob("*")):
            filled = f"{settings.state_dir / name} has files"
    if filled and not over:
        raise Unusable(f"this installation is not empty: {filled}. --over puts it aside")


def _check_head(head: dict[str, Any], settings: Settings) -> None:
    if not is_known(str(head["schema"])) or _numbers(str(head["version"])) > _numbers(VERSION):
        raise Unusable(f"the archive is of the newer version {head['version']}: install that one first")
    kind, here = head["database"], database.get_kind(settings.database)
    if kind not in ("sqlite", "postgresql"):
        raise Unusable("the archive's database is of no kind that is known here")
    if (kind, here) == ("postgresql", "sqlite"):
        raise Unusable(
            "the archive is of PostgreSQL: restore it there (HOTLINE_DATABASE_URL), then hotline137 db copy"
        )


def _numbers(said: str) -> list[int]:
    return [int(part) for part in said.split(".") if part.isdecimal()]


def _check_whole(found: Unpacked, beside: Path) -> Path:
    copy, secret = database.get_copy_name(found.head["database"]), contents.SECRET
    if copy not in found.files:
        raise Unusable("the archive has no database in it")
    if secret in found.files:
        try:
            secret_file.read(beside / secret)
        except ValueError:
            raise Unusable("the secret in the archive is none") from None
    elif (beside / secret).exists():
        raise Unusable("the secret in the archive is none")
    return beside / copy


@contextmanager
def _moved_in(beside: Path, state: Path) -> Iterator[Path | None]:
    """Move the state folder's files and the settings in, and yield the folder of the replaced ones.

    A failure within the block moves everything back.
    """
    aside = state / f"{_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    done: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        source.rename(target)
        done.append((source, target))

    try:
        aside.mkdir(mode=0o700)
        for name in (*contents.FOLDERS, "secret", SETTINGS):
            old, new = state / name, beside / ("settings" if name == SETTINGS else f"state/{name}")
            if old.exists() and (new.exists() or name != "secret"):
                move(old, aside / name)
            if new.exists():
                move(new, old)
        empty = not any(aside.iterdir())
        yield None if empty else aside
    except BaseException:
        for source, target in reversed(done):
            target.rename(source)
        aside.rmdir()
        raise
    if empty:
        aside.rmdir()


def _as_in_the_books(settings: Settings) -> None:
    """Mark pictures as in the folder, and make recorded files read-only, as before."""
    engine = connect(settings.database)
    try:
        with reading(engine) as session:
            known = session.scalars(select(Recording.file).where(Recording.deleted_at.is_(None))).all()
        paths = [settings.recordings_dir / os.path.basename(name) for name in known]
        pictures = [*settings.pictures_dir.glob("*.jpg")]
        for path in (*paths, *pictures):
            if path.is_file():
                path.chmod(_SEALED)
        names = [path.stem for path in pictures]
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            with writing(engine) as session:
                for table in (Picture, PublicPicture):
                    session.execute(update(table).where(table.id.in_(some)).values(stored=False))
    finally:
        engine.dispose()


class Proof(NamedTuple):
    """Comparison after a restore."""

    entries: int
    recordings: int
    problems: list[str]
    missing: int
    """Number of recordings in the database without a file: they were deleted while the backup was made."""


def prove(settings: Settings) -> Proof:
    """Verify the whole ledger, and every recording against its checksum."""
    engine = connect(settings.database)
    try:
        report = verify(engine)
        with reading(engine) as session:
            kept = select(Recording.file, Recording.sha256).where(Recording.deleted_at.is_(None))
            named = [*session.execute(kept)]
    finally:
        engine.dispose()
    problems, missing = list(report.problems), 0
    for name, sha256 in named:
        path = settings.recordings_dir / os.path.basename(name)
        if not path.exists():
            missing += 1
        elif archive.hash_file(path) != sha256:
            problems.append(f"{name}: the recording is not the one in the books")
    return Proof(report.entries, len(named) - missing, problems, missing)
