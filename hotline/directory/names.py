"""User names of the directory in one form: one account for each person, and no two similar names."""

import re
import unicodedata

from hotline.numbers import convert_digits

LONGEST = 64
_PERSIAN = {0x064A: 0x06CC, 0x0649: 0x06CC, 0x0643: 0x06A9, 0x0629: 0x0647}
"""Arabic letters that have a Persian form."""
_LATIN = re.compile(r"[a-z0-9][a-z0-9._@-]*")
_MARKS = frozenset("._@-")


def normalize(username: str) -> str:
    """Return the name in lower case, with Persian letters and Latin digits; empty if it is not valid here.

    All its letters are of one script, Latin or Persian, so that a similar letter makes no second `admin`.
    """
    name = unicodedata.normalize("NFKC", username.strip()).casefold().translate(_PERSIAN)
    name = convert_digits(name)
    fits = _LATIN.fullmatch(name) or (all(map(_is_persian, name)) and any(map(str.isalpha, name)))
    return name if fits and len(name) <= LONGEST else ""


def _is_persian(each: str) -> bool:
    is_letter = unicodedata.name(each, "").startswith("ARABIC LETTER ")
    return is_letter or each in _MARKS or (each.isascii() and each.isdigit())
