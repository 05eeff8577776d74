"""Small ground maps as PMTiles: all of Isfahan is water, or of one colour, with a name in the middle."""

import gzip
import io
from collections.abc import Iterable, Iterator
from itertools import product
from math import asinh, pi, radians, tan
from pathlib import Path
from typing import Any

from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

ISFAHAN = (51.2, 32.3, 52.2, 33.0)
"""West, south, east, north."""
NAME = "میدان نقش جهان"
_ZOOMS = range(6, 10)
_EXTENT = 4096
_POINT, _POLYGON = 1, 3
_WHOLE = (9, 0, 0, 26, 8192, 0, 0, 8192, 8191, 0, 15)
"""Move to a corner, three lines, and close."""
_MIDDLE = (9, 4096, 4096)


def vector(file: Path, **about: Any) -> Path:
    """Water everywhere, and a place of that name in each tile."""
    tile = _layer("water", _POLYGON, _WHOLE) + _layer(
        "place", _POINT, _MIDDLE, {"name:fa": NAME, "name": "?"}
    )
    return _write(file, gzip.compress(tile, mtime=0), TileType.MVT, Compression.GZIP, about)


def raster(file: Path, colour: tuple[int, int, int], **about: Any) -> Path:
    """One colour everywhere."""
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(picture, "PNG")
    return _write(file, picture.getvalue(), TileType.PNG, Compression.NONE, about)


def _write(file: Path, tile: bytes, kind: TileType, packed: Compression, about: dict[str, Any]) -> Path:
    """The same tile at each place of the city and around it."""
    with file.open("wb") as to:
        writer = Writer(to)
        for number in sorted(zxy_to_tileid(*each) for each in _places()):
            writer.write_tile(number, tile)
        west, south, east, north = (round(each * 1e7) for each in ISFAHAN)
        header = {"tile_type": kind, "tile_compression": packed}
        edges = {"min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north}
        writer.finalize(header | edges, {"name": "a test", **about})
    return file


def _places() -> Iterator[tuple[int, int, int]]:
    """Zoom, column and row."""
    west, south, east, north = ISFAHAN
    for zoom in _ZOOMS:
        (left, top), (right, bottom) = (_tile(zoom, *corner) for corner in ((west, north), (east, south)))
        for column, row in product(range(left - 1, right + 2), range(top - 1, bottom + 2)):
            yield zoom, column, row


def _tile(zoom: int, longitude: float, latitude: float) -> tuple[int, int]:
    across = (longitude + 180) / 360
    down = (1 - asinh(tan(radians(latitude))) / pi) / 2
    return int(across * 2**zoom), int(down * 2**zoom)


def _layer(name: str, kind: int, geometry: Iterable[int], words: dict[str, str] | None = None) -> bytes:
    """One layer of a Mapbox vector tile with one feature."""
    named = words or {}
    tags = [each for place in range(len(named)) for each in (place, place)]
    feature = _field(2, _packed(tags)) + _number(3, kind) + _field(4, _packed(geometry))
    layer = _number(15, 2) + _field(1, name.encode()) + _field(2, feature) + _number(5, _EXTENT)
    layer += b"".join(_field(3, key.encode()) for key in named)
    layer += b"".join(_field(4, _field(1, word.encode())) for word in named.values())
    return _field(3, layer)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(map(_varint, values))


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
