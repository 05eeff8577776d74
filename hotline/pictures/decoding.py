"""Identifies a picture by its content, and draws it again without anything but its pixels.

Also draws the public copy, without the areas that a person has hidden. Pillow decodes in the sandbox
(`picture_decoder.py`). This process reads only the first bytes of the file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from db.fair_semaphore import FairSemaphore
from hotline.errors import Refused
from hotline.pictures import picture_decoder
from hotline.pictures.picture_decoder import LONGEST_SIDE, PIXELS, SCANS, SIZE
from hotline.recordings.sandbox import DECODER_WAIT_S, DECODERS, Sandbox, refuse_busy

LARGEST = 8 << 20
"""Maximum size of a file in bytes."""
MOST_AREAS = 40
"""Maximum number of hidden areas in one picture."""
HEAD = 1024
"""How many first bytes identify a file's kind."""
_STILLS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_REFUSALS: Mapping[int, tuple[str, ...]] = {
    picture_decoder.TOO_MANY_PIXELS: ("picture-pixels", f"it has too many pixels; at most: {PIXELS}"),
    picture_decoder.ANIMATED: ("picture-animated", "it has more than one picture"),
    picture_decoder.TOO_MANY_SCANS: ("picture-broken", f"a JPEG has at most {SCANS} scans"),
    picture_decoder.HIDES: ("picture-hides", "something else than a picture is in the file"),
}
_REFUSALS_OF_AREAS: Mapping[int, tuple[str, ...]] = {
    **_REFUSALS,
    picture_decoder.AREA_OUTSIDE: ("area-outside", "an area lies beside the picture", "pictures"),
}
_decoders = FairSemaphore(DECODERS, most_waiting=100, refusal=refuse_busy)
"""A waiting upload takes a file and a thread, but no memory yet. At a peak, pictures wait a second or two;
sending them again would cost more."""
_sandbox = Sandbox(Path(picture_decoder.__file__), "PIL")


class Plain(NamedTuple):
    """A JPEG that contains only pixels."""

    data: bytes
    width: int
    height: int


def check_head(head: bytes) -> None:
    """Check the first HEAD bytes of a file.

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


def redraw(file: BinaryIO) -> Plain:
    """Return the picture drawn again. Only a few are drawn at once; an upload that waits too long is refused.

    Raises what `check_head` raises, and Refused("picture-large" | "picture-pixels" | "picture-animated" |
    "picture-hides" | "picture-broken" | "files-busy").
    """
    with _decoders.hold(DECODER_WAIT_S):
        data = file.read(LARGEST + 1)
        check_head(data[:HEAD])
        if len(data) > LARGEST:
            raise refuse_large()
        return _draw(data)


class Area(NamedTuple):
    """An area of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def hide(data: bytes, areas: Sequence[Area]) -> Plain:
    """Draw a stored picture again with these areas in one grey.

    The same areas make the same file. Raises Refused("area-outside" | "too-many-areas" | "picture-broken" |
    "files-busy").
    """
    if len(areas) > MOST_AREAS:
        raise Refused("too-many-areas", f"at most {MOST_AREAS} areas of a picture", "pictures")
    with _decoders.hold(DECODER_WAIT_S):
        return _draw(data, *(" ".join(map(str, each)) for each in areas), refusals=_REFUSALS_OF_AREAS)


def refuse_large() -> Refused:
    """Return the refusal of a file that is larger than LARGEST."""
    return Refused("picture-large", f"a picture has at most {LARGEST} bytes")


def _draw(data: bytes, *areas: str, refusals: Mapping[int, tuple[str, ...]] = _REFUSALS) -> Plain:
    code, made = _sandbox.decode(data, *areas, most=LARGEST)
    if code:
        raise Refused(*refusals.get(code, ("picture-broken", f"it cannot be read to its end: {code}")))
    if len(made) < SIZE.size:
        raise Refused("picture-broken", "the decoder has made no picture of it")
    drawn = Plain(made[SIZE.size :], *SIZE.unpack_from(made))
    small = 0 < drawn.width <= LONGEST_SIDE and 0 < drawn.height <= LONGEST_SIDE
    if not small or not drawn.data.startswith(
        b"\xff\xd8\xff"
    ):  # a decoder that was taken over writes anything
        raise Refused("picture-broken", "the decoder has made no picture of it")
    return drawn
