"""Open requests near a point, shown before a citizen reports the same problem again.

One statement selects a box by an index, then the circle in it. At such distances the earth is flat.
"""

from collections.abc import Sequence
from math import ceil, cos, radians, sqrt
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Request, make_literals
from db.states import OPEN_REQUESTS
from hotline.requests.places import Point

MOST = 5
RADIUS = 100
"""Metres around a new report in which the app shows open requests."""
_STEP = 10
"""Distances are rounded up to this many metres, so that nobody can locate another reporter from three
sides."""
_DEGREE = 6_371_000 * radians(1)
"""Metres in one degree of latitude."""


class Near(NamedTuple):
    """An open request, and the upper limit of its distance in metres."""

    request: Request
    metres: int


def list_near(session: Session, category: int, point: Point, radius: int = RADIUS) -> Sequence[Near]:
    """Return the newest open requests of the category within `radius` metres of a point in the city."""
    high = radius / _DEGREE
    wide = high / cos(radians(point.latitude))
    north = (Request.latitude - point.latitude) * _DEGREE
    east = (Request.longitude - point.longitude) * (_DEGREE * cos(radians(point.latitude)))
    squared = north * north + east * east
    query = (
        select(Request, squared)
        .where(
            Request.category == category,
            Request.part_of_id.is_(None),
            Request.state.in_(make_literals(OPEN_REQUESTS)),
            Request.latitude.between(point.latitude - high, point.latitude + high),
            Request.longitude.between(point.longitude - wide, point.longitude + wide),
            squared <= radius * radius,
        )
        # "+ 0" keeps SQLite from scanning all rows by id; it reads the box by its index
        .order_by((Request.id + 0).desc())
        .limit(MOST)
    )
    return [Near(request, _roughly(square or 0.0)) for request, square in session.execute(query)]


def _roughly(squared: float) -> int:
    return max(_STEP, ceil(sqrt(squared) / _STEP) * _STEP)
