"""The dialer's polls cost no more when many callbacks are closed.

The test counts work, not time: the same on every machine and at every load.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from bench import looks
from settings import Settings

FEW, MANY = 400, 4_000


class Work:
    """How much the database has done."""

    def __init__(self) -> None:
        self.done = 0


@contextmanager
def counted(engine: Engine) -> Iterator[Work]:
    """Count the steps of SQLite's machine; on PostgreSQL, the rows that its plans touch."""
    work = Work()
    if engine.dialect.name == "sqlite":

        def step() -> None:
            work.done += 1

        def count_steps(connection: Any, *_: object) -> None:
            connection.set_progress_handler(step, 1)

        event.listen(engine, "checkout", count_steps)
        yield work
        event.remove(engine, "checkout", count_steps)
        return

    def explain(
        connection: Connection, _cursor: object, sql: str, values: Any, _context: object, _many: object
    ) -> None:
        if sql.startswith("SELECT"):
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
            work.done += _rows(cursor.fetchone()[0][0]["Plan"])  # type: ignore[index]

    event.listen(engine, "after_cursor_execute", explain)
    yield work
    event.remove(engine, "after_cursor_execute", explain)


def _rows(plan: dict[str, Any]) -> int:
    touched = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(touched * plan["Actual Loops"]) + sum(_rows(child) for child in plan.get("Plans", []))


def work_of(engine: Engine, look: Callable[[], object]) -> int:
    look()  # what is done once, a connection's first statements, is not a look
    with counted(engine) as work:
        look()
    return work.done


@pytest.fixture
def busy(engine: Engine) -> int:
    return looks.a_round(engine)


def test_closed_callbacks_add_no_work_to_the_polls(engine: Engine, settings: Settings, busy: int) -> None:
    settings = settings.model_copy(
        update={"quiet_hours": looks.long_ago(), "calls_per_hour": 100, "calls_per_day": 200}
    )
    found = []
    for first, last in ((0, FEW), (FEW, MANY)):
        looks.close(engine, busy, first, last)
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(text("ANALYZE"))
        found.append({name: work_of(engine, look) for name, look in looks.looks(engine, settings).items()})
    few, many = found
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name] * 1.3 + 20}
    assert not grown
    assert sum(few.values()) > 0
