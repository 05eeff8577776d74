"""The archive: a tar that is written and read as a stream, and says at its end what must be in it.

Its first member is its head (what made it), then come the files and the manifest: without one it is not
whole. The last member is the signature of head and manifest (ops.backup.signing).
"""

import errno
import hashlib
import io
import json
import os
import re
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyrage

from hotline.backups import Why

HEAD, MANIFEST, SIGNATURE = "hotline137.json", "manifest.json", "signature.json"
FORMAT = 1
_LARGEST_TEXT = 256 << 20
_CHUNK = 1 << 20
_NAME = re.compile(r"(database|state|settings)(/[^/\x00-\x1f\ud800-\udfff]+)+")
_AGE = b"age-encryption.org/"


class Unusable(Exception):
    """There is no archive to be had, or not one of ours; the text says why, and what to do."""

    def __init__(self, said: str, why: Why = Why.OTHER) -> None:
        super().__init__(said)
        self.why = why


class Kept(NamedTuple):
    """What the manifest says of a file."""

    size: int
    sha256: str
    mtime: int | None = None
    """None: an older version made the archive. Files are deleted by age, so the signature covers it."""


def statement_of(head: bytes, manifest: bytes) -> bytes:
    """Return the bytes that are signed: the head, and by the manifest every file."""
    return hashlib.sha256(head).digest() + hashlib.sha256(manifest).digest()


def is_name(name: str) -> bool:
    """Whether a file may be so called in an archive."""
    return bool(_NAME.fullmatch(name)) and not {".", ".."} & set(name.split("/"))


class Writer:
    """Puts files into the archive, one after the other."""

    def __init__(self, out: IO[bytes], head: dict[str, Any], sign: Callable[[bytes], bytes]) -> None:
        kept: Any = _Out(out)
        self._tar = tarfile.TarFile(fileobj=kept, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_CHUNK)
        self.files: dict[str, Kept] = {}
        self._sign, self._head = sign, _json(head | {"format": FORMAT})
        self._text(HEAD, self._head)

    def add(self, name: str, path: Path) -> bool:
        """A plain file, as long as it is when it is opened; False: it is gone, or no file. Raises OSError."""
        if not is_name(name):
            return False
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return False
            self._write(name, file, status.st_size, status.st_mtime)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # calls need the memory
        return True

    def add_bytes(self, name: str, data: bytes) -> None:
        """A file that is in memory already."""
        self._write(name, io.BytesIO(data), len(data), 0)

    def close(self, counts: dict[str, int]) -> None:
        """Write the manifest and the signature: the archive is whole."""
        files = {name: kept._asdict() for name, kept in self.files.items()}
        manifest = _json({"files": files, "counts": counts})
        self._text(MANIFEST, manifest)
        self._text(SIGNATURE, self._sign(statement_of(self._head, manifest)))
        self._tar.close()

    def _write(self, name: str, file: IO[bytes], size: int, mtime: float) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(mtime), 0o600
        reader = _Measured(file, size)
        self._tar.addfile(info, reader)  # type: ignore[arg-type]  # it is read, and nothing else
        self.files[name] = Kept(size, reader.sha256.hexdigest(), int(mtime))

    def _text(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


def _json(what: dict[str, Any]) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode()


class _Out:
    """What a tar is written to: a file or a pipe, which knows not how far it has come."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._written = out, 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written


class _Measured:
    """Exactly `size` bytes of a file; one that was cut short meanwhile goes on with zeros."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self.sha256 = file, size, hashlib.sha256()

    def read(self, wanted: int) -> bytes:
        wanted = min(wanted, self._left)
        data = self._file.read(wanted)
        data += bytes(wanted - len(data))
        self._left -= wanted
        self.sha256.update(data)
        return data


class Unpacked(NamedTuple):
    """An archive whose every byte is as its manifest says."""

    head: dict[str, Any]
    files: dict[str, Kept]
    counts: dict[str, int]
    statement: bytes
    """The bytes that the signature is of."""
    signature: bytes | None
    """As it is in the archive, not verified yet; None: there is none."""


def unpack(source: IO[bytes], folder: Path, check: Any = lambda head: None) -> Unpacked:
    """All files into an empty folder, each under its name; `check` may refuse the head before.

    Only plain files of the names that we give are taken; a link, a device or a way out makes it unusable.
    Raises Unusable, OSError.
    """
    found: dict[str, Kept] = {}
    head, head_text = None, b""
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=_CHUNK) as tar:
            for member in tar:
                if head is None:
                    head_text = _head_text(tar, member)
                    head = _head(head_text)
                    check(head)
                elif member.name == MANIFEST:
                    manifest = _text_of(tar, member)
                    said = json.loads(manifest)
                    files = {name: Kept(**kept) for name, kept in said["files"].items()}
                    _compare(files, found)
                    last = tar.next()
                    signature = _text_of(tar, last) if last and last.name == SIGNATURE else None
                    statement = statement_of(head_text, manifest)
                    return Unpacked(head, files, said["counts"], statement, signature)
                else:
                    found[member.name] = _unpack_one(tar, member, folder, found)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Unusable(f"the archive is cut short or damaged, or none of ours: {error}") from None
    raise Unusable("the archive is cut short: its end is missing")


def _head_text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.name != HEAD or not member.isreg():
        raise Unusable("this is no backup of Hotline 137")
    return _text_of(tar, member)


def _head(text: bytes) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(text)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise Unusable(
            "the archive is of a newer version: install that one, or a newer one, and restore there"
        )
    return head


def _text_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member) if member.isreg() and member.size <= _LARGEST_TEXT else None
    if file is None:
        raise Unusable(f"the archive is damaged: {member.name}")
    return file.read()


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, found: dict[str, Kept]) -> Kept:
    name = member.name
    if not is_name(name) or not member.isreg() or member.issparse() or name in found:
        raise Unusable(f"the archive is not ours: {name[:200]!r} may not be in it")
    file = tar.extractfile(member)
    assert file is not None  # noqa: S101  # it is a plain file
    path = folder / name
    for parent in reversed(Path(name).parents):
        (folder / parent).mkdir(mode=0o700, exist_ok=True)
    sha256, size = hashlib.sha256(), 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as out:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    mtime = int(member.mtime)
    os.utime(path, (mtime, mtime))
    return Kept(size, sha256.hexdigest(), mtime)


def _compare(said: dict[str, Kept], found: dict[str, Kept]) -> None:
    for name in sorted({*said, *found}):
        there, kept = said.get(name), found.get(name)
        if there and kept and there.mtime is None:
            kept = kept._replace(mtime=None)
        if there != kept:
            raise Unusable(f"the archive is damaged: {name} is not what was written")


def recipient(key: str) -> Any:
    """A public key of `age`. Raises Unusable."""
    try:
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise Unusable("no public key of age: it begins with age1 (age-keygen prints one)", Why.KEY) from None


@contextmanager
def encrypted(out: IO[bytes], key: str) -> Iterator[IO[bytes]]:
    """What is written within comes out encrypted to the key; as it is, if there is none. Raises OSError."""
    if not key:
        yield out
        return
    to, failed = recipient(key), list[BaseException]()
    reading, writing = os.pipe()

    def work() -> None:
        with os.fdopen(reading, "rb") as plain:
            try:
                pyrage.encrypt_io(plain, out, [to])
            except BaseException as error:  # who writes hears of it by the pipe
                failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        with os.fdopen(writing, "wb") as pipe:
            yield pipe
    except BrokenPipeError:
        pass  # what it was is said below
    finally:
        thread.join()
    if failed:
        raise OSError(*_reason(failed[0]))


@contextmanager
def decrypted(file: IO[bytes], keys: str) -> Iterator[IO[bytes]]:
    """The archive in the clear; `keys` is the text of a file of age's secret keys. Raises Unusable."""
    begin = file.read(len(_AGE))
    file.seek(0)
    if begin != _AGE:
        yield file
        return
    identities, failed = _identities(keys), list[BaseException]()
    reading, writing = os.pipe()

    def work() -> None:
        with suppress(BrokenPipeError), os.fdopen(writing, "wb") as plain:
            try:
                pyrage.decrypt_io(file, plain, identities)
            except BaseException as error:
                failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as pipe:
            yield pipe
    except Unusable:
        thread.join()
        why = str(failed[0]) if failed else "Broken pipe"
        if "Broken pipe" in why:  # who reads has had enough
            raise
        wrong = (
            "this key does not open it"
            if "No matching keys" in why
            else "the archive is damaged or cut short"
        )
        raise Unusable(f"cannot be decrypted: {wrong}") from None
    finally:
        thread.join()


def _reason(error: BaseException) -> tuple[int, str]:
    """Whatever the disk said, which comes wrapped."""
    found = re.search(r"\[Errno (\d+)\]", str(error))
    number = int(found[1]) if found else errno.EIO
    return number, os.strerror(number) if found else f"age: {type(error).__name__}"


def _identities(text: str) -> list[Any]:
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line.startswith("AGE-SECRET-KEY-")]
    if not found:
        raise Unusable("the archive is encrypted: give the file of the secret key (--key)")
    try:
        return [pyrage.x25519.Identity.from_str(line) for line in found]
    except pyrage.IdentityError:
        raise Unusable("no secret key of age: it is damaged") from None
