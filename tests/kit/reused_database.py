"""A PostgreSQL database that is as good as new for each test, in a fiftieth of the time."""

import psycopg
from psycopg import sql

from tests.kit.postgres import Postgres

_NAME = "test"
_SHAPE = """
    SELECT count(*), max(xmin::text::bigint)
    FROM (SELECT xmin FROM pg_class UNION ALL SELECT xmin FROM pg_attribute
          UNION ALL SELECT xmin FROM pg_trigger UNION ALL SELECT xmin FROM pg_proc) AS parts
"""
"""Changes with any table, column, index, trigger or function; other changes of a database it does not see."""
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class ReusedDatabase:
    """A copy of the database `template`. What a test wrote is taken out; changed tables cost a new copy."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._url = server.create_database(_NAME, template)
        self._wire: psycopg.Connection | None = None
        wire = self._alone()
        self._shape = wire.execute(_SHAPE).fetchone()
        tables = [
            row[0] for row in wire.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        self._rows = {table: _rows(wire, table) for table in tables}
        numbers = wire.execute(
            "SELECT sequencename, coalesce(last_value, 1), last_value IS NOT NULL FROM pg_sequences"
        )
        steps = [sql.SQL("SET session_replication_role = replica")]  # no trigger, no foreign key
        steps += [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables]
        steps += [sql.SQL("SELECT setval({}, {}, {})").format(*row) for row in numbers]
        self._empty = sql.SQL("; ").join(steps).as_bytes(wire)

    def fresh(self) -> str:
        """Its URL; it is as the template, and nobody else is connected to it."""
        wire = self._alone()
        if wire.execute(_SHAPE).fetchone() != self._shape:
            wire.close()
            return self._server.create_database(_NAME, self._template)
        emptied = wire.execute(self._empty)
        written = [table for table in self._rows if emptied.nextset() and emptied.rowcount]
        # Or the dead rows of thousands of tests would be read through by each test after them.
        wire.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(map(sql.Identifier, written))))
        for table, rows in self._rows.items():
            if rows:
                with wire.cursor().copy(_copy(table, "FROM STDIN")) as copy:
                    copy.write(rows)
        return self._url

    def _alone(self) -> psycopg.Connection:
        """The only connection. It is kept: a new one reads the whole catalogue, four times the work."""
        try:
            if self._wire:
                self._wire.execute(_END_OTHERS)
                return self._wire
        except psycopg.OperationalError:
            pass  # the test before this one ended it
        self._wire = psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True)
        self._wire.execute(_END_OTHERS)
        return self._wire


def _rows(wire: psycopg.Connection, table: str) -> bytes:
    with wire.cursor().copy(_copy(table, "TO STDOUT")) as copy:
        return b"".join(copy)


def _copy(table: str, way: str) -> sql.Composed:
    return sql.SQL("COPY {} " + way).format(sql.Identifier(table))
