"""Pictures on their way in and out: never more of one in memory than is looked at, and no page of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, cast

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
"""How an endpoint that takes a picture, as the whole body, is described."""


SHOWN: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {"image/jpeg": {}}}},
}
"""How an endpoint that answers with one is described."""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


@asynccontextmanager
async def received(request: Request, folder: Path) -> AsyncIterator[BinaryIO]:
    """The body in a file without a name, on the disk where pictures are kept.

    Raises what decoding.look does, and Refused("picture-large" | "picture-broken" | "disk-full").
    """
    with await run_in_threadpool(_opened, folder) as file:
        head, size = b"", 0
        full: Refused | None = None
        try:
            async for chunk in request.stream():
                head = head if len(head) >= decoding.HEAD else head + chunk
                size += len(chunk)
                if size <= decoding.LARGEST:
                    full = full or await run_in_threadpool(_write, folder, file, chunk)
        except ClientDisconnect:
            raise Refused("picture-broken", "it was not sent to its end") from None
        decoding.look(head[: decoding.HEAD])
        if size > decoding.LARGEST:
            raise decoding.large()
        if full:
            raise full
        with disk.room(folder):  # what is small is written only now
            file.seek(0)
        yield file


def _opened(folder: Path) -> BinaryIO:
    with disk.room(folder):
        return cast("BinaryIO", TemporaryFile(dir=folder))


def _write(folder: Path, file: BinaryIO, chunk: bytes) -> Refused | None:
    """Why it is not written: that is said when the sender listens, at the end."""
    try:
        with disk.room(folder):
            file.write(chunk)
    except Refused as full:
        return full
    return None


def show(settings: Settings, file: File) -> Response:
    """The picture, wherever it lies. No transaction is open meanwhile: the store may be slow.

    Raises what stores.read does.
    """
    return shown_bytes(stores.read(settings, file))


def shown_bytes(data: bytes) -> Response:
    """A picture, in which nothing can run."""
    return Response(data, headers=_HEADERS, media_type="image/jpeg")
