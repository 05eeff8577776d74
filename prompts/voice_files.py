"""Fetching a Piper voice into the state folder, from a file or a URL, whole or not at all.

A voice is two files, `<name>.onnx` and `<name>.onnx.json`. They become `voices/<language>.onnx` and
`voices/<language>.onnx.json`, and speak the language from then on (prompts.voices).
"""

import os
import shutil
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path

import httpx

from prompts.sources import VoiceError
from settings import Settings

Progress = Callable[[int, int], object]
"""A callback with the bytes that have arrived, and all bytes (0: unknown)."""

_TIMEOUT = httpx.Timeout(10, read=30)
_LARGEST = 2 << 30


def take(settings: Settings, source: str, language: str, sha256: str, progress: Progress) -> Path:
    """Put the voice at `source`, a path or an http(s) URL, into the state folder; return its file.

    An interrupted download is continued. Raises VoiceError if the voice cannot be fetched, or if its SHA-256
    is not `sha256`; the former voice then stays.
    """
    voice = settings.voice_file(language)
    voice.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = voice.with_name(f"{sha256}.part")
    _bring(source, part, progress)
    with part.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        part.unlink()
        raise VoiceError(f"{source} is not the voice that was meant: its SHA-256 is {found}")
    about = voice.with_name(f"{sha256}.json.part")
    _bring(f"{source}.json", about, lambda _done, _total: None)
    # The description first: a voice without one cannot speak.
    about.replace(voice.with_name(f"{voice.name}.json"))
    part.replace(voice)
    return voice


def _bring(source: str, to: Path, progress: Progress) -> None:
    try:
        if source.startswith(("http://", "https://")):
            _fetch(source, to, progress)
        else:
            shutil.copyfile(source, to)
    except (OSError, httpx.HTTPError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise VoiceError(f"{source}: {reason}") from None


def _fetch(url: str, to: Path, progress: Progress) -> None:
    """Download the missing bytes; a server without ranges sends all."""
    have = to.stat().st_size if to.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the file is complete already
        answer.raise_for_status()
        have = have if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
        length = int(answer.headers.get("Content-Length", 0))
        total = have + length if length else 0
        with to.open("ab" if have else "wb") as file:
            for piece in answer.iter_bytes():
                have += file.write(piece)
                if have > _LARGEST:
                    raise OSError(None, "larger than any voice")
                progress(have, total)
            file.flush()
            os.fsync(file.fileno())
