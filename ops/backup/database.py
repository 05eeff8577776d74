"""Copy of the database at one moment, and its replacement by a copy."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from db import copying
from db.engine import connect
from db.migrate import OtherVersion, upgrade
from db.postgres import parse_url, remove_time_limit
from ops.backup.archive import Unusable

SQLITE, POSTGRESQL = "database/hotline.db", "database/hotline.dump"
_ASIDE = "before_restore_"
_TOLD = 300
_SCHEMA = "SELECT version_num FROM alembic_version"
_COUNT = 'SELECT count(*) FROM "{}"'


class Copied(NamedTuple):
    """Copy: its name in the archive, the version of its tables, and their numbers of rows."""

    name: str
    schema: str
    counts: dict[str, int]


def get_kind(url: str) -> str:
    """Return the kind of database: sqlite or postgresql."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def get_copy_name(kind: str) -> str:
    """Return the copy's name in an archive for that kind of database."""
    return SQLITE if kind == "sqlite" else POSTGRESQL


def get_sqlite_file(url: str) -> Path:
    """Return the path of an SQLite database."""
    return Path(make_url(url).database or "")


def copy(url: str, to: Path) -> Copied:
    """Copy the database, as it is at one moment, into the file. Raises Unusable, OSError."""
    if get_kind(url) == "sqlite":
        try:
            return _copy_sqlite(get_sqlite_file(url), to)
        except sqlite3.Error as error:
            raise Unusable(f"the database cannot be copied: {error}") from None
    return _dump(url, to)


def _copy_sqlite(source: Path, to: Path) -> Copied:
    if not source.is_file():
        raise Unusable(f"there is no database at {source}")
    with closing(sqlite3.connect(source, timeout=30)) as from_, closing(sqlite3.connect(to)) as into:
        from_.backup(into)  # in one step: writers continue in the WAL, so the copy never restarts
        into.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL
        found = {name: into.execute(_COUNT.format(name)).fetchone()[0] for name in _tables(into)}
        (schema,) = into.execute(_SCHEMA).fetchone()
        return Copied(SQLITE, schema, found)


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [name for (name,) in rows]


def _dump(url: str, to: Path) -> Copied:
    engine = connect(url)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            remove_time_limit(connection)
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {limit} = 0"))
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            names = inspect(connection).get_table_names()
            found = {name: connection.scalar(text(_COUNT.format(name))) or 0 for name in names}
            schema = str(connection.scalar(text(_SCHEMA)))
            _run(
                *(
                    "pg_dump",
                    "--format=custom",
                    "--compress=1",
                    "--no-owner",
                    "--no-privileges",
                    "--lock-wait-timeout=30000",
                ),
                *(f"--exclude-schema={_ASIDE}*", f"--snapshot={snapshot}", f"--file={to}"),
                url=url,
            )
    finally:
        engine.dispose()
    return Copied(POSTGRESQL, schema, found)


def _run(program: str, *arguments: str, url: str) -> None:
    """Run a program of PostgreSQL on this database; its password is not in the list of processes."""
    if shutil.which(program) is None:
        raise Unusable(f"{program} is missing: apt-get install postgresql-client")
    named = parse_url(url)
    password = named.pop("password", None)
    named.pop("options", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    environment["PGOPTIONS"] = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    said = subprocess.run(
        [program, f"--dbname={make_conninfo(**named)}", "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if said.returncode:
        raise Unusable(
            f"{program}: {said.stderr.decode(errors='replace').strip()[:_TOLD] or said.returncode}"
        )


def check(path: Path, kind: str, counts: dict[str, int]) -> None:
    """Raise Unusable if a copy of SQLite's is damaged. PostgreSQL's own program checks its copies."""
    if kind != "sqlite":
        return
    try:
        with closing(sqlite3.connect(path)) as found:
            (said,) = found.execute("PRAGMA integrity_check(1)").fetchone()
            wrong = said if said != "ok" else _other_counts(found, counts)
    except sqlite3.Error as error:
        wrong = str(error)
    if wrong:
        raise Unusable(f"the archive's database is damaged: {wrong}")


def _other_counts(found: sqlite3.Connection, counts: dict[str, int]) -> str:
    there = {name: found.execute(_COUNT.format(name)).fetchone()[0] for name in _tables(found)}
    wrong = sorted(name for name in {*there, *counts} if there.get(name) != counts.get(name))
    return f"{wrong[0]} has not its rows" if wrong else ""


@contextmanager
def put(path: Path, kind: str, url: str) -> Iterator[str]:
    """Replace the database by the copy, and yield the location of the old one.

    A failure before or within the block restores everything. Raises Unusable, OSError.
    """
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if get_kind(url) == "sqlite":
        with _put_sqlite(path, get_sqlite_file(url), at) as aside:
            yield aside
        return
    engine = connect(url)
    try:
        with _put_postgresql(path, kind, url, engine, f"{_ASIDE}{at.lower()}") as aside:
            yield aside
    finally:
        engine.dispose()


@contextmanager
def _put_sqlite(path: Path, target: Path, at: str) -> Iterator[str]:
    _upgrade(f"sqlite:///{path}")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    moved: list[tuple[Path, Path]] = []
    fresh = target.with_name(f"{target.name}.restored")
    shutil.move(path, fresh)
    try:
        for suffix in ("", "-wal", "-shm"):
            old = Path(f"{target}{suffix}")
            if old.exists():
                aside = target.with_name(f"{target.name}.before-restore-{at}{suffix}")
                old.rename(aside)
                moved.append((old, aside))
        fresh.rename(target)
        yield str(moved[0][1]) if moved else ""
    except BaseException:
        fresh.unlink(missing_ok=True)
        for old, aside in moved:
            aside.replace(old)
        if not moved:
            target.unlink(missing_ok=True)
        raise


@contextmanager
def _put_postgresql(path: Path, kind: str, url: str, engine: Engine, aside: str) -> Iterator[str]:
    with engine.begin() as connection:
        had = _has_tables(connection)
        if had:
            connection.execute(text(f'ALTER SCHEMA public RENAME TO "{aside}"'))
            connection.execute(text("CREATE SCHEMA public"))
    try:
        if kind == "postgresql":
            only = (
                "--no-owner",
                "--no-privileges",
                "--single-transaction",
                "--exit-on-error",
                "--schema=public",
            )
            _run("pg_restore", *only, str(path), url=url)
            _upgrade(url)
        else:
            _upgrade(f"sqlite:///{path}")
            source = connect(f"sqlite:///{path}")
            try:
                copying.copy_rows(source, engine)
            except copying.NotCopied as error:
                raise Unusable(f"into PostgreSQL: {error}") from None
            finally:
                source.dispose()
        yield f"the schema {aside}" if had else ""
    except BaseException:
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            back = f'ALTER SCHEMA "{aside}" RENAME TO public' if had else "CREATE SCHEMA public"
            connection.execute(text(back))
        raise


def _has_tables(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")))


def _upgrade(url: str) -> None:
    engine = connect(url)
    try:
        upgrade(engine)
    except OtherVersion as error:
        raise Unusable(str(error)) from None
    finally:
        engine.dispose()
