"""Findings of the doctor, and the facts that every check shares."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine

from settings import Settings

LATE_S = 5.0
"""Seconds that each check may take; all run at the same time."""


class State(StrEnum):
    """Severity of a finding; the exit code follows the worst one."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """Result of one check: the finding, and the remedy if there is a fault."""

    name: str
    state: State
    said: str
    do: str = ""


def report_ok(name: str, said: str) -> Finding:
    """Return a finding without a fault."""
    return Finding(name, State.OK, said)


def warn(name: str, said: str, do: str) -> Finding:
    """Return a finding about something that works but needs attention."""
    return Finding(name, State.WARNING, said, do)


def fail(name: str, said: str, do: str) -> Finding:
    """Return a finding about something that does not work, or will soon fail."""
    return Finding(name, State.FAULT, said, do)


_NO_CONNECTION = (
    "too many clients",
    "too many connections",
    "connection slots are reserved",
    "max_client_conn",
)
"""Messages of PostgreSQL and pgBouncer without a connection left; they come without an error code."""


def shorten_error(error: Exception) -> str:
    """Return the driver's own first line: no statement and no values."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def find_missing_connection(name: str, error: Exception | str) -> Finding | None:
    """Return a fault if the database has no connection left, else None."""
    if any(word in str(error) for word in _NO_CONNECTION):
        return fail(
            name,
            "too many connections: the database has none left",
            "raise its max_connections, a number for each node: docs/operate/postgresql.md",
        )
    return None


@dataclass(frozen=True)
class Known:
    """Facts for all checks: the settings, the database if it answers, and whether the system runs."""

    settings: Settings
    engine: Engine | None = None
    runs: bool = False
    beats: Mapping[str, bool] = field(default_factory=dict)
    stuck: str = ""
    at: datetime | None = None  # the database's clock
    server: str = ""
    why: str = ""  # why the database does not answer


Look = Callable[[Known], Iterator[Finding]]
