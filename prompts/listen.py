"""Playing a prompt on this machine as a caller hears it, with examples in its slots."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from prompts import catalogue
from prompts.catalogue import PromptError, Value
from settings import Settings

_EXAMPLES: dict[str, Value] = {
    "phone": "09131234567",
    "digits": "0123456",
    "count": 23,
    "ordinal": 31,
    "clip": "office-mayor",
    "weekday": datetime(2026, 11, 25, 6, 0, tzinfo=UTC),
    "date": datetime(2026, 11, 25, 6, 0, tzinfo=UTC),
    "time": datetime(2026, 11, 25, 6, 0, tzinfo=UTC),  # half past nine in the city
}
_PLAYERS = (
    ["aplay", "-q"],
    ["paplay"],
    ["pw-play"],
    ["ffplay", "-loglevel", "error", "-nodisp", "-autoexit"],
    ["play", "-q"],
    ["afplay"],
)


def list_example_clips(language: str, clip_or_prompt: str) -> list[str]:
    """Return the clips of a prompt with examples in its slots, or one clip by its id.

    Raises PromptError if there is neither.
    """
    try:
        slots = catalogue.find_slots(language, clip_or_prompt)
    except PromptError:
        if clip_or_prompt in catalogue.list_texts(language):
            return [clip_or_prompt]
        raise
    values = {name: _EXAMPLES[kind] for name, kind in slots.items()}
    return catalogue.list_clips(language, clip_or_prompt, **values)


def join(settings: Settings, language: str, clip_or_prompt: str) -> Path:
    """Return a WAV of a prompt or clip. Raises PromptError if there is none, or it is not built yet."""
    from prompts import sound  # noqa: PLC0415  numpy is slow to import

    folder = settings.prompts_dir / language
    clips = list_example_clips(language, clip_or_prompt)
    if len(clips) == 1:
        path = folder / f"{clips[0]}.wav"
        if not path.exists():
            raise _not_built(language, clips[0])
        return path
    samples = []
    for clip in clips:
        try:
            samples.append(sound.read((folder / f"{clip}.wav").read_bytes())[0])
        except FileNotFoundError:
            raise _not_built(language, clip) from None
    path = settings.prompts_dir / ".listen" / language / f"{clip_or_prompt}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound.encode_wav(sound.join(samples), sound.RATE))
    return path


def play(path: Path) -> bool:
    """Play a sound file with the first player that can; return whether one could."""
    for player in _PLAYERS:
        if shutil.which(player[0]):
            played = subprocess.run([*player, path], capture_output=True, check=False)
            if not played.returncode:
                return True
    return False


def _not_built(language: str, clip: str) -> PromptError:
    return PromptError(f"{language}/{clip} is not rendered yet: hotline137 prompts build")
