"""Open311's parameters. An empty parameter counts as not sent."""

import re
from datetime import UTC, datetime
from math import isfinite

from api.open311.clients import Fields
from api.open311.services import QUESTION
from db import models
from hotline.dates import Language
from hotline.errors import Refused
from hotline.requests.open311.submissions import Brought
from hotline.requests.places import Point

_ATTRIBUTE = re.compile(r"attribute\[(.*)\]", re.DOTALL)
_STATES = {"open": True, "closed": False}


def read_needed(form: Fields, name: str) -> str:
    """Return the field. Raises Refused("invalid-input") if it is empty."""
    if not (value := form.get(name, "").strip()):
        raise Refused("invalid-input", f"{name} was not provided")
    return value


def read_description(form: Fields, category: models.Category, language: Language) -> Brought:
    """Return a program's description of a problem. Raises Refused("invalid-input" | "answers-unasked")."""
    place = form.get("address_string", "").strip()
    point = _point(form.get("lat", "").strip(), form.get("long", "").strip())
    if not place and point is None and form.get("address_id", "").strip():
        raise Refused("invalid-input", "address_id is known of none; send lat and long, or address_string")
    return Brought(
        service=category.code,
        text=form.get("description", ""),
        answers=_answers(form, category),
        point=point,
        place=place,
        phone=form.get("phone", ""),
        language=language,
    )


def split_at_commas(text: str) -> list[str]:
    """Split a text at its commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def is_open(status: str) -> bool | None:
    """Return whether open requests are asked for; None: open and closed ones. Raises
    Refused("invalid-input").
    """
    asked = {part.lower() for part in split_at_commas(status)}
    if not asked <= _STATES.keys():
        raise Refused("invalid-input", "status is open, closed, or both")
    return _STATES[asked.pop()] if len(asked) == 1 else None


def count(text: str, default: int, most: int, name: str) -> int:
    """Parse a page's number or size. Raises Refused("invalid-input")."""
    value = int(text) if text else default
    if not 1 <= value <= most:
        raise Refused("invalid-input", f"{name} is 1 to {most}")
    return value


def parse_moment(text: str, name: str) -> datetime:
    """Parse a time with its zone. Raises Refused("invalid-input")."""
    try:
        # An unescaped plus has become a space.
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if at.tzinfo is None or not 2000 < at.year < 3000:
            raise ValueError
        return at.astimezone(UTC)
    except ValueError:
        raise Refused("invalid-input", f"{name} is written 2026-11-28T09:00:00+03:30") from None


def _point(latitude: str, longitude: str) -> Point | None:
    if not latitude and not longitude:
        return None
    if not latitude or not longitude:
        raise Refused("invalid-input", "lat and long go together")
    try:
        point = Point(float(latitude), float(longitude))
    except ValueError:
        raise Refused("invalid-input", "lat and long are numbers") from None
    if not all(map(isfinite, point)):
        raise Refused("invalid-input", "lat and long are numbers")
    return point


def _answers(form: Fields, category: models.Category) -> list[str]:
    """Return the answers in the order of the questions. Raises Refused("answers-unasked")."""
    answers = [""] * len(category.questions)
    places = {QUESTION.format(place): place - 1 for place in range(1, len(answers) + 1)}
    for name, value in form.items():
        if not (found := _ATTRIBUTE.fullmatch(name)) or not value.strip():
            continue
        if found[1] not in places:
            raise Refused("answers-unasked", "an attribute that this service does not have")
        answers[places[found[1]]] = value
    return answers
