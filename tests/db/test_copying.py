"""A database copied into the other kind and back: every row, every number, every trigger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text
from sqlalchemy.exc import DatabaseError

from db import copying
from db.copying import NotCopied
from db.engine import connect, reading, writing
from db.migrate import upgrade
from db.models import Base, Event, Registration, Request, User
from db.states import Outcome, RequestState
from hotline.ledger.verify import verify
from hotline.line import order
from settings import Settings
from tests.factories import a_request, a_user
from tests.kit.postgres import Postgres
from tests.kit.story import Story


@contextmanager
def another(kind: str, postgres: Postgres, folder: Path) -> Iterator[Engine]:
    """An empty database of this kind, without tables."""
    path = folder / "other.db"
    path.unlink(missing_ok=True)
    engine = connect(f"sqlite:///{path}" if kind == "sqlite" else postgres.create_database("other"))
    try:
        yield engine
    finally:
        engine.dispose()


def rows(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as session:
        tables = Base.metadata.sorted_tables
        return {t.name: [*session.execute(select(t).order_by(*t.primary_key.columns))] for t in tables}


def a_city(engine: Engine, settings: Settings) -> Story:
    story = Story(engine, settings)
    for outcome in (Outcome.REACHED, Outcome.NO_ANSWER, None):
        story.registers()
        story.called(outcome)
    for _ in range(3):
        story.registers()
    story.cancels(story.registers())
    with writing(engine) as session:
        first, second = a_request(session), a_request(session)
        # a row that names a later one
        first.state, first.duplicate_of_id = RequestState.DUPLICATE, second.id
        newest = session.scalars(select(Event.id).order_by(Event.id.desc())).first()
        session.execute(delete(Event).where(Event.id == newest))  # its number was given
    story.seals()
    return story


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_database_copied_to_the_other_kind_and_back_is_equal(
    engine: Engine, settings: Settings, postgres: Postgres, tmp_path: Path, backend: str
) -> None:
    story = a_city(engine, settings)
    before = rows(engine)
    with writing(engine) as session:
        given = session.scalar(select(Event.id).order_by(Event.id.desc())) or 0
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[backend]
    with another(other, postgres, tmp_path) as there:
        assert copying.copy_rows(engine, there) == sum(map(len, before.values()))
        assert rows(there) == before
        assert verify(there).problems == [] and verify(there).entries > 8
        with pytest.raises(DatabaseError, match="only ever appended"), writing(there) as session:
            session.execute(text("UPDATE ledger SET details = '{}'"))
        back = Path(tmp_path / "back.db")
        again = connect(f"sqlite:///{back}" if backend == "sqlite" else postgres.create_database("back"))
        copying.copy_rows(there, again)
        assert rows(again) == before
        again.dispose()
        story.engine = there
        new = story.registers()
        with writing(there) as session:
            assert new == max(row.id for row in before["registrations"]) + 1
            assert order.count_before(session, session.get_one(Registration, new)) == 4
            ids = session.scalars(select(Event.id).order_by(Event.id)).all()
            assert given + 1 not in ids and ids[-1] > given + 1, "no number is given twice"
            a_user(session)
        with pytest.raises(NotCopied, match="not empty"):
            copying.copy_rows(engine, there)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_failed_copy_leaves_target_empty_and_hides_values(
    engine: Engine, postgres: Postgres, tmp_path: Path
) -> None:
    with writing(engine) as session:
        a_user(session, username="u" * 500)  # SQLite takes any length
        a_request(session)
    with another("postgresql", postgres, tmp_path) as there:
        with pytest.raises(NotCopied, match="users: value too long") as refused:
            copying.copy_rows(engine, there)
        assert "uuu" not in str(refused.value)
        with reading(there) as session:
            assert session.scalars(select(User)).all() == []
        with writing(engine) as session:
            session.scalars(select(User)).one().username = "u"
        assert copying.copy_rows(engine, there) > 0
        with reading(there) as session:
            assert session.scalars(select(Request)).one()


def test_copy_of_another_schema_version_is_refused(tmp_path: Path) -> None:
    old, target = (connect(f"sqlite:///{tmp_path / name}.db") for name in ("old", "target"))
    with pytest.raises(NotCopied, match="not of this version"):
        copying.copy_rows(old, target)
    upgrade(old)
    assert copying.find_used_table(old) == copying.find_used_table(target) == ""
    assert copying.copy_rows(old, target) > 0
