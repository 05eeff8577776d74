"""The city's file: its names, look, districts, offices and departments, in TOML.

Isfahan's city.toml comes along as the sample. Facts about one city stand in such a file, never in code.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    field_validator,
)

from settings import toml_files
from settings.city_keys import CityKeys
from settings.colours import READABLE, make_readable, measure_contrast
from settings.toml_files import OLD_NAMES

SAMPLE = Path(__file__).parents[1] / "city.toml"
MOST_DISTRICTS = 40
"""The most districts that the tables take; the city's file says how many there are."""
PAGE = "#f5f3ee"
"""The pages' background (web/src/tokens.css). A colour that is readable on it is readable on white, too."""
EMBLEM = ("emblem.webp", "emblem.png")
"""Allowed names of the emblem beside the city's file."""
_LARGEST = 1 << 18
LARGEST_EMBLEM = 1 << 16
_TO_DESIGN = r"^[^\x00-\x1f\x7f<>{}*\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
"""No control characters and no markup: the text stands on pages and in text messages, and is spoken."""

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_TO_DESIGN)
]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class CityError(Exception):
    """The file describes no city; the text names every error."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Part):
    """Names of the city and its municipality; `spoken` is the name for a voice (prompts/fa.toml)."""

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
    """The city's colour, written #0b6f77, and its emblem's file beside the city's.

    Empty: the pages' own turquoise, and an emblem of EMBLEM.
    """

    accent: Annotated[str, StringConstraints(to_lower=True, pattern=r"^(#[0-9a-f]{6})?$")] = ""
    emblem: Annotated[str, StringConstraints(pattern=r"^([\w-]+\.(svg|png|webp))?$")] = ""

    @field_validator("accent")
    @classmethod
    def _is_read(cls, value: str) -> str:
        if value and (found := measure_contrast(value, PAGE)) < READABLE:
            raise ValueError(
                f"accent cannot be read on the pages: its contrast is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {make_readable(value, PAGE, '#000000')}"
            )
        return value


class Office(_Part):
    """An office beside those of the districts' managers; `clip` names its prompt (prompts/fa.toml)."""

    kind: Literal["mayor", "deputy"]
    name_fa: Text
    name_en: Text
    clip: Annotated[str, StringConstraints(pattern=r"^office-[a-z-]{1,60}$")]


class District(_Part):
    """A district: its manager's office, and its column and row on the schematic map."""

    number: int = Field(ge=1, le=MOST_DISTRICTS)
    name_fa: Text
    name_en: Text
    tile: tuple[Annotated[int, Field(ge=0, le=9)], Annotated[int, Field(ge=0, le=9)]]


class Department(_Part):
    """A department, to which requests are referred."""

    name_fa: Text
    name_en: Text


class City(_Part):
    """The whole file."""

    city: Names
    look: Look = Look()
    offices: tuple[Office, ...] = Field(max_length=30)
    districts: tuple[District, ...] = Field(min_length=1, max_length=MOST_DISTRICTS)
    departments: tuple[Department, ...] = Field((), max_length=200)
    _settings: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings in the file's other tables, by name; each process reads them at its start."""
        return self._settings

    def name(self, language: str) -> str:
        """Return the city's name."""
        return self.city.name_fa if language == "fa" else self.city.name_en

    def municipality(self, language: str) -> str:
        """Return the municipality's name."""
        return self.city.municipality_fa if language == "fa" else self.city.municipality_en

    def spoken(self, language: str) -> str:
        """Return the city's name for a voice."""
        return (self.city.spoken_fa if language == "fa" else self.city.spoken_en) or self.name(language)


def parse(text: str, clips: Sequence[str] = (), folder: Path = Path()) -> City:
    """Parse a city's file. `clips` are the recorded offices' prompts; without them, names of prompts are not
    checked. Relative paths begin at `folder`.

    Raises CityError, which names every error.
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
    others = {name: given.pop(name) for name in [*given] if name not in City.model_fields}
    settings: dict[str, Any] = {}
    try:
        settings = toml_files.read_values("city", others, folder)
        CityKeys.model_validate(settings)
    except ValidationError as error:
        keys = {name: key for name, (_, key) in OLD_NAMES.items()}
        wrong += [_explained({**each, "loc": [keys[str(each["loc"][0])]]}) for each in error.errors()]
    except ValueError as error:
        wrong += str(error).splitlines()
    try:
        city = City.model_validate(given)
        city._settings = settings
        if emblem := city.look.emblem:
            wrong += _wrong_emblem(folder / emblem)
        given = city.model_dump()
    except ValidationError as error:
        wrong += [_explained(each) for each in error.errors()]
    wrong += _wrong_together(given, clips)
    if wrong or city is None:
        raise CityError("\n".join(wrong))
    return city


def read(path: Path, clips: Sequence[str] = ()) -> City:
    """Read the city from this file, again whenever the file has changed. Raises CityError like `parse`."""
    try:
        about = path.stat()
        return _read(path, about.st_mtime_ns, about.st_size, tuple(clips))
    except OSError as error:
        raise CityError(error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise CityError("no UTF-8") from None


def load_valid_city(path: Path) -> City:
    """Return the city from this file, or its last valid version if the file is broken now.

    Raises CityError if this process has read no valid version.
    """
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
    text = path.read_text("utf-8-sig")  # Windows writes a byte order mark
    return parse(text, clips, path.parent.absolute())


def _wrong_emblem(path: Path) -> Iterator[str]:
    if not (path.is_file() and path.stat().st_size <= LARGEST_EMBLEM):
        yield f"look.emblem: {path} must be a file of at most {LARGEST_EMBLEM} bytes"


def _wrong_together(given: Mapping[str, Any], clips: Sequence[str]) -> Iterator[str]:
    """Yield the errors that concern several entries together; skips entries that are wrong by themselves."""
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
