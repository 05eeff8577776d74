"""What the doctor says, and what every look has to go by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine

from settings import Settings

LATE_S = 5.0
"""So long each look may take; all of them are taken at the same time."""


class State(StrEnum):
    """How bad it is; the exit code goes by the worst."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do if it is not well."""

    name: str
    state: State
    said: str
    do: str = ""


def ok(name: str, said: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, said)


def warning(name: str, said: str, do: str) -> Finding:
    """It works, and somebody should see to it."""
    return Finding(name, State.WARNING, said, do)


def fault(name: str, said: str, do: str) -> Finding:
    """It does not work, or not for long."""
    return Finding(name, State.FAULT, said, do)


_NO_CONNECTION = (
    "too many clients",
    "too many connections",
    "connection slots are reserved",
    "max_client_conn",
)
"""As PostgreSQL says it, and pgBouncer; to whoever connects no number is told."""


def short(error: Exception) -> str:
    """The driver's own first line: no statement, and no value that was in one."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def no_connection(name: str, error: Exception | str) -> Finding | None:
    """If the database has no connection left for anybody."""
    if any(word in str(error) for word in _NO_CONNECTION):
        return fault(
            name,
            "too many connections: the database has none left",
            "raise its max_connections, a number for each node: docs/operate/postgresql.md",
        )
    return None


@dataclass(frozen=True)
class Known:
    """What was asked first: the settings, the database if it answers, and whether the system runs."""

    settings: Settings
    engine: Engine | None = None
    runs: bool = False
    beats: Mapping[str, bool] = field(default_factory=dict)
    stuck: str = ""
    at: datetime | None = None  # by the database's clock
    server: str = ""
    why: str = ""  # it does not answer


Look = Callable[[Known], Iterator[Finding]]
