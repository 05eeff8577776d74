"""The copy of a picture that everybody may see: what a person has drawn over is not in it."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from hotline.errors import Refused
from hotline.pictures.decoding import Plain

MOST = 40
"""Areas of a picture."""
_BLOCK, _BESIDE = 16, 2
"""A JPEG mixes the pixels of so large a square, and its colours with so many beside it: all of that is
hidden with an area that touches it."""
_GREY = (120, 120, 120)
_QUALITY = 80


class Area(NamedTuple):
    """Of the picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int


def check(areas: Sequence[Area], width: int, height: int) -> None:
    """Raises Refused("area-outside" | "too-many-areas")."""
    if len(areas) > MOST:
        raise Refused("too-many-areas", f"at most {MOST} areas of a picture", "pictures")
    for each in areas:
        inside = each.left >= 0 and each.top >= 0 and each.width > 0 and each.height > 0
        if not inside or each.left + each.width > width or each.top + each.height > height:
            raise Refused("area-outside", "an area lies beside the picture", "pictures")


def copy(data: bytes, areas: Sequence[Area]) -> Plain:
    """The picture anew, from its pixels alone: the areas are one grey, whatever was there.

    The same areas make the same file. Raises what `check` does, and Refused("picture-broken").
    """
    from PIL import Image  # noqa: PLC0415  (large, and needed only here)

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as file:
            pixels = Image.new("RGB", file.size)
            pixels.paste(file.convert("RGB"))
    except Exception as error:  # Pillow's readers raise whatever a broken file makes of them
        raise Refused("picture-broken", f"it cannot be read: {type(error).__name__}") from None
    check(areas, *pixels.size)
    for each in areas:
        left, top = (begin // _BLOCK * _BLOCK - _BESIDE for begin in each[:2])
        right, bottom = (
            -(-end // _BLOCK) * _BLOCK + _BESIDE for end in (each.left + each.width, each.top + each.height)
        )
        within = max(left, 0), max(top, 0), min(right, pixels.width), min(bottom, pixels.height)
        pixels.paste(_GREY, within)
    made = io.BytesIO()
    pixels.save(made, "JPEG", quality=_QUALITY, optimize=True)
    return Plain(made.getvalue(), *pixels.size)
