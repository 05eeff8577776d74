"""Cursors of an inbox: where a page ended. The next page starts there even if that row has changed."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hotline.errors import Refused

_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_DAYS = range(10**15, 10**16)
"""Valid days, in microseconds since 1970: from 2001 to 2286."""
_IDS = range(1, 2**31)


class Place(NamedTuple):
    """The position of a row: the section of the inbox, the moment that orders it (if any), and the id."""

    rank: int
    day: datetime | None
    id: int

    def __str__(self) -> str:
        day = () if self.day is None else ((self.day - _EPOCH) // _TICK,)
        return "-".join(map(str, (self.rank, *day, self.id)))


def parse(after: str, *, by_day: Collection[int], others: Collection[int] = ()) -> Place:
    """Parse `after` into a position. Sections in `by_day` have a moment; those in `others` have none.

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
