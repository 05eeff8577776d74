"""Compiled statements of one engine are shared by later ones: compiling was a third of the tests' work.

SQLite's engines share their dialect. Each engine of PostgreSQL keeps its own, whose listeners connect it to
its own server. There what is compiled for one dialect serves all others with the same settings.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

import db.engine
import db.postgres

_FIRST: dict[str, Engine] = {}
"""An engine of each kind of database that has been connected, so that its dialect knows the server."""
_OF_ONE_ENGINE = {"_has_events", "_psycopg_adapters_map", "_type_memos", "dispatch", "do_ping"} | {
    *("identifier_preparer", "type_compiler", "type_compiler_instance")
}
"""Attributes of a dialect that differ without a difference in what it compiles."""
_ALIKE: dict[frozenset[tuple[str, Any]], object] = {}
_ask_server = PGDialect_psycopg.initialize


def share(engine: Engine) -> None:
    """Later engines of this kind use what this one has compiled."""
    _FIRST.setdefault(engine.dialect.name, engine)._compiled_cache.capacity = 5000
    db.engine.create_engine = db.postgres.create_engine = _create_engine  # type: ignore[attr-defined]
    psycopg: Any = PGDialect_psycopg
    psycopg.initialize = _initialize
    psycopg.__eq__ = lambda self, other: _kind(self) is _kind(other)
    psycopg.__hash__ = lambda self: id(_kind(self))


def _create_engine(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options)
    if first := _FIRST.get(engine.dialect.name):
        if engine.dialect.name == "sqlite":
            engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    return engine


def _initialize(dialect: Any, connection: Connection) -> None:
    """Note a dialect's settings once the server has named its version."""
    _ask_server(dialect, connection)
    settings = frozenset((name, value) for name, value in vars(dialect).items() if name not in _OF_ONE_ENGINE)
    dialect._kind = _ALIKE.setdefault(settings, object())


def _kind(dialect: Any) -> object:
    """Return the same object for dialects with the same settings; before that is known, the dialect."""
    return getattr(dialect, "_kind", dialect)


def never_sync() -> None:
    """No test cuts the power: SQLite need not wait for the disk in this process."""
    as_it_is = db.engine._sqlite_pragmas

    def pragmas(connection: Any, record: Any) -> None:
        as_it_is(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    db.engine._sqlite_pragmas = pragmas
