"""Archive of a backup: a tar, written and read as a stream, whose end lists its content.

The archive's first member is its head (its maker), followed by the files and the manifest. Without a manifest
it is incomplete. The last member is the signature of head and manifest (ops.backup.signing).
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
    """The archive cannot be made, or is none of ours; the text says why, and what to do."""

    def __init__(self, said: str, why: Why = Why.OTHER) -> None:
        super().__init__(said)
        self.why = why


class ArchivedFile(NamedTuple):
    """File entry of the manifest."""

    size: int
    sha256: str
    mtime: int | None = None
    """Time of the file; None in an older version's archive. Files are deleted by age, so the signature covers
    it.
    """


def make_statement(head: bytes, manifest: bytes) -> bytes:
    """Return the bytes that are signed: the head, and by the manifest every file."""
    return hashlib.sha256(head).digest() + hashlib.sha256(manifest).digest()


def is_name(name: str) -> bool:
    """Return whether a file may have this name in an archive."""
    return bool(_NAME.fullmatch(name)) and not {".", ".."} & set(name.split("/"))


class Writer:
    """Writer of an archive, one file after the other."""

    def __init__(self, out: IO[bytes], head: dict[str, Any], sign: Callable[[bytes], bytes]) -> None:
        kept: Any = _Out(out)
        self._tar = tarfile.TarFile(fileobj=kept, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_CHUNK)
        self.files: dict[str, ArchivedFile] = {}
        self._sign, self._head = sign, _json(head | {"format": FORMAT})
        self._text(HEAD, self._head)

    def add(self, name: str, path: Path) -> bool:
        """Add a plain file with its size at opening.

        Return False if it is gone or no file. Raises OSError.
        """
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
        """Add a file from memory."""
        self._write(name, io.BytesIO(data), len(data), 0)

    def close(self, counts: dict[str, int]) -> None:
        """Write the manifest and the signature, which complete the archive."""
        files = {name: kept._asdict() for name, kept in self.files.items()}
        manifest = _json({"files": files, "counts": counts})
        self._text(MANIFEST, manifest)
        self._text(SIGNATURE, self._sign(make_statement(self._head, manifest)))
        self._tar.close()

    def _write(self, name: str, file: IO[bytes], size: int, mtime: float) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(mtime), 0o600
        reader = _Measured(file, size)
        self._tar.addfile(info, reader)  # type: ignore[arg-type]  # tarfile only reads it
        self.files[name] = ArchivedFile(size, reader.sha256.hexdigest(), int(mtime))

    def _text(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


def _json(what: dict[str, Any]) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode()


class _Out:
    """Output of a tar: a file or a pipe, which cannot tell its position."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._written = out, 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written


class _Measured:
    """Reader of exactly `size` bytes of a file; a file that shrinks meanwhile is filled with zeros."""

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
    """Unpacked archive whose every byte agrees with its manifest."""

    head: dict[str, Any]
    files: dict[str, ArchivedFile]
    counts: dict[str, int]
    statement: bytes
    """Signed bytes."""
    signature: bytes | None
    """Signature from the archive, not verified yet; None if there is none."""


def unpack(source: IO[bytes], folder: Path, check: Any = lambda head: None) -> Unpacked:
    """Unpack all files into an empty folder; `check` may refuse the head before.

    Only plain files with our own names are accepted. A link, a device or a path outside makes the archive
    unusable. Raises Unusable, OSError.
    """
    found: dict[str, ArchivedFile] = {}
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
                    files = {name: ArchivedFile(**kept) for name, kept in said["files"].items()}
                    _compare(files, found)
                    last = tar.next()
                    signature = _text_of(tar, last) if last and last.name == SIGNATURE else None
                    statement = make_statement(head_text, manifest)
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


def _unpack_one(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, found: dict[str, ArchivedFile]
) -> ArchivedFile:
    name = member.name
    if not is_name(name) or not member.isreg() or member.issparse() or name in found:
        raise Unusable(f"the archive is not ours: {name[:200]!r} may not be in it")
    file = tar.extractfile(member)
    assert file is not None  # noqa: S101  # a plain file has content
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
    return ArchivedFile(size, sha256.hexdigest(), mtime)


def _compare(said: dict[str, ArchivedFile], found: dict[str, ArchivedFile]) -> None:
    for name in sorted({*said, *found}):
        there, kept = said.get(name), found.get(name)
        if there and kept and there.mtime is None:
            kept = kept._replace(mtime=None)
        if there != kept:
            raise Unusable(f"the archive is damaged: {name} is not what was written")


def parse_recipient(key: str) -> Any:
    """Parse a public key of `age`. Raises Unusable."""
    try:
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise Unusable("no public key of age: it begins with age1 (age-keygen prints one)", Why.KEY) from None


@contextmanager
def encrypt_output(out: IO[bytes], key: str) -> Iterator[IO[bytes]]:
    """Encrypt the block's output to the key; without a key pass it on. Raises OSError."""
    if not key:
        yield out
        return
    to, failed = parse_recipient(key), list[BaseException]()
    reading, writing = os.pipe()

    def work() -> None:
        with os.fdopen(reading, "rb") as plain:
            try:
                pyrage.encrypt_io(plain, out, [to])
            except BaseException as error:  # the writer notices by the broken pipe
                failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        with os.fdopen(writing, "wb") as pipe:
            yield pipe
    except BrokenPipeError:
        pass  # reported below
    finally:
        thread.join()
    if failed:
        raise OSError(*_reason(failed[0]))


@contextmanager
def decrypt_archive(file: IO[bytes], keys: str) -> Iterator[IO[bytes]]:
    """Yield the decrypted archive; `keys` is the text of a file with age's secret keys. Raises Unusable."""
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
        if "Broken pipe" in why:  # the reader has stopped by itself
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
    """Return the system's error number and text, which age wraps."""
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
