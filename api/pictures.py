"""Pictures on their way in and out.

No more of a picture is in memory than the decoder needs. A picture is never served as a page of ours.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, Self, cast

from fastapi import Path as InPath
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.security import LONGEST_PICTURE
from hotline.errors import Refused
from hotline.pictures import decoding, stores
from hotline.pictures.stores import File
from hotline.recordings import disk
from settings import Settings

PictureId = Annotated[str, InPath(pattern="^[0-9a-f]{1,32}$")]
_KINDS = ("image/jpeg", "image/png", "image/webp")
SENT: dict[str, Any] = {
    "max_body_size": LONGEST_PICTURE,
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS},
        }
    },
}
"""OpenAPI of an endpoint that takes a picture as its whole body."""


SHOWN: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {"image/jpeg": {}}}},
}
"""OpenAPI of an endpoint that answers with a picture."""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


@asynccontextmanager
async def received(request: Request, folder: Path) -> AsyncIterator[BinaryIO]:
    """Yield the body as an unnamed file, on the pictures' disk.

    Raises what decoding.check_head raises, and Refused("picture-large" | "picture-broken" | "disk-full").
    """
    with await run_in_threadpool(Incoming, folder) as incoming:
        try:
            async for chunk in request.stream():
                await run_in_threadpool(incoming.take, chunk)
        except ClientDisconnect:
            raise Refused("picture-broken", "it was not sent to its end") from None
        yield incoming.whole()


class Incoming:
    """A picture that arrives in pieces, in an unnamed file on the pictures' disk.

    Raises Refused("disk-full") if the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._head, self._size = folder, b"", 0
        self._full: Refused | None = None
        with disk.allow_writing(folder):
            self._file = cast("BinaryIO", TemporaryFile(dir=folder))  # noqa: SIM115  (closed by whoever takes it)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, chunk: bytes) -> None:
        """Add the next piece.

        Bytes beyond the limit are only counted. A full disk is reported at the end, since the sender reads
        only then.
        """
        if len(self._head) < decoding.HEAD:
            self._head += chunk
        self._size += len(chunk)
        if self._size <= decoding.LARGEST and not self._full:
            try:
                with disk.allow_writing(self._folder):
                    self._file.write(chunk)
            except Refused as full:
                self._full = full

    def whole(self) -> BinaryIO:
        """Return the whole file from its beginning. Raises what decoding.check_head raises, and
        Refused("picture-large" | "disk-full").
        """
        decoding.check_head(self._head[: decoding.HEAD])
        if self._size > decoding.LARGEST:
            raise decoding.refuse_large()
        if self._full:
            raise self._full
        with disk.allow_writing(self._folder):  # small files are written only now
            self._file.seek(0)
        return self._file


def show(settings: Settings, file: File) -> Response:
    """Return the picture from the disk or the store. No transaction is open meanwhile: the store may be slow.

    Raises what stores.read raises.
    """
    return send_picture(stores.read(settings, file))


def send_picture(data: bytes) -> Response:
    """Return a picture with headers that let nothing in it run."""
    return Response(data, headers=_HEADERS, media_type="image/jpeg")
