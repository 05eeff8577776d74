"""The city's own settings in its file: map, office hours, public data, requests, retention."""

import re
from datetime import time

from pydantic import Field, field_validator

from settings.part import Part
from settings.values import Days, Hours, OptionalPath, WorkingHours

_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!#-&(-:=?-\[\]-~]*")


class CityKeys(Part):
    """The city's own: map, office hours, public data, requests, retention."""

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
    android_app: str = Field(
        "", pattern=r"^([A-Za-z][\w.]+( ([0-9A-F]{2}:){31}[0-9A-F]{2})+)?$", max_length=1000
    )
    """The citizens' app in a store: its package, then the SHA-256 fingerprints of its certificates
    (ir.example.app 0A:1B:…). Served at /.well-known/assetlinks.json. Empty: there is no app."""
    jurisdiction: str = Field("", pattern=r"^[0-9A-Za-z.-]*$", max_length=100)
    """The city's Open311 `jurisdiction_id`, by custom its website: city.example. A query for another one gets
    "not found". Empty: every query means this city."""
    request_answer_days: int = Field(7, ge=1, le=365)
    """Days that a citizen has to answer whether a request is solved; then it is closed."""
    pass_days: int = Field(14, ge=1, le=365)
    """Days for which a link works that passes a request to an agency outside the city."""
    reports_per_day: int = Field(10, ge=1, le=1000)
    """Requests that one number may report in the app in 24 hours."""
    recordings_days: int = Field(90, ge=1, le=3650)
    """Days until a recorded conversation is deleted."""
    voice_messages_days: int = Field(90, ge=1, le=3650)
    """Days until a citizen's voice message is deleted, once its place or request is over."""
    pictures_days: int = Field(400, ge=1, le=3650)
    """Days until a request's pictures are deleted, once the request is over."""
    requests_days: int = Field(730, ge=31, le=3650)
    """Days after its end until a request loses its number, words, location and pictures. Its state, its dates
    and the office's replies stay."""
    messages_days: int = Field(180, ge=31, le=3650)
    """Days until a sent text message is deleted."""
    events_days: int = Field(400, ge=31, le=3650)
    """Days until events are deleted, since they tell a person's day. The ledger is never deleted."""

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
