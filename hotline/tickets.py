"""Ticket and tracking numbers: random digits and a check digit (Damm's), which catches a slip of a finger.

The two have different lengths, so that neither is taken for the other. Older ones, a digit shorter, stay
right. No ticket number is an old tracking number: its check digit also covers a leading 1 that nobody says.
"""

import secrets
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session
from stdnum import damm
from stdnum.exceptions import ValidationError

from hotline.errors import Refused
from hotline.numbers import ascii_digits


class Kind(NamedTuple):
    """One kind of number: its digits, and what its check digit covers besides."""

    length: int
    unsaid: str


TICKET = Kind(8, "1")
TRACKING = Kind(9, "")

_DRAWS = 3
_NEIGHBOURS = 1000
_PLACES = 200


def draw(kind: Kind = TICKET) -> str:
    """A random number. Its uniqueness is the table's to decide."""
    return _whole(kind, secrets.randbelow(10 ** (kind.length - 1)))


def offers(session: Session, column: InstrumentedAttribute[str], kind: Kind = TICKET) -> Iterator[str]:
    """Numbers to be tried one after the other until the `column` takes one; after the last all are used up.

    Any come first; then, since few seem to be left, such as are not in the column.
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
    """The number of this kind that a person typed or keyed in, in any script's digits.

    Damm's algorithm catches every single wrong digit and every swap of neighbours.
    Raises Refused("ticket-invalid").
    """
    number = "".join(ascii_digits(text).split())
    unsaid = {kind.length: kind.unsaid, kind.length - 1: ""}.get(len(number))
    try:
        if unsaid is not None and number.isascii() and damm.validate(unsaid + number):
            return number
    except ValidationError:
        pass
    raise Refused("ticket-invalid", f"such a number has {kind.length} digits, the last one a check digit")


def is_tracking(text: str) -> bool:
    """Whether this is a tracking number; it is no ticket number then."""
    try:
        return bool(parse(text, TRACKING))
    except Refused:
        return False


def _whole(kind: Kind, digits: int) -> str:
    said = f"{digits:0{kind.length - 1}}"
    return said + damm.calc_check_digit(kind.unsaid + said)
