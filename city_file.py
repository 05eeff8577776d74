"""The city: its names, its look, its districts, offices and departments, as one TOML file describes them.

Isfahan's, city.toml, is the sample that comes along. What is a city's stands there, and in no code.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from colours import READABLE, contrast, readable

SAMPLE = Path(__file__).with_name("city.toml")
MOST_DISTRICTS = 40
"""What the tables take; how many there are, the city's file says."""
PAGE = "#f5f3ee"
"""What the pages lie on (web/src/tokens.css); a colour that is read on it is read on white, too."""
EMBLEM = ("emblem.webp", "emblem.png")
"""What the emblem beside the file may be called."""
_LARGEST = 1 << 18
_TO_DESIGN = r"^[^\x00-\x1f\x7f<>{}*\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
"""It is read on pages, spoken, and stands in text messages: no signs that mean something to a program."""

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_TO_DESIGN)
]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class CityError(Exception):
    """The file describes no city; the text names each thing that is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Part):
    """What city and municipality are called; `spoken` is the name for a voice (prompts/fa.toml)."""

    name_fa: Text
    name_en: Text
    municipality_fa: Text
    municipality_en: Text
    spoken_fa: Text | None = None
    spoken_en: Text | None = None
    area_code: Annotated[str, StringConstraints(pattern=r"^0[1-9][0-9]$")]
    bounds: tuple[Degrees, Degrees, Degrees, Degrees]
    """South, west, north, east."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        south, west, north, east = self.bounds
        if not (-90 <= south < north <= 90 and west < east):
            raise ValueError("bounds must be [south, west, north, east] in degrees")
        return self


class Look(_Part):
    """The city's colour, written #0b6f77; empty: the pages' own turquoise."""

    accent: Annotated[str, StringConstraints(to_lower=True, pattern=r"^(#[0-9a-f]{6})?$")] = ""

    @model_validator(mode="after")
    def _is_read(self) -> Self:
        if self.accent and (found := contrast(self.accent, PAGE)) < READABLE:
            raise ValueError(
                f"accent cannot be read on the pages: its contrast is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {readable(self.accent, PAGE, '#000000')}"
            )
        return self


class Office(_Part):
    """Who answers citizens beside the districts' managers; `clip` is what a voice says (prompts/fa.toml)."""

    kind: Literal["mayor", "deputy"]
    name_fa: Text
    name_en: Text
    clip: Annotated[str, StringConstraints(pattern=r"^office-[a-z-]{1,60}$")]


class District(_Part):
    """A district, the names of its manager's office, and where the schematic map has it: column and row."""

    number: int = Field(ge=1, le=MOST_DISTRICTS)
    name_fa: Text
    name_en: Text
    tile: tuple[Annotated[int, Field(ge=0, le=9)], Annotated[int, Field(ge=0, le=9)]]


class Department(_Part):
    """To which requests are referred."""

    name_fa: Text
    name_en: Text


class City(_Part):
    """All of it."""

    city: Names
    look: Look = Look()
    offices: tuple[Office, ...] = Field(max_length=30)
    districts: tuple[District, ...] = Field(min_length=1, max_length=MOST_DISTRICTS)
    departments: tuple[Department, ...] = Field((), max_length=200)

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        numbers = [district.number for district in self.districts]
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            raise ValueError("districts are numbered from 1 on, without a gap, and each once")
        if len({district.tile for district in self.districts}) < len(numbers):
            raise ValueError("districts: two lie on one tile")
        if [office.kind for office in self.offices].count("mayor") != 1:
            raise ValueError("offices: there is one mayor")
        for name, values in (
            ("offices: a clip", [office.clip for office in self.offices]),
            ("departments: a name", [department.name_fa for department in self.departments]),
            ("departments: a name", [department.name_en for department in self.departments]),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} stands there twice")
        return self

    def name(self, language: str) -> str:
        """What the city is called."""
        return self.city.name_fa if language == "fa" else self.city.name_en

    def municipality(self, language: str) -> str:
        """What its municipality is called."""
        return self.city.municipality_fa if language == "fa" else self.city.municipality_en

    def spoken(self, language: str) -> str:
        """The city's name for a voice."""
        return (self.city.spoken_fa if language == "fa" else self.city.spoken_en) or self.name(language)


def parse(text: str) -> City:
    """The city that a file's text describes. Raises CityError."""
    if len(text) > _LARGEST:
        raise CityError(f"longer than {_LARGEST} characters")
    try:
        return City.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CityError(f"no TOML: {error}") from None
    except RecursionError:
        raise CityError("no TOML: nested too deeply") from None
    except ValidationError as error:
        raise CityError("\n".join(_explained(each) for each in error.errors())) from None


def read(path: Path) -> City:
    """The city of this file; read again when it has changed. Raises CityError."""
    try:
        about = path.stat()
        return _read(path, about.st_mtime_ns, about.st_size)
    except OSError as error:
        raise CityError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CityError(f"{path}: no UTF-8") from None


def now(path: Path) -> City:
    """What `read` says; of a file that was spoilt meanwhile what it said last. Raises CityError."""
    try:
        _last[path] = read(path)
    except CityError:
        if path not in _last:
            raise
    return _last[path]


_last: dict[Path, City] = {}


@lru_cache(maxsize=4)
def _read(path: Path, _changed_at: int, size: int) -> City:
    if size > 4 * _LARGEST:
        raise CityError(f"longer than {_LARGEST} characters")
    return parse(path.read_text("utf-8-sig"))  # Windows writes a mark before the first sign


def _explained(error: Any) -> str:
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    said = error["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else said
