"""Outlines of the city's districts, simplified for a drawing on a telephone."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from math import cos, hypot, isfinite, radians
from pathlib import Path
from typing import Any

from hotline.requests import places
from hotline.requests.places import Ring

_ERRS = 0.0002
"""How far, in degrees, an outline may differ from the city's own: some 20 metres. `places.find_district`
reads the city's own outlines."""
_DIGITS = 5

log = logging.getLogger("api")


def read_outlines(file: Path | None) -> dict[str, Any] | None:
    """Return GeoJSON with a `district` for each feature; None if the city names no file, or it is damaged."""
    if file is None or not file.is_file():
        return None
    try:
        return _drawn(file, file.stat().st_mtime_ns)
    except places.UNUSABLE as error:
        log.warning("boundaries: %s cannot be drawn: %s", file, type(error).__name__)
        return None


@lru_cache(maxsize=2)
def _drawn(file: Path, _changed_at: int) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [_feature(*each) for each in places.read_districts(file)],
    }


def _feature(number: int, polygons: Sequence[Sequence[Ring]]) -> dict[str, Any]:
    coordinates = [[_simple(ring) for ring in polygon] for polygon in polygons]
    geometry = {"type": "MultiPolygon", "coordinates": coordinates}
    return {"type": "Feature", "properties": {"district": number}, "geometry": geometry}


def _simple(ring: Ring) -> list[tuple[float, float]]:
    """Return the ring with fewer points (Douglas and Peucker); the points that remain are not moved."""
    points = [(float(x), float(y)) for x, y, *_ in ring]
    if not all(isfinite(x) and isfinite(y) for x, y in points):
        raise ValueError("a point that is nowhere")
    narrower = cos(radians(points[0][1]))
    kept = {0, len(points) - 1}
    parts = [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        away = [_away(points[at], points[first], points[last], narrower) for at in range(first + 1, last)]
        if away and (most := max(away)) > _ERRS:
            middle = first + 1 + away.index(most)
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    left = [points[at] for at in sorted(kept)] if len(kept) > 3 else points
    return [(round(x, _DIGITS), round(y, _DIGITS)) for x, y in left]


def _away(
    point: tuple[float, float], begin: tuple[float, float], end: tuple[float, float], narrower: float
) -> float:
    """Return the distance of a point from the segment between two others, in degrees of latitude."""
    x, y = (point[0] - begin[0]) * narrower, point[1] - begin[1]
    along_x, along_y = (end[0] - begin[0]) * narrower, end[1] - begin[1]
    length = along_x**2 + along_y**2
    share = min(1.0, max(0.0, (x * along_x + y * along_y) / length)) if length else 0.0
    return hypot(x - share * along_x, y - share * along_y)
