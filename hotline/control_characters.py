"""Control and direction characters: they are invisible, and can make a line read as something else.

Persian text contains two invisible letters, the joiners ZWNJ and ZWJ: they are allowed.
"""

import re
import unicodedata

from hotline.errors import Refused

_JOINERS = "\u200c\u200d"
_INVISIBLE = {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}
_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def check(line: str) -> str:
    """Return the line, such as a name or a reason. Raises Refused("unfit-characters")."""
    for each in line:
        if _is_invisible(each):
            raise Refused("unfit-characters", f"a character that nobody sees: U+{ord(each):04X}")
    return line


def clean(text: str) -> str:
    """Return a text as it is stored: its line breaks stay, other such characters go."""
    lines = _ENDS.sub("\n", text).replace("\t", " ")
    return "".join(each for each in lines if each == "\n" or not _is_invisible(each))


def _is_invisible(each: str) -> bool:
    return unicodedata.category(each) in _INVISIBLE and each not in _JOINERS
