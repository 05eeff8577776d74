"""Draws one picture again with Pillow. Runs in the sandbox, and imports nothing of the project.

Only pixels are kept: location, camera, comments and appended files are dropped. A picture that is too large
is refused by its header, before any pixel is decoded.
"""

import io
import struct
import sys
import warnings
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

PIXELS = {"JPEG": 24_000_000, "PNG": 12_000_000, "WEBP": 12_000_000}
"""Accepted kinds, with the maximum number of pixels of each: about 210 MB of memory at most
(docs/measured.md)."""
SCANS = 200
"""Maximum number of a JPEG's scans. An ordinary one has ten; a hostile one of 8 MB decodes for an hour.
Appended data, such as a film, contain the scan marker by chance: 128 times in 8 MB."""
LONGEST_SIDE = 1600
TOO_MANY_PIXELS, ANIMATED, TOO_MANY_SCANS, HIDES, AREA_OUTSIDE = 3, 4, 5, 6, 7
"""Exit codes of refused pictures."""
SIZE = struct.Struct(">HH")
"""Width and height, before the bytes of the JPEG."""
_QUALITY = 80
_BLOCK, _BESIDE = 16, 2
"""A JPEG mixes the pixels of a square of this size, and its colours with this many pixels beside it. All of
them are hidden with an area that touches them."""
_GREY = (120, 120, 120)
_TURNED = 0x0112
"""The EXIF tag of the camera's orientation."""
_UPRIGHT = {
    **{2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM"},
    **{5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"},
}
"""The transposition that turns each orientation upright (Image.Transpose)."""
_OTHERS = (b"<html", b"<!doctype", b"<script", b"<?php", b"%pdf-")


def prepare() -> None:
    """Decode a picture of each kind, so that Pillow imports everything before the sandbox is shut."""
    from PIL import Image  # noqa: PLC0415  (large, and needed only in the sandbox)

    warnings.simplefilter("ignore")
    told = Image.Exif()
    told[_TURNED] = 6
    for kind in PIXELS:
        file = io.BytesIO()
        Image.new("RGBA" if kind == "PNG" else "RGB", (8, 8)).save(file, kind, exif=told)
        decode(file.getvalue())


def decode(data: bytes, *areas: str) -> bytes:
    """Return SIZE and the JPEG of the picture's pixels. Each area, "left top width height", becomes grey."""
    from PIL import Image  # noqa: PLC0415

    try:
        image = Image.open(io.BytesIO(data), formats=tuple(PIXELS))
    except Image.DecompressionBombError:
        sys.exit(TOO_MANY_PIXELS)
    _check(image, data)
    pixels = _shrunk(image)
    for area in areas:
        _hide(pixels, *map(int, area.split()))
    made = io.BytesIO()
    pixels.save(made, "JPEG", quality=_QUALITY)
    return SIZE.pack(*pixels.size) + made.getvalue()


def _check(image: "Image.Image", data: bytes) -> None:
    kind = "JPEG" if image.format == "MPO" else str(image.format)  # a JPEG with a smaller one behind it
    if image.width * image.height > PIXELS[kind]:
        sys.exit(TOO_MANY_PIXELS)
    if image.format != "MPO" and getattr(image, "is_animated", False):
        sys.exit(ANIMATED)
    if kind == "JPEG" and data.count(b"\xff\xda") > SCANS:
        sys.exit(TOO_MANY_SCANS)
    lower = data.lower()
    if any(sign in lower for sign in _OTHERS) or zipfile.is_zipfile(io.BytesIO(data)):
        sys.exit(HIDES)


def _shrunk(image: "Image.Image") -> "Image.Image":
    """Return the pixels, upright and on white, without metadata."""
    from PIL import Image  # noqa: PLC0415

    upright = _UPRIGHT.get(image.getexif().get(_TURNED, 1))
    if image.mode == "P":
        image = image.convert("RGBA")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        pixels = Image.new("RGB", image.size, "white")
        pixels.paste(image, mask=image.getchannel("A"))
    else:
        image.load()
        pixels = image if image.mode == "RGB" else image.convert("RGB")
    if upright:
        pixels = pixels.transpose(Image.Transpose[upright])
    pixels.info.clear()
    return pixels


def _hide(pixels: "Image.Image", left: int, top: int, width: int, height: int) -> None:
    """Paint the area grey, with all pixels that share a block of the JPEG with it."""
    right, bottom = left + width, top + height
    if min(left, top) < 0 or min(width, height) < 1 or right > pixels.width or bottom > pixels.height:
        sys.exit(AREA_OUTSIDE)
    left, top = (max(0, edge // _BLOCK * _BLOCK - _BESIDE) for edge in (left, top))
    right, bottom = (-(-edge // _BLOCK) * _BLOCK + _BESIDE for edge in (right, bottom))
    pixels.paste(_GREY, (left, top, min(right, pixels.width), min(bottom, pixels.height)))
