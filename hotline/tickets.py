"""Ticket and tracking numbers: random digits and Damm's check digit, which detects typing errors.

The two have different lengths, so that neither is mistaken for the other. Older numbers, one digit shorter,
stay valid. No ticket number is an old tracking number: its check digit also covers a leading 1 that is not
spoken.
"""

import secrets
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session
from stdnum import damm
from stdnum.exceptions import ValidationError

from hotline.errors import Refused
from hotline.numbers import convert_digits


class Kind(NamedTuple):
    """A kind of number: its length, and the unspoken digits that its check digit covers."""

    length: int
    unsaid: str


TICKET = Kind(8, "1")
TRACKING = Kind(9, "")

_DRAWS = 3
_NEIGHBOURS = 1000
_PLACES = 200


def draw(kind: Kind = TICKET) -> str:
    """Return a random number; the table's index decides whether it is unique."""
    return _whole(kind, secrets.randbelow(10 ** (kind.length - 1)))


def offer_numbers(session: Session, column: InstrumentedAttribute[str], kind: Kind = TICKET) -> Iterator[str]:
    """Yield numbers to try until the `column` accepts one; after the last one, all are used up.

    Random numbers come first; then, because few seem to be left, numbers missing from the column.
    """
    for _ in range(_DRAWS):
        yield draw(kind)
    for _ in range(_PLACES):
        first = secrets.randbelow(10 ** (kind.length - 1) // _NEIGHBOURS) * _NEIGHBOURS
        near = [_whole(kind, first + place) for place in range(_NEIGHBOURS)]
        left = set(near) - set(session.scalars(select(column).where(column.between(near[0], near[-1]))))
        if left:
            yield secrets.choice(sorted(left))


def parse(text: str, kind: Kind = TICKET) -> str:
    """Return the number of this kind that a person typed or keyed in, in any script's digits.

    Damm's algorithm detects every single wrong digit and every swap of neighbours. Raises
    Refused("ticket-invalid").
    """
    number = "".join(convert_digits(text).split())
    unsaid = {kind.length: kind.unsaid, kind.length - 1: ""}.get(len(number))
    try:
        if unsaid is not None and number.isascii() and damm.validate(unsaid + number):
            return number
    except ValidationError:
        pass
    raise Refused("ticket-invalid", f"such a number has {kind.length} digits, the last one a check digit")


def is_tracking(text: str) -> bool:
    """Return whether this is a valid tracking number; then it is no ticket number."""
    try:
        return bool(parse(text, TRACKING))
    except Refused:
        return False


def _whole(kind: Kind, digits: int) -> str:
    said = f"{digits:0{kind.length - 1}}"
    return said + damm.calc_check_digit(kind.unsaid + said)
