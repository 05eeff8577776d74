"""Tiles of the city's ground map: of a tile server, or of a PMTiles file, which is checked first."""

import gzip
import hashlib
import html
import json
import logging
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pmtiles.tile import (
    Compression,
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_header,
)

from settings import Settings

KIND = "application/vnd.pmtiles"
ADDRESS = "/map/tiles.pmtiles"
_HEADER = 127
_LONGEST = 1 << 22
"""Bytes of a file's directory or metadata, at most."""
_LONGEST_WORDS = 200
_OF_ALL = "© OpenStreetMap contributors"
_VECTOR = re.compile(r"\.(pbf|mvt)(\?|$)")
_SERVER_ZOOM = (0, 19)
_WRONG = (OSError, EOFError, ValueError, LookupError, TypeError, MagicNumberNotFound, SpecVersionUnsupported)
_TAG = re.compile(r"<[^>]*>")

log = logging.getLogger("api")


class Tiles(NamedTuple):
    """The tiles' properties, for the map."""

    url: str
    pmtiles: bool
    vector: bool
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float] | None
    """West, south, east, north."""
    attribution: str


class Archive(NamedTuple):
    """A PMTiles file, complete as far as its header shows."""

    path: Path
    stat: os.stat_result
    tag: str
    """A hash that changes with the file."""
    vector: bool
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]
    attribution: str


def find_tiles(settings: Settings) -> Tiles | None:
    """Return the map's tiles; None if the city has set none, or the file is missing or damaged.

    The map is schematic then.
    """
    if server := settings.tile_server:
        vector = bool(_VECTOR.search(server))
        said = settings.map_attribution or _OF_ALL
        return Tiles(server, False, vector, *_SERVER_ZOOM, bounds=None, attribution=said)
    found = open_archive(settings)
    return found and Tiles(
        f"{ADDRESS}?v={found.tag}",
        True,
        found.vector,
        found.min_zoom,
        found.max_zoom,
        found.bounds,
        settings.map_attribution or found.attribution or _OF_ALL,
    )


def open_archive(settings: Settings) -> Archive | None:
    """Return the present file; None if there is none or it is unusable.

    The log names an unusable file once.
    """
    path = settings.tiles_file
    if path is None:
        return None
    try:
        stat = path.stat()
    except OSError:
        return _missing(path)
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _missing(path: Path) -> None:
    log.warning("ground map: there is no %s; the map is schematic", path)


@lru_cache(maxsize=4)
def _read(path: Path, changed_at: int, size: int) -> Archive | None:
    try:
        with path.open("rb") as file:
            header = deserialize_header(file.read(_HEADER).ljust(_HEADER, b"\0"))
            _check(header, size)
            file.seek(header["root_offset"])
            _unpacked(header, file.read(header["root_length"]))
            file.seek(header["metadata_offset"])
            about = json.loads(_unpacked(header, file.read(header["metadata_length"])) or b"{}")
        bounds = [header[edge] / 1e7 for edge in ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")]
        tag = hashlib.sha256(f"{path}|{changed_at}|{size}".encode()).hexdigest()[:16]
        return Archive(
            path,
            path.stat(),
            tag,
            header["tile_type"] is TileType.MVT,
            header["min_zoom"],
            header["max_zoom"],
            (bounds[0], bounds[1], bounds[2], bounds[3]),
            _plain(about.get("attribution", "")),
        )
    except _WRONG as error:
        log.warning(
            "ground map: %s cannot be used (%s %s); the map is schematic", path, type(error).__name__, error
        )
        return None


def _check(header: HeaderDict, size: int) -> None:
    """Check that the file is complete and that browsers can draw it. Raises ValueError."""
    if header["tile_type"] not in (TileType.MVT, TileType.PNG, TileType.JPEG, TileType.WEBP, TileType.AVIF):
        raise ValueError("its tiles are of a kind that is not drawn")
    readable = (Compression.NONE, Compression.GZIP)
    if header["internal_compression"] not in readable or header["tile_compression"] not in (
        *readable,
        Compression.UNKNOWN,
    ):
        raise ValueError("it is compressed as browsers cannot read it: gzip or none")
    if max(header["root_length"], header["metadata_length"]) > _LONGEST:
        raise ValueError("what it says of itself is too long")
    ends = (
        header["root_offset"] + header["root_length"],
        header["metadata_offset"] + header["metadata_length"],
        header["leaf_directory_offset"] + header["leaf_directory_length"],
        header["tile_data_offset"] + header["tile_data_length"],
    )
    if not header["root_length"] or max(ends) > size:
        raise ValueError("it is not whole")
    if not 0 <= header["min_zoom"] <= header["max_zoom"] <= 24:
        raise ValueError("its zooms are none")


def _unpacked(header: HeaderDict, content: bytes) -> bytes:
    return gzip.decompress(content) if header["internal_compression"] is Compression.GZIP else content


def _plain(attribution: Any) -> str:
    """Return an attribution without its links: the map shows it as text."""
    text = html.unescape(_TAG.sub("", str(attribution or "")))
    return " ".join(text.split())[:_LONGEST_WORDS]
