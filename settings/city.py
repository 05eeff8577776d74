"""The city: its look, its place on the map, its working hours, its public data."""

import re
from datetime import time
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from settings import city_file
from settings.city_file import PAGE
from settings.colours import READABLE, contrast, readable
from settings.part import Part
from settings.values import (
    Days,
    Hours,
    OptionalBounds,
    OptionalPath,
    WorkingHours,
)

_LARGEST_EMBLEM = 1 << 16


_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!#-&(-:=?-\[\]-~]*")


def city_in_force(named: Path | None, state_dir: Path | None) -> Path:
    """Return the named file, else the one chosen at the first visit, else the sample."""
    chosen = (state_dir or Path("var")) / "city" / "city.toml"
    return named or (chosen if chosen.is_file() else city_file.SAMPLE)


class OfCity(Part):
    """The city: its look, its place on the map, its working hours, its public data."""

    city: OptionalPath = Field(None, validate_default=True)
    """The TOML file that describes the city: its names, look, districts, offices
    (docs/operate/first-visit.md). Empty: the one chosen at the first visit, else Isfahan's, the sample."""
    city_accent: str = Field("", pattern=r"^(#[0-9A-Fa-f]{6})?$")
    """The city's colour, for buttons and selected items, written #0b6f77. Empty: the colour of the city's
    file, else turquoise. A colour with too little contrast is refused."""
    city_emblem: OptionalPath = None
    """The city's emblem on the sign-in and the public pages: an SVG or PNG of at most 64 kB. Each container
    with this setting must find the file."""
    city_bounds: OptionalBounds = Field(None, validate_default=True)
    """The city's southern, western, northern and eastern bounds in degrees. A location reported in the app
    must lie within them. Empty: the bounds of the city's file."""
    districts_file: OptionalPath = None
    """GeoJSON of the districts, each with its number as `district`. Empty: the map is schematic."""
    map_tiles: str = Field("", max_length=500)
    """The city's ground map: a PMTiles file, or a tile server's address with {z}, {x} and {y}
    (https://tiles.example/{z}/{x}/{y}.png). Empty: the map is schematic, and no tile is fetched from another
    server."""
    map_attribution: str = Field("", max_length=200)
    """The map's attribution, as its licence demands it. Empty: the PMTiles file's own attribution, else ©
    OpenStreetMap contributors."""
    working_days: Days = (*("sat", "sun", "mon", "tue", "wed"),)
    """The weekdays on which the city's offices work. Holidays of the timetable are no working days."""
    working_hours: Hours = WorkingHours(time(7, 30), time(14, 30))
    """The office hours of a working day, in the city's own time. Due dates of requests count these hours."""
    timetable_days: int = Field(28, ge=1, le=366)
    """How many days ahead the timetable makes its rounds."""
    figures_least: int = Field(5, ge=1, le=1000)
    """The least number of requests that a public figure shows; a smaller one could point to a person."""
    data_licence: str = Field("CC BY 4.0", max_length=100)
    """The licence of the public figures and the public list. Empty: none is stated."""
    data_licence_url: str = Field(
        "https://creativecommons.org/licenses/by/4.0/", pattern=r"^(https?://[!#-;=?-~]+)?$", max_length=300
    )
    """The address of that licence's text."""
    public_url: str = Field("", pattern=r"^(https?://[^\s/]+(/[^\s?#]*)?)?$")
    """The public pages' address, for links. Empty: http://HOTLINE_HTTP."""
    android_app: str = Field(
        "", pattern=r"^([A-Za-z][\w.]+( ([0-9A-F]{2}:){31}[0-9A-F]{2})+)?$", max_length=1000
    )
    """The citizens' app in a store: its package, then the SHA-256 fingerprints of its certificates
    (ir.example.app 0A:1B:…). Served at /.well-known/assetlinks.json. Empty: there is no app."""
    jurisdiction: str = Field("", pattern=r"^[0-9A-Za-z.-]*$", max_length=100)
    """The city's Open311 `jurisdiction_id`, by custom its website: city.example. A query for another one gets
    "not found". Empty: every query means this city."""
    sample: bool = False
    """Fill an empty database with sample data."""

    @field_validator("city_accent")
    @classmethod
    def _accent(cls, value: str) -> str:
        if value and (found := contrast(value, PAGE)) < READABLE:
            raise ValueError(
                f"cannot be read on the pages: its contrast with them is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {readable(value, PAGE, '#000000')}"
            )
        return value.lower()

    @field_validator("city_emblem")
    @classmethod
    def _emblem(cls, value: Path | None) -> Path | None:
        if value and value.suffix not in (".svg", ".png"):
            raise ValueError("must be a file that ends with .svg or .png")
        if value and not (value.is_file() and value.stat().st_size <= _LARGEST_EMBLEM):
            raise ValueError(f"must be a file of at most {_LARGEST_EMBLEM} bytes")
        return value

    @field_validator("map_tiles")
    @classmethod
    def _tiles(cls, value: str) -> str:
        of_server = _TILES.fullmatch(value) and all(value.count(part) == 1 for part in ("{z}", "{x}", "{y}"))
        if value and not (of_server or ("://" not in value and value.endswith(".pmtiles"))):
            raise ValueError(
                "must be a file that ends with .pmtiles, or an address such as "
                "https://tiles.example/{z}/{x}/{y}.png"
            )
        return value

    @field_validator("city")
    @classmethod
    def _city(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        path = city_in_force(value, others.data.get("state_dir"))
        try:
            city_file.read(path)
        except city_file.CityError as error:
            raise ValueError(f"{path}: {'; '.join(str(error).splitlines())}") from None
        return value.absolute() if value else None
