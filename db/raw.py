"""The raw fast path for hot loops: one value, on the DBAPI connection, without a Session.

Only queries that one process repeats more than twice a second belong here. All other code uses `reading` and
`writing` (db.engine).
"""

from contextlib import closing
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Engine, Select


def fetch_value(engine: Engine, statement: str | Select[Any]) -> Any:
    """Return the first value of the first row, as the driver returns it; None if there is no row.

    A statement is compiled once per object: build it once. Its values are literals. On PostgreSQL it runs in
    autocommit mode, as in `reading`. Raises the driver's errors, which `is_away` (db.engine) understands.
    """
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    on_postgresql = engine.dialect.name == "postgresql"
    try:
        if on_postgresql:
            driver.autocommit = True
        with closing(connection.cursor()) as cursor:  # on SQLite an open cursor holds a read lock
            cursor.execute(statement if isinstance(statement, str) else _compile(statement, engine.dialect))
            row = cursor.fetchone()
        return row[0] if row else None
    finally:
        if on_postgresql and not driver.closed:
            driver.autocommit = False
        connection.close()


@lru_cache(64)
def _compile(statement: Select[Any], dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
