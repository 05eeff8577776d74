"""Tells what a picture's file is, by its content. Draws the picture anew, small, with nothing else in it.
Draws the public copy, without what a person has drawn over.

Pillow decodes in the sandbox (`picture_decoder.py`). This process reads the first bytes of the file, no more.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hotline.errors import Refused
from hotline.pictures import picture_decoder
from hotline.pictures.picture_decoder import LONGEST_SIDE, PIXELS, SCANS, SIZE
from hotline.recordings.sandbox import Sandbox
from hotline.recordings.turns import Turns

LARGEST = 8 << 20
"""Bytes of a file."""
MOST_AREAS = 40
"""Areas that are hidden of one picture."""
HEAD = 1024
"""So many first bytes say what a file is."""
_STILLS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_REFUSALS = {
    picture_decoder.TOO_MANY_PIXELS: ("picture-pixels", f"it has too many pixels; at most: {PIXELS}"),
    picture_decoder.ANIMATED: ("picture-animated", "it has more than one picture"),
    picture_decoder.TOO_MANY_SCANS: ("picture-broken", f"a JPEG has at most {SCANS} scans"),
    picture_decoder.HIDES: ("picture-hides", "something else than a picture is in the file"),
    picture_decoder.AREA_OUTSIDE: ("area-outside", "an area lies beside the picture", "pictures"),
}
_turns = Turns(waiting=100)
"""Who waits has a file and a thread, and no memory yet. A crowd's pictures wait a second or two: to have them
sent once more would cost more."""
_sandbox = Sandbox(Path(picture_decoder.__file__), "PIL")


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
        data = file.read(LARGEST + 1)
        look(data[:HEAD])
        if len(data) > LARGEST:
            raise large()
        return _draw(data)


class Area(NamedTuple):
    """An area of a picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int


def hide(data: bytes, areas: Sequence[Area]) -> Plain:
    """Draw a picture of ours anew, from its pixels alone: the areas are one grey, whatever was there.

    The same areas make the same file. Raises Refused("area-outside" | "too-many-areas" | "picture-broken" |
    "files-busy").
    """
    if len(areas) > MOST_AREAS:
        raise Refused("too-many-areas", f"at most {MOST_AREAS} areas of a picture", "pictures")
    with _turns.one():
        return _draw(data, *(" ".join(map(str, each)) for each in areas))


def large() -> Refused:
    """It is more than is read at all."""
    return Refused("picture-large", f"a picture has at most {LARGEST} bytes")


def _draw(data: bytes, *areas: str) -> Plain:
    code, made = _sandbox.decode(data, *areas, most=LARGEST)
    if code:
        raise Refused(*_REFUSALS.get(code, ("picture-broken", f"it cannot be read to its end: {code}")))
    if len(made) < SIZE.size:
        raise Refused("picture-broken", "the decoder has made no picture of it")
    drawn = Plain(made[SIZE.size :], *SIZE.unpack_from(made))
    small = 0 < drawn.width <= LONGEST_SIDE and 0 < drawn.height <= LONGEST_SIDE
    if not small or not drawn.data.startswith(
        b"\xff\xd8\xff"
    ):  # a decoder that was taken over writes anything
        raise Refused("picture-broken", "the decoder has made no picture of it")
    return drawn
