"""Ticket numbers: six random digits and a check digit (Damm's), so that a slip of a finger is caught."""

import secrets

from stdnum import damm
from stdnum.exceptions import ValidationError

from hotline.errors import Refused
from hotline.numbers import ascii_digits

LENGTH = 7


def draw(length: int = LENGTH) -> str:
    """A random number of `length` digits. Its uniqueness is the table's to decide."""
    payload = f"{secrets.randbelow(10 ** (length - 1)):0{length - 1}}"
    return payload + damm.calc_check_digit(payload)


def parse(text: str, length: int = LENGTH) -> str:
    """The number of `length` digits a person typed or keyed in, in any script's digits: a ticket number.

    Damm's algorithm catches every single wrong digit and every swap of neighbours.
    Raises Refused("ticket-invalid").
    """
    ticket = "".join(ascii_digits(text).split())
    try:
        if len(ticket) == length and ticket.isascii() and damm.validate(ticket):
            return ticket
    except ValidationError:
        pass
    raise Refused("ticket-invalid", f"such a number has {length} digits, the last one a check digit")
