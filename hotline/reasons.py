"""Reasons that citizens read: they are published for good, so they are required and must name nobody."""

from hotline import control_characters
from hotline.errors import Refused
from hotline.numbers import convert_digits

LONGEST = 500
_DIGITS = 7
"""Minimum digits of a telephone number, a ticket number or a national code."""


def check(reason: str) -> str:
    """Return the reason as it is published.

    Raises what `control_characters.check` raises, and
    Refused("reason-missing" | "reason-personal" | "reason-long").
    """
    reason = " ".join(reason.split())
    control_characters.check(reason)
    if not reason:
        raise Refused("reason-missing", "say why; citizens read it")
    if sum(c.isdecimal() for c in convert_digits(reason)) >= _DIGITS:
        raise Refused("reason-personal", "no numbers of people: the reason is published for good")
    if len(reason) > LONGEST:
        raise Refused("reason-long", f"at most {LONGEST} characters")
    return reason
