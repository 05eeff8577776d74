"""Where the sound of a clip comes from. The first source that has a clip gives it."""

import subprocess
from pathlib import Path
from typing import NamedTuple, Protocol

from prompts import catalogue


class VoiceError(Exception):
    """A clip cannot be spoken; the text says which, and what to do."""


class Clip(NamedTuple):
    """One clip to be made; `text` is empty if it is not speech."""

    folder: str
    """A language, or `moh` for music on hold."""
    id: str
    text: str

    @property
    def name(self) -> str:
        """Its files' place in the folder of prompts, without the suffix."""
        return f"{self.folder}/{self.id}"

    @property
    def is_sentence(self) -> bool:
        """Whether its text comes to an end, rather than going on in another clip."""
        return self.text.endswith((".", "؟", "?"))


class Source(Protocol):
    """A voice, or another maker of sound."""

    name: str
    is_voice: bool
    """Whether its clips are trimmed, and brought to one loudness together."""

    def recipe(self, clip: Clip) -> bytes | None:
        """Return all that the clip's sound depends on, or None if this source cannot make it."""

    def sound(self, clip: Clip) -> bytes:
        """Return the clip as a sound file of any rate. Raises VoiceError."""


class Studio:
    """Recordings of a speaker: `<folder>/<language>/<clip id>.wav`."""

    name = "studio"
    is_voice = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the recording itself."""
        try:
            return (self.folder / f"{clip.name}.wav").read_bytes()
        except FileNotFoundError:
            return None

    def sound(self, clip: Clip) -> bytes:
        """Return the recording."""
        return (self.folder / f"{clip.name}.wav").read_bytes()


class Tones:
    """The sounds of `prompts.tones`, which are not speech."""

    name = "tones"
    is_voice = False

    def recipe(self, clip: Clip) -> bytes | None:
        """Return its name and the code that makes it."""
        code = Path(__file__).with_name("tones.py").read_bytes()
        return None if clip.text else clip.id.encode() + code

    def sound(self, clip: Clip) -> bytes:
        """Return the synthesised sound."""
        # numpy is slow to import: a build with nothing to do goes without
        from prompts import sound, tones  # noqa: PLC0415

        return sound.lossless(tones.MAKERS[clip.id]())


class Espeak:
    """The synthetic voice espeak-ng: offline, quick, and it speaks every text."""

    name = "espeak"
    is_voice = True

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the text and the voice's options."""
        return repr((clip.text, self._command(clip))).encode() if clip.text else None

    def sound(self, clip: Clip) -> bytes:
        """Return the text as it speaks it. Raises VoiceError if espeak-ng is missing or fails."""
        try:
            done = subprocess.run(
                self._command(clip),
                input=clip.text.encode(),
                capture_output=True,
                timeout=30,
                check=False,
            )
        except FileNotFoundError:
            raise VoiceError("espeak-ng is missing; install it: apt install espeak-ng") from None
        except subprocess.TimeoutExpired:
            raise VoiceError(f"{clip.name}: espeak-ng did not finish in 30 s") from None
        if done.returncode:
            raise VoiceError(f"{clip.name}: espeak-ng: {done.stderr.decode(errors='replace')}")
        return done.stdout

    @staticmethod
    def _command(clip: Clip) -> list[str]:
        return ["espeak-ng", *catalogue.load(clip.folder).espeak, "--stdin", "--stdout"]


def in_order(recordings: Path) -> tuple[Source, ...]:
    """Return the sources, best first. A new voice is one more line here."""
    return Studio(recordings), Tones(), Espeak()
