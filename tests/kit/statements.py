"""Statements of one request to the database: the same on every machine, at every load."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

_OTHERS = ("FROM events", "heartbeats", "BEGIN")
"""Statements of every process, all the time."""


@contextmanager
def heard(engine: Engine) -> Iterator[list[str]]:
    """Yield the statements of this engine meanwhile."""
    said: list[str] = []

    def hear(*args: object) -> None:
        statement = str(args[2])
        if not any(other in statement for other in _OTHERS):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    yield said
    event.remove(engine, "before_cursor_execute", hear)
