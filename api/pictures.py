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
from hotline.pictures import decoding, pictures, stores
from hotline.pictures.stores import File
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
        head, size, room = b"", 0, True
        try:
            async for chunk in request.stream():
                head = head if len(head) >= decoding.HEAD else head + chunk
                size += len(chunk)
                room = room and (size > decoding.LARGEST or await run_in_threadpool(_write, file, chunk))
        except ClientDisconnect:
            raise Refused("picture-broken", "it was not sent to its end") from None
        decoding.look(head[: decoding.HEAD])
        if size > decoding.LARGEST:
            raise decoding.large()
        if not room or not _rewound(file):
            raise pictures.full()
        yield file


def _opened(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cast("BinaryIO", TemporaryFile(dir=folder))
    except OSError:
        raise pictures.full() from None


def _write(file: BinaryIO, chunk: bytes) -> bool:
    try:
        file.write(chunk)
    except OSError:
        return False
    return True


def _rewound(file: BinaryIO) -> bool:
    """Whether all of it is written; what is small is so only now."""
    try:
        file.seek(0)
    except OSError:
        return False
    return True


def show(settings: Settings, file: File) -> Response:
    """The picture, wherever it lies. No transaction is open meanwhile: the store may be slow.

    Raises what stores.read does.
    """
    return shown_bytes(stores.read(settings, file))


def shown_bytes(data: bytes) -> Response:
    """A picture, in which nothing can run."""
    return Response(data, headers=_HEADERS, media_type="image/jpeg")
