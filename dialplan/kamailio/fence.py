"""Numbers that nodes may dial through the proxy: those that their own dialplans allow
(templates/extensions.conf).
"""

from collections.abc import Iterator

from settings import Settings
from settings.trunks import Trunk

_ABROAD = "+98"


def may_be_dialled(settings: Settings) -> str:
    """Return a pattern of whole numbers, in the form of any of the trunks."""
    found = dict.fromkeys(each for trunk in settings.trunks for each in _by(trunk, settings))
    return f"^({'|'.join(found)})$"


def _by(trunk: Trunk, settings: Settings) -> Iterator[str]:
    short = [settings.urgent_number] if settings.urgent_number else []
    for pattern in (*short, *settings.extensions):
        yield _plain(trunk.prefix) + pattern.replace("X", "[0-9]")
    for prefix in settings.allowed_prefixes:
        left = 13 - len(prefix)
        more = f"[0-9]{{{left}}}" if prefix.startswith("+989") and left >= 0 else "[0-9]+"
        for begins in _begins(prefix, trunk.numbers):
            yield _plain(trunk.prefix + begins) + more


def _begins(prefix: str, numbers: str) -> list[str]:
    """Return how numbers with this prefix are dialled (dialplan/render.py)."""
    match numbers:
        case "digits":
            return [prefix[1:]]
        case "double-zero":
            return [f"00{prefix[1:]}"]
        case "national" if prefix.startswith(_ABROAD):
            return [f"0{prefix[len(_ABROAD) :]}"]
        case "national" if _ABROAD.startswith(prefix):
            return ["0", prefix]
        case _:
            return [prefix]


def _plain(text: str) -> str:
    return text.replace("*", "[*]").replace("+", "[+]")
