"""Where pictures lie: the state folder's own place, and an S3-compatible store, if the settings name one.

What comes is written to the folder, and brought to the store by the clerk: nothing waits for a network to be
accepted. Both know the same three verbs. What is read is what was written, or it is not shown.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hotline.errors import Refused
from hotline.recordings import disk
from settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config

SUFFIX = ".jpg"
LARGEST = 8 << 20
"""Bytes of a picture: more is not read."""
_CONNECT_S, _ANSWER_S = 2, 5
_AT_ONCE = 8
"""So many threads of a process wait for the store; the others answer for whatever else is asked."""


class File(NamedTuple):
    """A file that a row keeps."""

    name: str
    checksum: str


class StoreAway(OSError):
    """The store does not answer, not in time, or says no. The text says why, and holds no secret."""


class Store(Protocol):
    """A place for files that are written once."""

    def put(self, name: str, data: bytes) -> None:
        """Keep it, whole or not at all. Raises OSError."""

    def get(self, name: str) -> bytes | None:
        """What lies there; None: nothing. Raises OSError."""

    def delete(self, name: str) -> None:
        """It is gone, if it was there. Raises OSError."""


class Folder:
    """The state folder's own place."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, data: bytes) -> None:
        """As in Store, but raises Refused("disk-full")."""
        part = self._path / f"{name}.part"
        with disk.room(self._path):
            part.unlink(missing_ok=True)  # of a move that was cut short
            disk.write(part, self._file(name), data)

    def get(self, name: str) -> bytes | None:
        """As in Store; never what a link leads to."""
        try:
            with open(os.open(self._file(name), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                return file.read(LARGEST + 1)
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """As in Store."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._path / f"{name}{SUFFIX}"


class Bucket:
    """An S3-compatible store, by `obstore`; whatever is asked is answered in some seconds, or it is away."""

    def __init__(self, url: str, *, endpoint: str, region: str, key: str, secret: str) -> None:
        from obstore.store import S3Store  # noqa: PLC0415  (large, and needed only where one is set)

        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        config: S3Config = {"region": region, "access_key_id": key, "secret_access_key": secret}
        if endpoint:
            config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={
                "connect_timeout": timedelta(seconds=_CONNECT_S),
                "timeout": timedelta(seconds=_ANSWER_S),
                "allow_http": endpoint.startswith("http://"),
            },
            # A line that was closed while it rested is no answer; one that hung is not asked twice.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_ANSWER_S / 2)},
        )
        self._turns = BoundedSemaphore(_AT_ONCE)

    def put(self, name: str, data: bytes) -> None:
        """As in Store; it is read again, since it goes from the folder."""
        import obstore  # noqa: PLC0415

        with self._asked("put"):
            obstore.put(self._store, f"{name}{SUFFIX}", data, use_multipart=False)
        if self.get(name) != data:
            raise StoreAway("put: what was written is not what is read")

    def get(self, name: str) -> bytes | None:
        """As in Store."""
        import obstore  # noqa: PLC0415

        with self._asked("get"):
            try:
                found = obstore.get(self._store, f"{name}{SUFFIX}")
            except FileNotFoundError as error:
                _only_missing(error)
                return None
            return bytes(found.bytes()) if found.meta["size"] <= LARGEST else b""
        raise AssertionError("not reached")

    def delete(self, name: str) -> None:
        """As in Store."""
        import obstore  # noqa: PLC0415

        with self._asked("delete"):
            try:
                obstore.delete(self._store, f"{name}{SUFFIX}")
            except FileNotFoundError as error:
                _only_missing(error)

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        if not self._turns.acquire(blocking=False):
            raise StoreAway(f"{what}: too many wait for it")
        try:
            yield
        except Exception as error:
            raise StoreAway(f"{what}: {_why(error)}") from None  # what it says may have the key in it
        finally:
            self._turns.release()


def _only_missing(error: FileNotFoundError) -> None:
    if "NoSuchBucket" in str(error):
        raise error


def _why(error: Exception) -> str:
    said = str(error)
    status, code = re.search(r"status code: (\d{3})", said), re.search(r"<Code>(\w{1,40})</Code>", said)
    told = [found[1] for found in (status, code) if found]
    if told:
        return " ".join(told)
    return "no answer in time" if "TimedOut" in said else type(error).__name__


def folder(settings: Settings) -> Folder:
    """The state folder's own place."""
    return Folder(settings.pictures_dir)


def bucket(settings: Settings) -> Bucket | None:
    """The store, if one is set."""
    if not settings.pictures_store:
        return None
    return _bucket(
        settings.pictures_store,
        endpoint=settings.pictures_store_endpoint,
        region=settings.pictures_store_region,
        key=settings.pictures_store_key,
        secret=settings.pictures_store_secret,
    )


_bucket = lru_cache(maxsize=8)(Bucket)


def read(settings: Settings, file: File) -> bytes:
    """The file, wherever it lies at this moment.

    Raises Refused("not-found" | "pictures-away" | "picture-damaged").
    """
    here, there = folder(settings), bucket(settings)
    places: list[Store] = [here, there, here] if there else [here]  # the clerk may just have brought it
    try:
        found = next((data for place in places if (data := place.get(file.name)) is not None), None)
    except StoreAway:
        raise Refused("pictures-away", "the store of pictures does not answer", after_s=30) from None
    except OSError:
        found = None
    if found is None:
        raise Refused("not-found", "there is no picture, or not any more")
    if checksum(found) != file.checksum:
        raise Refused("picture-damaged", "its file is not what was handed in")
    return found


def delete(settings: Settings, names: Sequence[str]) -> None:
    """These are gone at once, if that can be; the clerk deletes what is left."""
    there = bucket(settings)
    with suppress(OSError):
        for name in names:
            folder(settings).delete(name)
            if there:
                there.delete(name)


def checksum(data: bytes) -> str:
    """By which it is known whether a file is what was written."""
    return hashlib.sha256(data).hexdigest()
