"""The base of all tables, and common column types."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnClause, DateTime, Dialect, Enum, String, TypeDecorator, literal_column
from sqlalchemy.orm import DeclarativeBase


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, also on SQLite, which has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises ValueError for a naive time, which another zone could misread later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        aware: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return aware.astimezone(UTC)


class Base(DeclarativeBase):
    """The base class with the metadata of all tables."""

    type_annotation_map: ClassVar = {datetime: UtcDateTime, str: String}


def make_enum(kind: type[StrEnum], name: str) -> Enum:
    """Return a column type with these words, checked by the database."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda e: [member.value for member in e],
    )


def make_literal(one: StrEnum) -> ColumnClause[Any]:
    """Return one of these words as a literal for a frequent statement.

    With a literal, both databases find the index of live rows. PostgreSQL's prepared plans cannot use it with
    a parameter, and SQLite plans again whenever a parameter might choose the index.
    """
    return literal_column(f"'{one.value}'")


def make_literals(several: Iterable[StrEnum]) -> list[ColumnClause[Any]]:
    """Return words as literals for `in_`."""
    return [make_literal(one) for one in several]
