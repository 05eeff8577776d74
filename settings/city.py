"""The city: how it looks, where it lies, when it works, what it shows."""

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
    """The one that is named, else the one that was chosen at the first visit, else the sample."""
    chosen = (state_dir or Path("var")) / "city" / "city.toml"
    return named or (chosen if chosen.is_file() else city_file.SAMPLE)


class OfCity(Part):
    """The city: how it looks, where it lies, when it works, what it shows."""

    city: OptionalPath = Field(None, validate_default=True)
    """The TOML file that describes the city: its names, look, districts, offices
    (docs/operate/first-visit.md). Empty: the one chosen at the first visit, else Isfahan's, the sample."""
    city_accent: str = Field("", pattern=r"^(#[0-9A-Fa-f]{6})?$")
    """The city's own colour, of buttons and of what is chosen, written #0b6f77; empty: as the city's file
    says, else turquoise. One that cannot be read is refused."""
    city_emblem: OptionalPath = None
    """Its emblem, an SVG or PNG of at most 64 kB, at the sign-in and on the public pages; in containers each
    that has this setting must find the file."""
    city_bounds: OptionalBounds = Field(None, validate_default=True)
    """The city's southern, western, northern and eastern bounds in degrees: what citizens report by the app
    lies within. Empty: as the city's file says."""
    districts_file: OptionalPath = None
    """GeoJSON of the districts, each with its number as `district`; without one the map is schematic."""
    map_tiles: str = Field("", max_length=500)
    """The city's own ground map: a PMTiles file, or a tile server's address with {z}, {x} and {y}
    (https://tiles.example/{z}/{x}/{y}.png). Empty: the map is schematic, and nothing comes from elsewhere."""
    map_attribution: str = Field("", max_length=200)
    """Whose map that is, as its licence wants it said; empty: what the PMTiles file says of itself, else
    © OpenStreetMap contributors."""
    working_days: Days = (*("sat", "sun", "mon", "tue", "wed"),)
    """On which days of the week the city's offices work; the timetable's holidays are none of them."""
    working_hours: Hours = WorkingHours(time(7, 30), time(14, 30))
    """When they work on such a day, in the city's own time: due dates of requests are counted in it."""
    timetable_days: int = Field(28, ge=1, le=366)
    """The timetable's rounds are made so many days ahead."""
    figures_least: int = Field(5, ge=1, le=1000)
    """Public figures of fewer requests than this are not shown: they would tell of one person."""
    data_licence: str = Field("CC BY 4.0", max_length=100)
    """Under which licence anybody may use the public figures and the public list; empty: none is stated."""
    data_licence_url: str = Field(
        "https://creativecommons.org/licenses/by/4.0/", pattern=r"^(https?://[!#-;=?-~]+)?$", max_length=300
    )
    """Where that licence is to be read."""
    public_url: str = Field("", pattern=r"^(https?://[^\s/]+(/[^\s?#]*)?)?$")
    """Where citizens find the public pages, for links; http://HOTLINE_HTTP if empty."""
    android_app: str = Field(
        "", pattern=r"^([A-Za-z][\w.]+( ([0-9A-F]{2}:){31}[0-9A-F]{2})+)?$", max_length=1000
    )
    """The citizens' app in a store: its package and the SHA-256 fingerprints of its certificates, with spaces
    between (ir.example.app 0A:1B:…), said at /.well-known/assetlinks.json; empty: there is none."""
    jurisdiction: str = Field("", pattern=r"^[0-9A-Za-z.-]*$", max_length=100)
    """What Open311 calls this city in `jurisdiction_id`, by custom its website: city.example. Another one is
    not found; empty: whatever is asked for is this city."""
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
