"""Where a page of an inbox ended: what follows is found from there, whatever became of that row since."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hotline.errors import Refused

_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_DAYS = range(10**15, 10**16)
"""Microseconds since then: from 2001 to 2286."""
_IDS = range(1, 2**31)


class Place(NamedTuple):
    """A row's: the part of the inbox, the moment by which that part is ordered, if it is, and the id."""

    rank: int
    day: datetime | None
    id: int

    def __str__(self) -> str:
        day = () if self.day is None else ((self.day - _EPOCH) // _TICK,)
        return "-".join(map(str, (self.rank, *day, self.id)))


def parse(after: str, *, by_day: Collection[int], others: Collection[int] = ()) -> Place:
    """The place that was given out as `after`, of a rank that is ordered by day, or of an other one.

    Raises Refused("invalid-input").
    """
    try:
        rank, *day, id_ = map(int, after.split("-"))
    except ValueError:
        rank, day, id_ = -1, [], 0
    if id_ in _IDS:
        if rank in others and not day:
            return Place(rank, None, id_)
        if rank in by_day and len(day) == 1 and day[0] in _DAYS:
            return Place(rank, _EPOCH + day[0] * _TICK, id_)
    raise Refused("invalid-input", "after: it comes from the page before")
