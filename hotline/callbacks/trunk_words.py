"""Whether each trunk works: the one answer for the page, /healthz, the metrics and the doctor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from db.models import TrunkState
from hotline.callbacks import breaker, trunk_states


class Is(StrEnum):
    """What is known of a trunk."""

    UP = "up"
    DOWN = "down"
    UNHEARD = "unheard"
    """Nothing was ever heard of it, by OPTIONS, a registration or a call: that is not well."""


class Word(NamedTuple):
    """What is known of a trunk, and since when it is down."""

    state: Is
    since: datetime | None = None
    held: bool = False
    """No call at all goes (callbacks.breaker)."""


def words(session: Session, names: Sequence[str]) -> dict[str, Word]:
    """Of each of these, which are all there are."""
    down = breaker.down(session)
    held = down.since if down and down.why == breaker.TRUNK else None
    found = trunk_states.states(session, names)
    return {name: _word(found.get(name), held, only=len(names) == 1) for name in names}


def together(told: Mapping[str, Word]) -> Word:
    """Whether calls flow by any of them."""
    for state in (Is.UP, Is.UNHEARD):
        if any(word.state is state for word in told.values()):
            return Word(state)
    return min(told.values(), key=lambda word: str(word.since))


def _word(row: TrunkState | None, held: datetime | None, *, only: bool) -> Word:
    if held:
        return Word(Is.DOWN, held, held=True)
    if row and row.down_since and not (only and row.answers):  # one call says less than its answer
        return Word(Is.DOWN, row.down_since)
    heard = row is not None and (row.answers or row.registered or row.taken > 0)
    return Word(Is.UP if heard else Is.UNHEARD)
