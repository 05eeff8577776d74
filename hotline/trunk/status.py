"""Status of the trunks: the one answer for the page, /healthz, the metrics and the doctor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from db.models import TrunkState
from hotline.trunk import circuit_breaker, selection


class Is(StrEnum):
    """Status of a trunk."""

    UP = "up"
    DOWN = "down"
    UNHEARD = "unheard"
    """No sign of the trunk so far, by OPTIONS, a registration or a call: that is no health."""


class Status(NamedTuple):
    """Status of a trunk, and since when it is down."""

    state: Is
    since: datetime | None = None
    held: bool = False
    """The breaker holds all calls (trunk.circuit_breaker)."""


def list_statuses(session: Session, names: Sequence[str]) -> dict[str, Status]:
    """Return the status of every configured trunk, by name."""
    down = circuit_breaker.find_outage(session)
    held = down.since if down and down.why == circuit_breaker.TRUNK else None
    found = selection.find_states(session, names)
    return {name: _word(found.get(name), held, only=len(names) == 1) for name in names}


def find_best(told: Mapping[str, Status]) -> Status:
    """Return the best status of all trunks: calls flow if any trunk works."""
    for state in (Is.UP, Is.UNHEARD):
        if any(word.state is state for word in told.values()):
            return Status(state)
    return min(told.values(), key=lambda word: str(word.since))


def _word(row: TrunkState | None, held: datetime | None, *, only: bool) -> Status:
    if held:
        return Status(Is.DOWN, held, held=True)
    if row and row.down_since and not (only and row.answers):  # OPTIONS outweigh one failed call
        return Status(Is.DOWN, row.down_since)
    heard = row is not None and (row.answers or row.registered or row.taken > 0)
    return Status(Is.UP if heard else Is.UNHEARD)
