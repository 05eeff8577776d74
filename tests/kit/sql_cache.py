"""Compiled statements of one engine are shared by later ones: compiling was a third of the tests' work.

A listener to a dialect's events (`handle_error`, `do_connect`…) would hear all engines; an engine's does not.
"""

from typing import Any

from sqlalchemy import Engine, create_engine

import db.engine

_FIRST: dict[str, Engine] = {}
"""An engine of each kind of database that has been connected, so that its dialect knows the server."""


def share(engine: Engine) -> None:
    """Later engines of this kind use this one's dialect, and what it has compiled."""
    _FIRST.setdefault(engine.dialect.name, engine)._compiled_cache.capacity = 5000
    db.engine.create_engine = _create_engine  # type: ignore[attr-defined]


def _create_engine(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options)
    if first := _FIRST.get(engine.dialect.name):
        engine.dialect = first.dialect  # the compiled statements are kept by it
        engine._compiled_cache = first._compiled_cache
    return engine


def never_sync() -> None:
    """No test cuts the power: SQLite need not wait for the disk in this process."""
    as_it_is = db.engine._sqlite_pragmas

    def pragmas(connection: Any, record: Any) -> None:
        as_it_is(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    db.engine._sqlite_pragmas = pragmas
