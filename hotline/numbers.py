"""Telephone numbers: E.164 inside, Iranian habits at the edge."""

import re
import unicodedata
from collections.abc import Sequence

import phonenumbers

from hotline.errors import Refused

_LONGEST = 40  # with brackets, dashes and spaces
_MOBILES, _MOBILE = "+989", len("+989131234567")
_IRAN, _AREA_CODE = "+98", 2
_LANDLINE_LOCAL = 8  # 3221 2345


def convert_digits(text: str) -> str:
    """Return `text` with every script's digits (۱۲۳, ١٢٣) as 0–9; other characters stay."""
    return "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in text)


def parse(text: str, allowed_prefixes: Sequence[str], home: Sequence[str] | None = None) -> str:
    """Return the E.164 form of a number that a person writes or keys in, or that is a caller ID.

    Accepts 0913…, 913…, +98913…, 0098913…, 031…, and eight digits for the city's own lines. Their area code
    is that of the first prefix (of `home`, else allowed) that is no mobile's. Raises
    Refused("number-invalid"), and Refused("number-not-allowed") for a valid number outside
    `allowed_prefixes`.
    """
    if len(text) > _LONGEST:
        raise Refused("number-invalid", "too long for a telephone number")
    digits = "".join(c for c in convert_digits(text) if c.isascii() and (c.isdigit() or c == "+"))
    if len(digits) == _LANDLINE_LOCAL and digits[0] in "23456789":
        digits = _area_code(home or allowed_prefixes) + digits
    if len(digits) == 12 and digits.startswith("98"):
        digits = "+" + digits
    try:
        parsed = phonenumbers.parse(digits, "IR")
    except phonenumbers.NumberParseException as error:
        raise Refused("number-invalid", str(error)) from None
    if not phonenumbers.is_valid_number(parsed):
        raise Refused("number-invalid", "no such telephone number")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not is_allowed(number, allowed_prefixes):
        raise Refused("number-not-allowed", "calls to this prefix are not allowed")
    return number


def _area_code(allowed_prefixes: Sequence[str]) -> str:
    own = (each for each in allowed_prefixes if each.startswith(_IRAN) and not each.startswith(_MOBILES))
    code = next(own, _IRAN).removeprefix(_IRAN)
    return f"0{code}" if len(code) == _AREA_CODE else ""


def parse_caller(caller_id: str, home: Sequence[str]) -> str | None:
    """Return the E.164 number of a caller ID from any country; None if it is invalid.

    `home` are the prefixes that the city calls.
    """
    try:
        return parse(caller_id, "+", home)
    except Refused:
        return None


def parse_desk(text: str, allowed_prefixes: Sequence[str], extensions: Sequence[str]) -> str:
    """Return a desk's telephone: an extension of the PBX (201), or a number as in `parse`.

    Raises what `parse` raises.
    """
    short = convert_digits(text).strip()
    return short if is_extension(short, extensions) else parse(text, allowed_prefixes)


def is_extension(number: str, extensions: Sequence[str]) -> bool:
    """Return whether it is an extension of the PBX, by patterns such as 2XX."""
    return any(re.fullmatch(pattern.replace("X", "[0-9]"), number) for pattern in extensions)


def is_allowed(number: str, allowed_prefixes: Sequence[str]) -> bool:
    """Return whether the E.164 `number` may be dialled. Numbers like Iranian mobiles must be mobiles."""
    if number.startswith(_MOBILES) and not _is_mobile(number):
        return False
    return number.startswith(tuple(allowed_prefixes))


def _is_mobile(number: str) -> bool:
    """Return whether it is a mobile. Short services and pagers have similar prefixes (9686, 0942…)."""
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return len(number) == _MOBILE and kind == phonenumbers.PhoneNumberType.MOBILE


def format_national(number: str) -> str:
    """Return the E.164 `number` as people in Iran write it: 09131234567. Foreign numbers stay unchanged."""
    return "0" + number[3:] if number.startswith("+98") else number


def mask(number: str) -> str:
    """Return the part of the E.164 `number` that a log or list may show: +989…67."""
    return f"{number[:4]}…{number[-2:]}"
