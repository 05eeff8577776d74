"""The synthetic voices, and the choice of a language's voice."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

from prompts import catalogue
from prompts.sources import Clip, Source, VoiceError
from settings import Settings

_ESPEAK_SECONDS = 30
_GTTS_SECONDS = 10
_PIPER_SECONDS = 120  # it loads its voice for each clip
_PIPER_SLOW = ["--length-scale", "1.2"]


class Unreachable(VoiceError):
    """The voice's service is away for now, so another voice must speak the language."""

    def __init__(self, language: str, reason: str) -> None:
        super().__init__(reason)
        self.language = language


def choose(settings: Settings, language: str, gave_up: Mapping[str, str]) -> tuple[Source, str]:
    """Return the language's voice, and a note if a switched-on voice cannot speak it.

    `gave_up` has the reason why gTTS could not, by language.
    """
    kept = settings.voice_file(language)
    voices = {**({language: kept} if kept.exists() else {}), **settings.prompts_piper}
    if language in voices:
        return Piper(voices), ""
    if not settings.prompts_gtts:
        return Espeak(), ""
    if not Google.speaks(language):
        return Espeak(), f"{language}: gTTS does not have this language; espeak-ng speaks it"
    if language in gave_up:
        return Espeak(), f"{language}: espeak-ng speaks it as a whole, because {gave_up[language]}"
    return Google(settings.prompts_dir / ".gtts"), ""


class Piper:
    """A neural voice from a file that the operator supplies. Piper is a separate program."""

    name = "piper"
    is_voice = True

    def __init__(self, voices: Mapping[str, Path]) -> None:
        self._voices = voices

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the text, the pace and the voice. Raises VoiceError if the voice's file is missing."""
        if not clip.text or clip.folder not in self._voices:
            return None
        voice = self._voices[clip.folder]
        try:
            digest = _digest(voice, os.stat(voice).st_mtime_ns)
        except OSError as error:
            raise VoiceError(f"HOTLINE_PROMPTS_PIPER: {clip.folder}={voice}: {error.strerror}") from None
        return repr((clip.text, clip.is_slow, digest)).encode()

    def sound(self, clip: Clip) -> bytes:
        """Return the text as the voice speaks it. Raises VoiceError if Piper is missing or fails."""
        install = f"Piper is missing; install it: {sys.executable} -m pip install piper-tts"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.wav"
            command = [sys.executable, "-m", "piper", "-m", str(self._voices[clip.folder]), "-f", str(path)]
            done = _run("Piper", [*command, *_PIPER_SLOW * clip.is_slow], clip, _PIPER_SECONDS, install)
            if done.stderr.rstrip().endswith(b"No module named piper"):
                raise VoiceError(install)
            _succeeded("Piper", done, clip)
            return path.read_bytes()


class Google:
    """gTTS, which asks Google over the internet. Answers are kept, so each text is asked once."""

    name = "gtts"
    is_voice = True

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    @staticmethod
    def speaks(language: str) -> bool:
        """Return whether gTTS has the language."""
        from gtts.lang import tts_langs  # noqa: PLC0415  slow to import, and seldom used

        return _gtts_options(language)["lang"] in tts_langs()

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the text, the pace and the options."""
        if not clip.text:
            return None
        return repr((clip.text, clip.is_slow, sorted(_gtts_options(clip.folder).items()))).encode()

    def sound(self, clip: Clip) -> bytes:
        """Return the text as gTTS speaks it. Raises Unreachable."""
        from gtts import gTTS, gTTSError  # noqa: PLC0415  as above

        kept = self._kept / f"{sha256(self.recipe(clip) or b'').hexdigest()[:32]}.mp3"
        if kept.exists():
            return kept.read_bytes()
        options = _gtts_options(clip.folder)
        try:
            voice = gTTS(clip.text, slow=clip.is_slow, timeout=_GTTS_SECONDS, **options)
            spoken = b"".join(voice.stream())
        except (gTTSError, OSError) as error:
            raise Unreachable(clip.folder, f"gTTS failed at {clip.name}: {error}") from None
        if not spoken:
            raise Unreachable(clip.folder, f"gTTS failed at {clip.name}: an answer without sound")
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(".new")
        new.write_bytes(spoken)
        new.replace(kept)
        return spoken


class Espeak:
    """The synthetic voice espeak-ng: offline, quick, and it speaks every text."""

    name = "espeak"
    is_voice = True

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the text and the voice's options."""
        return repr((clip.text, self._command(clip))).encode() if clip.text else None

    def sound(self, clip: Clip) -> bytes:
        """Return the text as espeak-ng speaks it. Raises VoiceError if espeak-ng is missing or fails."""
        install = "espeak-ng is missing; install it: apt install espeak-ng"
        done = _run("espeak-ng", self._command(clip), clip, _ESPEAK_SECONDS, install)
        _succeeded("espeak-ng", done, clip)
        return done.stdout

    @staticmethod
    def _command(clip: Clip) -> list[str]:
        voice = catalogue.load(clip.folder).voice
        slow = voice.espeak_slow if clip.is_slow else []
        return ["espeak-ng", *voice.espeak, *slow, "--stdin", "--stdout"]


def _run(
    name: str, command: list[str], clip: Clip, seconds: float, install: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a program with the text on its standard input."""
    try:
        return subprocess.run(
            command, input=f"{clip.text}\n".encode(), capture_output=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        raise VoiceError(install) from None
    except subprocess.TimeoutExpired:
        raise VoiceError(f"{clip.name}: {name} did not finish in {seconds} s") from None


def _succeeded(name: str, done: subprocess.CompletedProcess[bytes], clip: Clip) -> None:
    if done.returncode:
        raise VoiceError(f"{clip.name}: {name}: {done.stderr.decode(errors='replace').strip()}")


def _gtts_options(language: str) -> dict[str, str]:
    return {"lang": language} | catalogue.load(language).voice.gtts


@cache
def _digest(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
