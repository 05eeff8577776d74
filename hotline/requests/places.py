"""Location of a problem: within the city, and its district by the city's own boundaries."""

import json
import logging
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from hotline.errors import Refused
from settings import Bounds, Settings
from settings.city_file import MOST_DISTRICTS

LONGEST = 300
"""Maximum length of an address or a landmark, in characters."""
KNOWN = frozenset(range(1, MOST_DISTRICTS + 1))
"""Valid numbers of districts."""
UNUSABLE = (OSError, ValueError, LookupError, TypeError)
"""Errors that a damaged boundaries file of the city causes."""

log = logging.getLogger("api")

Ring = Sequence[Sequence[float]]


class Point(NamedTuple):
    """A point in degrees (WGS 84)."""

    latitude: float
    longitude: float


def check(point: Point | None, words: str, bounds: Bounds) -> None:
    """Check a location. Raises Refused("place-missing" | "place-outside" | "place-long")."""
    if point is None and not words:
        raise Refused("place-missing", "say where it is: a point, an address or a landmark", "place")
    if len(words) > LONGEST:
        raise Refused("place-long", f"at most {LONGEST} characters", "place")
    if point is None:
        return
    inside = bounds.south <= point.latitude <= bounds.north and bounds.west <= point.longitude <= bounds.east
    if not inside:
        raise Refused("place-outside", f"the city lies within {bounds}", "latitude")


def check_district(number: int | None, settings: Settings) -> None:
    """Raises Refused("place-outside") for a district that the city does not have."""
    there = len(settings.of_city.districts)
    if number is not None and number > there:
        raise Refused("place-outside", f"the city has {there} districts", "district")


def find_district(point: Point | None, file: Path | None) -> int | None:
    """Return the district of the city's GeoJSON that contains the point, or None.

    None also stands for a missing or damaged file.
    """
    if point is None or file is None or not file.is_file():
        return None
    try:
        for number, polygons in read_districts(file):
            rings = chain.from_iterable(polygons)
            if sum(_crosses(ring, point) for ring in rings) % 2:  # a hole is counted as a second crossing
                return number
    except UNUSABLE as error:
        log.warning("boundaries: %s cannot be used: %s", file, type(error).__name__)
    return None


def read_districts(file: Path) -> Sequence[tuple[int, Sequence[Sequence[Ring]]]]:
    """Return each district's number and polygons. Raises one of UNUSABLE."""
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(file: Path, _changed_at: int) -> Sequence[tuple[int, Sequence[Sequence[Ring]]]]:
    features = json.loads(file.read_text("utf-8"))["features"]
    found = [(int(each["properties"]["district"]), _polygons(each["geometry"])) for each in features]
    if not {number for number, _ in found} <= KNOWN:
        raise ValueError("a district that there is not")
    return found


def _polygons(geometry: dict[str, Any]) -> Sequence[Sequence[Ring]]:
    parts: Sequence[Any] = geometry["coordinates"]
    return [parts] if geometry["type"] == "Polygon" else parts


def _crosses(ring: Ring, point: Point) -> int:
    """Count how often a ray from the point to the east crosses the ring."""
    y, x = point
    crossed = 0
    for (x1, y1, *_), (x2, y2, *_) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            crossed += 1
    return crossed
