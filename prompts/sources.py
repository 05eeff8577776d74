"""Sources of clips: recordings and tones; the synthetic voices are in `voices`."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, Protocol


class VoiceError(Exception):
    """A clip cannot be spoken; the text says which, and what to do."""


class Clip(NamedTuple):
    """One clip to be made; `text` is empty if it is no speech."""

    folder: str
    """A language, or `moh` for music on hold."""
    id: str
    text: str

    @property
    def name(self) -> str:
        """The path of its files in the folder of prompts, without the suffix."""
        return f"{self.folder}/{self.id}"

    @property
    def is_sentence(self) -> bool:
        """Whether its text ends a sentence, or goes on in another clip."""
        return self.text.endswith((".", "؟", "?"))

    @property
    def is_slow(self) -> bool:
        """Whether it is of a prompt after a mistake, which is spoken slowly."""
        return self.id.partition(".")[0].endswith("-slow")


class Source(Protocol):
    """A voice, or another maker of sound."""

    name: str
    is_voice: bool
    """Whether its clips are trimmed and levelled."""

    def recipe(self, clip: Clip) -> bytes | None:
        """Return everything that the clip's sound depends on, or None if this source cannot make it."""

    def sound(self, clip: Clip) -> bytes:
        """Return the clip as a sound file of any rate. Raises VoiceError."""


class Studio:
    """Recordings of a speaker: `<folder>/<language>/<clip id>.wav`."""

    name = "studio"
    is_voice = True

    def __init__(self, folder: Path, without: Collection[str] = ()) -> None:
        """`without`: names of clips with a recording that must not be used."""
        self._folder, self._without = folder, without

    def has(self, clip: Clip) -> bool:
        """Return whether the clip is recorded."""
        return clip.name not in self._without and self._path(clip).exists()

    def recipe(self, clip: Clip) -> bytes | None:
        """Return the recording itself."""
        return self._path(clip).read_bytes() if self.has(clip) else None

    def sound(self, clip: Clip) -> bytes:
        """Return the recording."""
        return self._path(clip).read_bytes()

    def _path(self, clip: Clip) -> Path:
        return self._folder / f"{clip.name}.wav"


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
        # numpy is slow to import, and a build with nothing to do does not need it
        from prompts import sound, tones  # noqa: PLC0415

        return sound.encode_wav(tones.MAKERS[clip.id](), sound.RATE)
