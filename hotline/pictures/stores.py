"""Storage of pictures: the state folder, and an S3-compatible store if the settings name one.

Uploads are written to the folder, and the scheduler moves them to the store. So no upload waits for a
network. Both have the same three operations. A file is shown only if it is what was written.
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
"""Maximum number of bytes that are read of a picture."""
_CONNECT_S, _ANSWER_S = 2, 5
_AT_ONCE = 8
"""How many threads of a process may wait for the store; the others must answer other requests."""


class File(NamedTuple):
    """A file that belongs to a row, with its checksum."""

    name: str
    checksum: str


class StoreAway(OSError):
    """The store does not answer in time, or refuses. The text says why, and contains no secret."""


class Store(Protocol):
    """A storage of files that are written once."""

    def put(self, name: str, data: bytes) -> None:
        """Store the file atomically. Raises OSError."""

    def get(self, name: str) -> bytes | None:
        """Return the file's content, or None. Raises OSError."""

    def delete(self, name: str) -> None:
        """Delete the file if it exists. Raises OSError."""


class Folder:
    """The storage in the state folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, data: bytes) -> None:
        """Store the file as Store does, but raise Refused("disk-full")."""
        part = self._path / f"{name}.part"
        with disk.allow_writing(self._path):
            part.unlink(missing_ok=True)  # left by an interrupted move
            disk.write(part, self._file(name), data)

    def get(self, name: str) -> bytes | None:
        """Return the content as Store does; symbolic links are not followed."""
        try:
            with open(os.open(self._file(name), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                return file.read(LARGEST + 1)
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """Delete the file as Store does."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._path / f"{name}{SUFFIX}"


class Bucket:
    """An S3-compatible store, through `obstore`. Every operation ends within seconds, or raises StoreAway."""

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
            # Retry on a connection that was closed while idle, but not after a hang.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_ANSWER_S / 2)},
        )
        self._turns = BoundedSemaphore(_AT_ONCE)

    def put(self, name: str, data: bytes) -> None:
        """Store the file as Store does, and read it back, because the folder's copy is deleted next."""
        import obstore  # noqa: PLC0415

        with self._asked("put"):
            obstore.put(self._store, f"{name}{SUFFIX}", data, use_multipart=False)
        if self.get(name) != data:
            raise StoreAway("put: what was written is not what is read")

    def get(self, name: str) -> bytes | None:
        """Return the content as Store does."""
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
        """Delete the file as Store does."""
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
            raise StoreAway(f"{what}: {_why(error)}") from None  # the original text may contain the key
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


def open_folder(settings: Settings) -> Folder:
    """Return the storage in the state folder."""
    return Folder(settings.pictures_dir)


def open_bucket(settings: Settings) -> Bucket | None:
    """Return the S3 store, or None if none is set."""
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
    """Return the content of a file from the folder or the store.

    Raises Refused("not-found" | "pictures-away" | "picture-damaged").
    """
    here, there = open_folder(settings), open_bucket(settings)
    # the scheduler may just have moved the file back
    places: list[Store] = [here, there, here] if there else [here]
    try:
        found = next((data for place in places if (data := place.get(file.name)) is not None), None)
    except StoreAway:
        raise Refused("pictures-away", "the store of pictures does not answer", after_s=30) from None
    except OSError:
        found = None
    if found is None:
        raise Refused("not-found", "there is no picture, or not any more")
    if hash_data(found) != file.checksum:
        raise Refused("picture-damaged", "its file is not what was handed in")
    return found


def delete(settings: Settings, names: Sequence[str]) -> None:
    """Delete these files at once if possible; the scheduler deletes the rest."""
    there = open_bucket(settings)
    with suppress(OSError):
        for name in names:
            open_folder(settings).delete(name)
            if there:
                there.delete(name)


def hash_data(data: bytes) -> str:
    """Return the SHA-256 by which a changed file is recognised."""
    return hashlib.sha256(data).hexdigest()
