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
