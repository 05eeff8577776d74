"""What a picture's file is, by its content; and the same picture anew, small, with nothing else in it.

Whatever came along (place, camera, comments, files behind it) stays behind, since only its pixels are taken.
What is too large is refused by its head: no pixel of it is decoded.
"""

import io
import warnings
import zipfile
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from hotline.errors import Refused
from hotline.recordings.turns import Turns

if TYPE_CHECKING:
    from PIL import Image

LARGEST = 8 << 20
"""Bytes of a file."""
PIXELS = {"JPEG": 24_000_000, "PNG": 12_000_000, "WEBP": 12_000_000}
"""The kinds that are taken, and how many pixels of each: about 210 MB of memory at most
(docs/measured.md)."""
SCANS = 200
"""So often a JPEG may go over its pixels: an honest one does ten times, another for an hour, in 8 MB. What is
behind the picture, a film as it may be, has the sign of a scan by chance: 128 times in 8 MB."""
LONGEST_SIDE = 1600
HEAD = 1024
"""So many first bytes say what a file is."""
_QUALITY = 80
_BLOCKS = 2
"""Pillow keeps so many blocks of memory, of 16 MB at most, for the next picture: to have the kernel clear new
ones takes as long as to decode (docs/measured.md)."""
_TURNED = 0x0112
"""Where EXIF says how the camera was held."""
_UPRIGHT = {
    **{2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM"},
    **{5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"},
}
"""What brings it upright again (Image.Transpose)."""
_STILLS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_OTHERS = (b"<html", b"<!doctype", b"<script", b"<?php", b"%pdf-")
_turns = Turns(waiting=100)
"""Who waits has a file and a thread, and no memory yet. A crowd's pictures wait a second or two: to have them
sent once more would cost more."""


class Plain(NamedTuple):
    """A JPEG of pixels alone."""

    data: bytes
    width: int
    height: int


def look(head: bytes) -> None:
    """What the first HEAD bytes of a file tell of it already.

    Raises Refused("picture-empty" | "picture-video" | "picture-drawing" | "picture-kind").
    """
    if not head:
        raise Refused("picture-empty", "the file has 0 bytes")
    film = head[4:8] == b"ftyp" and head[8:12] not in _STILLS
    if film or head.startswith(b"\x1a\x45\xdf\xa3") or (head[:4], head[8:12]) == (b"RIFF", b"AVI "):
        raise Refused("picture-video", "this is a video")
    if b"<svg" in head[:HEAD].lower():
        raise Refused("picture-drawing", "an SVG is no photograph")
    webp = (head[:4], head[8:12]) == (b"RIFF", b"WEBP")
    if not (head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or webp):
        raise Refused("picture-kind", f"a picture is one of {', '.join(PIXELS)}")


def plain(file: BinaryIO) -> Plain:
    """The picture anew. Not more than a few at once; who waits too long is told to come again.

    Raises what `look` does, and Refused("picture-large" | "picture-pixels" | "picture-animated" |
    "picture-hides" | "picture-broken" | "files-busy").
    """
    with _turns.one():
        return _plain(file.read(LARGEST + 1))


def large() -> Refused:
    """It is more than is read at all."""
    return Refused("picture-large", f"a picture has at most {LARGEST} bytes")


def _plain(data: bytes) -> Plain:
    from PIL import Image  # noqa: PLC0415  (large, and needed only here)

    _keep_blocks()
    look(data[:HEAD])
    if len(data) > LARGEST:
        raise large()
    with warnings.catch_warnings(action="ignore"):
        try:
            image = Image.open(io.BytesIO(data), formats=tuple(PIXELS))
        except Image.DecompressionBombError:
            raise Refused("picture-pixels", "it has too many pixels") from None
        except Exception as error:  # Pillow's readers raise whatever a broken file makes of them
            raise _broken(error) from None
        _check(image, data)
        try:
            pixels = _shrunk(image)
        except Exception as error:
            raise _broken(error) from None
    made = io.BytesIO()
    pixels.save(made, "JPEG", quality=_QUALITY)
    return Plain(made.getvalue(), *pixels.size)


@cache
def _keep_blocks() -> None:
    from PIL import Image  # noqa: PLC0415

    Image.core.set_blocks_max(_BLOCKS)  # type: ignore[attr-defined]


def _check(image: "Image.Image", data: bytes) -> None:
    kind = "JPEG" if image.format == "MPO" else str(image.format)  # a JPEG with a smaller one behind it
    if image.width * image.height > PIXELS[kind]:
        raise Refused("picture-pixels", f"{kind} has at most {PIXELS[kind]} pixels")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise Refused("picture-animated", "it has more than one picture")
    if kind == "JPEG" and data.count(b"\xff\xda") > SCANS:
        raise Refused("picture-broken", f"a JPEG has at most {SCANS} scans")
    lower = data.lower()
    if any(sign in lower for sign in _OTHERS) or zipfile.is_zipfile(io.BytesIO(data)):
        raise Refused("picture-hides", "something else than a picture is in the file")


def _shrunk(image: "Image.Image") -> "Image.Image":
    """Its pixels, upright and on white, and nothing that came along."""
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


def _broken(error: Exception) -> Refused:
    return Refused("picture-broken", f"it cannot be read to its end: {type(error).__name__}")
