"""Given two engines of PostgreSQL, made one after the other for the same server."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from db.engine import connect
from db.models import Event
from dialer.leader import create_impatient_engine
from tests.kit.reused_database import ReusedDatabase


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each statement that is compiled from now on."""
    statements = list[str]()
    init = SQLCompiler.__init__

    def count(self: SQLCompiler, *args: object, **options: object) -> None:
        init(self, *args, **options)  # type: ignore[arg-type]
        statements.append(str(self))

    monkeypatch.setattr(SQLCompiler, "__init__", count)
    return statements


@pytest.fixture
def engines(reused: ReusedDatabase) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """Two of the same settings."""
    url = reused.fresh()
    both = connect(url), connect(url)
    yield both
    for engine in both:
        engine.dispose()


def test_second_engine_compiles_nothing_anew(
    engines: tuple[sa.Engine, sa.Engine], compiled: list[str]
) -> None:
    def read_and_write(engine: sa.Engine) -> None:
        with Session(engine) as session:
            session.add(Event(at=datetime.now(UTC), kind="desk", what="ready"))
            session.flush()
            assert session.scalars(sa.select(Event.kind).order_by(Event.id)).all()
            session.commit()

    read_and_write(engines[0])
    compiled.clear()
    read_and_write(engines[1])

    assert compiled == []


def test_engine_with_other_settings_compiles_for_itself(
    engines: tuple[sa.Engine, sa.Engine], compiled: list[str]
) -> None:
    engine = engines[0]
    statement = sa.select(sa.literal(1).label("same"))
    with engine.connect() as connection:
        connection.execute(statement)
    compiled.clear()

    other = create_impatient_engine(
        engine.url.render_as_string(hide_password=False), isolation_level="AUTOCOMMIT"
    )
    with other.connect() as connection:
        connection.execute(statement)
    other.dispose()

    assert len(compiled) == 1
