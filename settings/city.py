"""The city: its file, its public address, sample data."""

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from settings import city_file
from settings.city_file import PAGE
from settings.colours import READABLE, make_readable, measure_contrast
from settings.part import Part
from settings.values import (
    OptionalBounds,
    OptionalPath,
)


def find_city_file(named: Path | None, state_dir: Path | None) -> Path:
    """Return the named file, else the one chosen at the first visit, else the sample."""
    chosen = (state_dir or Path("var")) / "city" / "city.toml"
    return named or (chosen if chosen.is_file() else city_file.SAMPLE)


class OfCity(Part):
    """The city: its file, its public address, sample data."""

    city: OptionalPath = Field(None, validate_default=True)
    """The TOML file that describes the city: its names, look, districts, offices
    (docs/operate/first-visit.md). Empty: the one chosen at the first visit, else Isfahan's, the sample."""
    city_accent: str = Field("", pattern=r"^(#[0-9A-Fa-f]{6})?$")
    """The city's colour, for buttons and selected items, written #0b6f77. Empty: turquoise. A
    colour with too little contrast is refused."""
    city_emblem: OptionalPath = None
    """The emblem on the sign-in and the public pages. It is an SVG, PNG or WebP of at most 64 kB beside the
    city's file. Empty: emblem.webp or emblem.png beside it, if there is one."""
    city_bounds: OptionalBounds = Field(None, validate_default=True)
    """The city's southern, western, northern and eastern bounds in degrees. A location reported in the app
    must lie within them."""
    public_url: str = Field("", pattern=r"^(https?://[^\s/]+(/[^\s?#]*)?)?$")
    """The public pages' address, for links. Empty: http://HOTLINE_HTTP."""
    sample: bool = False
    """Fill an empty database with sample data."""

    @field_validator("city_accent")
    @classmethod
    def _accent(cls, value: str) -> str:
        if value and (found := measure_contrast(value, PAGE)) < READABLE:
            raise ValueError(
                f"cannot be read on the pages: its contrast with them is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {make_readable(value, PAGE, '#000000')}"
            )
        return value.lower()

    @field_validator("city_emblem")
    @classmethod
    def _emblem(cls, value: Path | None) -> Path | None:
        if value and value.suffix not in (".svg", ".png"):
            raise ValueError("must be a file that ends with .svg or .png")
        if value and not (value.is_file() and value.stat().st_size <= city_file.LARGEST_EMBLEM):
            raise ValueError(f"must be a file of at most {city_file.LARGEST_EMBLEM} bytes")
        return value

    @field_validator("city")
    @classmethod
    def _city(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        path = find_city_file(value, others.data.get("state_dir"))
        try:
            city_file.read(path)
        except city_file.CityError as error:
            raise ValueError(f"{path}: {'; '.join(str(error).splitlines())}") from None
        return value.absolute() if value else None
