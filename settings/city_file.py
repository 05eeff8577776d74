"""The city: its names, its look, its districts, offices and departments, as one TOML file describes them.

Isfahan's, city.toml, is the sample that comes along. What is a city's stands there, and in no code.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from settings.colours import READABLE, contrast, readable

SAMPLE = Path(__file__).parents[1] / "city.toml"
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

    @field_validator("bounds")
    @classmethod
    def _in_order(cls, value: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        south, west, north, east = value
        if not (-90 <= south < north <= 90 and west < east):
            raise ValueError("bounds must be [south, west, north, east] in degrees")
        return value


class Look(_Part):
    """The city's colour, written #0b6f77; empty: the pages' own turquoise."""

    accent: Annotated[str, StringConstraints(to_lower=True, pattern=r"^(#[0-9a-f]{6})?$")] = ""

    @field_validator("accent")
    @classmethod
    def _is_read(cls, value: str) -> str:
        if value and (found := contrast(value, PAGE)) < READABLE:
            raise ValueError(
                f"accent cannot be read on the pages: its contrast is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {readable(value, PAGE, '#000000')}"
            )
        return value


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

    def name(self, language: str) -> str:
        """What the city is called."""
        return self.city.name_fa if language == "fa" else self.city.name_en

    def municipality(self, language: str) -> str:
        """What its municipality is called."""
        return self.city.municipality_fa if language == "fa" else self.city.municipality_en

    def spoken(self, language: str) -> str:
        """The city's name for a voice."""
        return (self.city.spoken_fa if language == "fa" else self.city.spoken_en) or self.name(language)


def parse(text: str, clips: Sequence[str] = ()) -> City:
    """The city that a file's text describes; `clips`: those there are, if they are looked at.

    Raises CityError, which names all that is wrong.
    """
    if len(text) > _LARGEST:
        raise CityError(f"longer than {_LARGEST} characters")
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CityError(f"no TOML: {error}") from None
    except RecursionError:
        raise CityError("no TOML: nested too deeply") from None
    city, wrong = None, []
    try:
        city = City.model_validate(given)
        given = city.model_dump()
    except ValidationError as error:
        wrong = [_explained(each) for each in error.errors()]
    wrong += _wrong_together(given, clips)
    if wrong or city is None:
        raise CityError("\n".join(wrong))
    return city


def read(path: Path, clips: Sequence[str] = ()) -> City:
    """The city of this file; read again when it has changed. Raises CityError like `parse`."""
    try:
        about = path.stat()
        return _read(path, about.st_mtime_ns, about.st_size, tuple(clips))
    except OSError as error:
        raise CityError(error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise CityError("no UTF-8") from None


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
def _read(path: Path, _changed_at: int, size: int, clips: tuple[str, ...]) -> City:
    if size > 4 * _LARGEST:
        raise CityError(f"longer than {_LARGEST} characters")
    return parse(path.read_text("utf-8-sig"), clips)  # Windows writes a mark before the first sign


def _wrong_together(given: Mapping[str, Any], clips: Sequence[str]) -> Iterator[str]:
    """What is wrong of several entries at once; each by itself may be wrong, too, and is left out then."""
    offices, districts, departments = (
        [each for each in entries if isinstance(each, dict)] if isinstance(entries, list | tuple) else []
        for entries in (given.get(name) for name in ("offices", "districts", "departments"))
    )
    numbers = [n for n in _of(districts, "number", int) if 1 <= n <= MOST_DISTRICTS]
    has_gap = len(numbers) == len(districts) and sorted(numbers) != list(range(1, len(numbers) + 1))
    if has_gap or _twice(numbers):
        yield "districts are numbered from 1 on, without a gap, and each once"
    if _twice([str(list(tile)) for tile in _of(districts, "tile", list | tuple)]):
        yield "districts: two lie on one tile"
    if offices and _of(offices, "kind", str).count("mayor") != 1:
        yield "offices: there is one mayor"
    said = _of(offices, "clip", str)
    for name, values in (
        ("offices: a clip", said),
        ("departments: a name", _of(departments, "name_fa", str)),
        ("departments: a name", _of(departments, "name_en", str)),
    ):
        if _twice(values):
            yield f"{name} stands there twice"
    if clips and (unknown := [clip for clip in said if clip not in clips]):
        yield f"offices: no such clip as {', '.join(unknown)}; there are: {', '.join(clips)}"


def _of(entries: Sequence[Mapping[str, Any]], name: str, kind: Any) -> list[Any]:
    return [each[name] for each in entries if isinstance(each.get(name), kind)]


def _twice(values: Sequence[Any]) -> bool:
    return len(set(values)) < len(values)


def _explained(error: Any) -> str:
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    said = error["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else said
