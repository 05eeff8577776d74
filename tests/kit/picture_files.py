"""Files that are handed in as pictures, honest ones and others, all made here."""

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageDraw


def drawn(size: tuple[int, int] = (320, 240), mode: str = "RGB") -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    return image.convert(mode)


def saved(image: Image.Image, kind: str = "JPEG", **more: object) -> bytes:
    """Return the image as a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def jpeg(size: tuple[int, int] = (320, 240), **more: object) -> bytes:
    """A photograph."""
    return saved(drawn(size), **more)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int = 50_000) -> bytes:
    """A PNG of a few kilobytes with 2.5 thousand million pixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(bytes(4 << 20))) + _chunk(b"IEND", b"")


def jpeg_bomb() -> bytes:
    """A JPEG whose head says 65,000 by 65,000 pixels."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    return bytes(data)


def endless_scans(scans: int = 300) -> bytes:
    """Make a JPEG that refines one part again and again: 25 ms for each 65 bytes of a large one."""
    data = saved(drawn(), progressive=True)
    last = data[data.rindex(b"\xff\xc4") : -2]
    return data[:-2] + last * scans + data[-2:]


def zip_behind() -> bytes:
    """A JPEG that is a ZIP file as well."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("run.exe", "MZ")
    return jpeg() + file.getvalue()


def moving(kind: str) -> bytes:
    """Two pictures, one after the other."""
    return saved(drawn(), kind, save_all=True, append_images=[drawn((320, 240)).rotate(90)], duration=100)


def film() -> bytes:
    """The beginning of an MP4."""
    return struct.pack(">I", 24) + b"ftypisom\0\0\2\0isommp42" + bytes(4096)
