"""Copying a whole database into another, of the same kind or the other one."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from db.engine import reading
from db.migrate import is_current, upgrade
from db.models import Base
from db.postgres import remove_time_limit

_BATCH = 1000
_COUNTED = "line_counts"
"""Triggers of `registrations` fill this table. It is copied last and replaces what the triggers wrote."""
_MADE_BY_PEOPLE = ("audit", "ledger", "users", "officials", "rounds", "registrations", "requests")
_NO_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


class NotCopied(Exception):
    """Nothing was copied; the text says why, without any row's content."""


def find_used_table(engine: Engine) -> str:
    """Return the first table with rows that people made; "" if the installation is empty or has no tables."""
    with engine.connect() as connection:
        known = engine.dialect.get_table_names(connection)
        for name in _MADE_BY_PEOPLE:
            table = Base.metadata.tables[name]
            if name in known and connection.execute(select(table.primary_key.columns[0]).limit(1)).first():
                return name
    return ""


def copy_rows(source: Engine, target: Engine, told: Callable[[str, int], None] = lambda *_: None) -> int:
    """Copy all rows of one moment in one transaction; return their number. `told(table, rows)` is called for
    each table.

    Raises NotCopied or OtherVersion: the target then has at most new empty tables.
    """
    if not is_current(source):
        raise NotCopied("the source is not of this version: hotline137 db upgrade")
    if filled := find_used_table(target):
        raise NotCopied(f"the target is not empty: it has rows in {filled}")
    upgrade(target)
    if not is_current(target):
        raise NotCopied("the target has a newer version's tables")
    with reading(source, one_moment=True) as session, target.begin() as into:
        from_ = session.connection()
        for each in (from_, into):
            _without_limits(each)
        keys = _let_rows_wait(into)
        for table in reversed(Base.metadata.sorted_tables):
            into.execute(table.delete())  # rows that every new database has
        total = 0
        for table in _in_order():
            rows = _copied(from_, into, table)
            told(table.name, rows)
            total += rows
        for statement in keys:
            into.execute(text(statement))
        _go_on_counting(from_, into)
        return total


def _in_order() -> list[Table]:
    return sorted(Base.metadata.sorted_tables, key=lambda table: table.name == _COUNTED)


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _without_limits(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        remove_time_limit(connection)
        for name in _NO_LIMITS:
            connection.execute(text(f"SET LOCAL {name} = 0"))


def _let_rows_wait(into: Connection) -> list[str]:
    """Defer foreign keys inside a table, whose rows may refer to later ones; return the statements that end
    that.
    """
    if into.dialect.name == "sqlite":
        into.execute(text("PRAGMA defer_foreign_keys = ON"))  # until the transaction ends
        return []
    own = text(
        "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = confrelid AND connamespace = current_schema()::regnamespace"
    )
    found = into.scalars(own).all()
    for each in found:
        into.execute(text(f"{each} DEFERRABLE INITIALLY DEFERRED"))
    return ["SET CONSTRAINTS ALL IMMEDIATE", *(f"{each} NOT DEFERRABLE" for each in found)]


def _copied(from_: Connection, into: Connection, table: Table) -> int:
    columns = [column for column in table.columns if column.computed is None]
    into.execute(table.delete())
    rows = from_.execute(
        select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    )
    for batch in rows.mappings().partitions():
        try:
            into.execute(insert(table), [dict(row) for row in batch])
        except SQLAlchemyError as error:
            raise NotCopied(f"{table.name}: {_why(error)}") from None
    there, here = _count(from_, table), _count(into, table)
    if there != here:
        raise NotCopied(f"{table.name}: {there} rows, of which {here} came")
    return here


def _why(error: SQLAlchemyError) -> str:
    """Return the database's message without the row, which PostgreSQL's primary message leaves out."""
    cause: Any = error.orig if isinstance(error, DBAPIError | StatementError) else error
    said = getattr(getattr(cause, "diag", None), "message_primary", None)
    return str(said or type(cause).__name__)


def _go_on_counting(from_: Connection, into: Connection) -> None:
    """Set the sequences to the last given numbers, even of deleted rows: no id is given twice."""
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        last = max(_last_given(from_, table, column), into.scalar(select(func.max(column))) or 0)
        if into.dialect.name == "postgresql":
            given = {"table": table.name, "column": column.name, "last": max(last, 1), "called": last > 0}
            into.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :last, :called)"), given
            )
        elif table.dialect_options["sqlite"]["autoincrement"]:
            into.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            into.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
                {"name": table.name, "last": last},
            )


def _last_given(connection: Connection, table: Table, column: Column[Any]) -> int:
    given = {"table": table.name, "column": column.name}
    if connection.dialect.name == "sqlite":
        if not table.dialect_options["sqlite"]["autoincrement"]:
            return 0
        return connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), given) or 0
    sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), given)
    if sequence is None:
        return 0
    return connection.scalar(text(f"SELECT last_value FROM {sequence} WHERE is_called")) or 0  # noqa: S608
