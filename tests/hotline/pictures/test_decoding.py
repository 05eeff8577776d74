"""A picture's file is what it holds, and comes out with nothing but its pixels."""

import io
import resource
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import pytest
from PIL import Image, ImageChops, ImageOps

from db.fair_semaphore import FairSemaphore
from hotline.pictures import decoding
from hotline.recordings.sandbox import refuse_busy
from tests.kit import picture_files as files
from tests.kit.refusal import refusal


def plain(data: bytes) -> decoding.Plain:
    return decoding.redraw(io.BytesIO(data))


HOSTILE = {
    "nothing": (lambda: b"", "picture-empty"),
    "text": (lambda: b"hello", "picture-kind"),
    "gif": (lambda: files.saved(files.drawn(), "GIF"), "picture-kind"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(99), "picture-kind"),
    "svg": (lambda: b'<?xml version="1.0"?>\n<svg onload="alert(1)"/>', "picture-drawing"),
    "video": (files.film, "picture-video"),
    "webm": (lambda: b"\x1a\x45\xdf\xa3" + bytes(99), "picture-video"),
    "too many bytes": (lambda: files.jpeg() + bytes(decoding.LARGEST), "picture-large"),
    "png bomb": (files.bomb, "picture-pixels"),
    "png, a little too large": (lambda: files.bomb(3465), "picture-pixels"),
    "jpeg bomb": (files.jpeg_bomb, "picture-pixels"),
    "jpeg of scans without end": (files.endless_scans, "picture-broken"),
    "html behind": (lambda: files.jpeg() + b"<HTML><script>alert(1)</script>", "picture-hides"),
    "html within": (lambda: files.jpeg(comment=b"<script>alert(1)</script>"), "picture-hides"),
    "zip behind": (files.zip_behind, "picture-hides"),
    "cut jpeg": (lambda: files.jpeg()[:-700], "picture-broken"),
    "cut head": (lambda: files.jpeg()[:40], "picture-broken"),
    "cut png": (lambda: files.saved(files.drawn(), "PNG")[:-40], "picture-broken"),
    "moving png": (lambda: files.moving("PNG"), "picture-animated"),
    "moving webp": (lambda: files.moving("WEBP"), "picture-animated"),
    "noise": (lambda: b"\xff\xd8\xff" + bytes(range(256)) * 8, "picture-broken"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_picture_is_refused_with_its_fault(name: str) -> None:
    make, code = HOSTILE[name]
    assert refusal(plain, make()) == code


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")],
)
def test_picture_of_any_format_becomes_an_equal_jpeg(kind: str, mode: str) -> None:
    made = plain(files.saved(files.drawn(mode=mode), kind))
    seen = Image.open(io.BytesIO(made.data))
    assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (320, 240))
    assert (made.width, made.height) == seen.size
    if mode != "L":
        left, right = seen.getpixel((40, 120)), seen.getpixel((280, 120))
        assert left[0] > 200 > left[2] and right[2] > 200 > right[0]


@pytest.mark.parametrize("turned", [1, 6])
def test_metadata_is_removed(turned: int) -> None:
    told = Image.Exif()
    told[0x010F] = "SECRETCAMERA"
    told[0x0112] = turned
    told.get_ifd(0x8825)[1] = "N"
    data = files.jpeg(exif=told, comment=b"SECRETWORD", icc_profile=b"SECRETCOLOUR" * 20)
    assert data.count(b"SECRET") > 2
    small = plain(data).data
    seen = Image.open(io.BytesIO(small))
    assert b"SECRET" not in small and not seen.getexif()
    assert set(seen.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}


def test_upright_photo_is_turned_and_shrunk() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    made = plain(files.jpeg((3200, 1600), exif=turned))
    seen = Image.open(io.BytesIO(made.data))
    assert seen.size == (800, decoding.LONGEST_SIDE)
    top, bottom = seen.getpixel((400, 100)), seen.getpixel((400, 1500))
    assert top[0] > 200 and bottom[2] > 200


@pytest.mark.parametrize("turned", range(1, 9))
def test_each_orientation_matches_pillow(turned: int) -> None:
    told = Image.Exif()
    told[0x0112] = turned
    corners = files.drawn((64, 32))
    corners.paste("green", (0, 0, 32, 16))
    data = files.saved(corners, exif=told)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    seen = Image.open(io.BytesIO(plain(data).data))
    assert seen.size == upright.size
    assert max(high for _, high in ImageChops.difference(seen, upright).getextrema()) < 40


def test_transparent_background_becomes_white() -> None:
    data = files.saved(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG")
    assert min(Image.open(io.BytesIO(plain(data).data)).getpixel((4, 4))) > 250


def test_decompression_bomb_takes_no_memory() -> None:
    data = files.bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal(plain, data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10, "it would be 10 GB"


def test_crowd_of_pictures_is_decoded_in_turn() -> None:
    together, data = Barrier(41), files.jpeg()

    def sent() -> int:
        together.wait()
        return plain(data).width

    with ThreadPoolExecutor(40) as crowd:
        with decoding._decoders.hold(10.0), decoding._decoders.hold(10.0):
            came = [crowd.submit(sent) for _ in range(40)]
            together.wait()
            assert not [each for each in wait(came, timeout=0.2).done if each.exception()]
        assert [each.result() for each in came] == [320] * 40


def test_picture_beyond_the_waiting_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "_decoders", FairSemaphore(1, most_waiting=0, refusal=refuse_busy))
    with decoding._decoders.hold(10.0):
        assert refusal(plain, files.jpeg()) == "files-busy"
    for _ in range(2):
        assert refusal(plain, files.jpeg()[:40]) == "picture-broken", "the place is given back"
        assert plain(files.jpeg()).data
