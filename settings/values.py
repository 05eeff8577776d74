"""Types of settings: how each is written, and what is refused."""

import base64
import json
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from settings.addresses import Address, Node, parse_address, parse_nodes


class SettingsError(Exception):
    """A setting is wrong; the text names each wrong one and says what is right."""


CITY = ZoneInfo("Asia/Tehran")
"""The city's own time zone."""


class PortRange(NamedTuple):
    """An inclusive range of UDP ports, written first-last."""

    first: int
    last: int


class WorkingHours(NamedTuple):
    """The office hours of each working day."""

    begin: time
    end: time


class WorkingWeek(NamedTuple):
    """The city's working days (Monday is 0) and their office hours."""

    days: frozenset[int]
    hours: WorkingHours


class QuietHours(NamedTuple):
    """Hours in which nobody is disturbed, in the city's own time; written 22:00-08:00."""

    begin: time
    end: time


class Bounds(NamedTuple):
    """The city's bounds in degrees, written south,west,north,east."""

    south: float
    west: float
    north: float
    east: float

    def __str__(self) -> str:
        return ",".join(f"{each:g}" for each in self)


PORT = re.compile(r"[0-9]{1,5}")


_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


URL = r"^(https?://[^\s/?#]+[^\s?#]*)?$"


def is_safe(url: str) -> bool:
    """Return whether nobody on the way can read or change the traffic: https, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


PATH = re.compile(r"[^\x00-\x1f;,$&\[\]{}\"\\]+")


def _port_range(value: Any) -> PortRange:
    if isinstance(value, PortRange):
        return value
    first, _, last = str(value).partition("-")
    if not (PORT.fullmatch(first) and PORT.fullmatch(last) and 1023 < int(first) < int(last) < 65536):
        raise ValueError("must be first-last, for example 10000-10999")
    return PortRange(int(first), int(last))


def _quiet_hours(value: Any) -> QuietHours:
    if isinstance(value, QuietHours):
        return value
    begin, _, end = str(value).partition("-")
    if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end)):
        raise ValueError("must be from-until, for example 22:00-08:00, or 00:00-00:00 for never")
    return QuietHours(time.fromisoformat(begin), time.fromisoformat(end))


def _working_days(value: Any) -> Any:
    days = split_words(value)
    if not days or not set(days) <= set(WEEK):
        raise ValueError(f"must be days of {', '.join(WEEK)}")
    return days


def _working_hours(value: Any) -> Any:
    if isinstance(value, WorkingHours):
        return value
    begin, _, end = str(value).partition("-")
    if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end) and begin < end):
        raise ValueError("must be from-until on one day, for example 07:30-14:30")
    return WorkingHours(time.fromisoformat(begin), time.fromisoformat(end))


def _bounds(value: Any) -> Bounds | None:
    if isinstance(value, Bounds) or not value:
        return value or None
    try:
        south, west, north, east = map(float, str(value).split(","))
    except ValueError:
        south = west = north = east = 0.0
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise ValueError("must be south,west,north,east in degrees, for example 32.3,51.2,33.0,52.2")
    return Bounds(south, west, north, east)


def split_words(value: Any) -> Any:
    """Split words at commas or spaces."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _amounts(value: Any) -> Any:
    try:
        read = json.loads(value or "{}") if isinstance(value, str) else value
    except ValueError:
        read = None
    amounts = read.values() if isinstance(read, dict) else [None]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in amounts):
        raise ValueError('must be JSON with numbers, like {"name": 500000}')
    return read


def _texts(value: Any) -> Any:
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(part, str) for part in read.values()):
        raise ValueError('must be a JSON object of texts, for example {"to": "{to}", "text": "{text}"}')
    return read


def _voice_files(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(language.strip() and path.strip() for language, _, path in pairs):
        raise ValueError("must be language=file, for example fa=/srv/voices/fa.onnx,en=/srv/voices/en.onnx")
    return {language.strip(): path.strip() for language, _, path in pairs}


def check_signing_secret(value: str) -> str:
    """Return a signing secret as standardwebhooks.com defines it. Raises ValueError."""
    try:
        length = len(base64.b64decode(value.removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not 24 <= length <= 64:
        raise ValueError("must be whsec_ and 24 to 64 bytes in base64 (openssl rand -base64 32)")
    return value


HostPort = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
Nodes = Annotated[tuple[Node, ...], NoDecode, BeforeValidator(parse_nodes)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_words)]
Roles = Annotated[
    tuple[
        Literal[
            "operator",
            "official",
            "supervisor",
            "public_relations",
            "administrator",
            "auditor",
            "department",
        ],
        ...,
    ],
    NoDecode,
    BeforeValidator(split_words),
]
Texts = Annotated[dict[str, str], NoDecode, BeforeValidator(_texts)]
Amounts = Annotated[dict[str, float], NoDecode, BeforeValidator(_amounts)]
VoiceFiles = Annotated[dict[str, Path], NoDecode, BeforeValidator(_voice_files)]


OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
Ports = Annotated[PortRange, NoDecode, BeforeValidator(_port_range)]
Quiet = Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)]
Days = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_working_days)]
Hours = Annotated[WorkingHours, NoDecode, BeforeValidator(_working_hours)]
OptionalBounds = Annotated[Bounds | None, NoDecode, BeforeValidator(_bounds)]
