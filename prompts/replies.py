"""The office's replies as sound: no prompts, but spoken by the same voices."""

import re
from pathlib import Path

from prompts import voices
from prompts.render import list_codecs, replace
from prompts.sources import Clip, VoiceError
from prompts.voices import Espeak
from settings import Settings

_PERSIAN = re.compile("[\u0600-\u06ff]")


class Unspeakable(VoiceError):
    """The text has nothing to be heard."""


def detect_language(text: str) -> str:
    """Return the language whose voice reads the text."""
    return "fa" if _PERSIAN.search(text) else "en"


def render(settings: Settings, text: str, path: Path) -> None:
    """Write the text as files for Asterisk: `path` with each codec's suffix, each replaced atomically.

    Raises VoiceError if no voice works, Unspeakable if nothing can be heard.
    """
    from prompts import sound  # noqa: PLC0415  numpy is slow to import

    clip = Clip(detect_language(text), path.name, text)
    try:
        samples, rate = sound.read(_spoken(settings, clip))
        samples = sound.trim(samples, rate, sentence=True)
    except ValueError as error:
        raise Unspeakable(f"{clip.name}: {error}") from None
    played = [codec for codec in list_codecs(settings) if codec != "wav"]
    for codec, content in sound.encode(samples, sound.WIDE_RATE, played, level=True).items():
        replace(path.with_name(f"{path.name}.{codec}"), content)


def _spoken(settings: Settings, clip: Clip) -> bytes:
    voice, _note = voices.choose(settings, clip.folder, {})
    try:
        return voice.sound(clip)
    except VoiceError:
        if isinstance(voice, Espeak):
            raise
        return Espeak().sound(clip)
