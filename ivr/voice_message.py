"""Voice message after the tone: sent unless the caller deletes it."""

from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from ivr.agi import SILENT_SAMPLES
from ivr.call import NoInput, WantsOperator
from ivr.conversation import Conversation

LONGEST_S = 60
"""Longest message, in seconds."""
_TRIES = 3
_AGAIN, _DELETE = "2", "3"
_WAV_HEADER = 44
_SECOND = 16_000
"""Bytes of a second; a shorter message does not count, as on any answering machine."""
_NOT_ONLY_SILENCE = 2 * SILENT_SAMPLES
"""Bytes from which a recording with an unknown end is more than silence."""


class Nothing(Enum):
    """Reason for a missing message."""

    SAID = auto()
    DELETED = auto()
    RECORDED = auto()  # the disk is full or missing


class Spoken(NamedTuple):
    """Recording, and how it ended."""

    wav: Path | None
    nothing: Nothing | None
    """Reason for a missing `wav`."""
    left: Exception | None
    """Exception that ended it before the review; raise it once everything is stored."""

    @property
    def is_there(self) -> bool:
        """Whether the caller can still hear us."""
        return self.left is None or isinstance(self.left, NoInput | WantsOperator)


def record_message(talk: Conversation, speak: str, review: str, about: str = "") -> Spoken:
    """Ask for a message with the prompt `speak`, until the caller accepts it at `review`.

    `about` is a part of the file's name. Without a `review` the first message is kept. After a silence, a
    hang-up or a fault the last words are kept. Only the 3 deletes.
    """
    kept: Path | None = None
    nothing, left = Nothing.SAID, None
    try:
        for _ in range(_TRIES):
            talk.call.say_instead(speak)  # keys typed ahead are not for a recording
            file = talk.new_voice_message(about)
            wav = file.with_suffix(".wav")
            try:
                silent = not talk.call.record(file, LONGEST_S)
            finally:
                size = _size(wav)
                said = size >= _WAV_HEADER + _SECOND
                kept = _the_better(kept, wav, said=said)
            nothing = Nothing.SAID if silent or size > _WAV_HEADER else Nothing.RECORDED
            answer = talk.call.ask(review, keys="123") if said and review else ""
            if answer == _DELETE and kept:
                _delete(kept)
                kept, nothing = None, Nothing.DELETED
            if answer != _AGAIN:
                break
    except Exception as leaving:
        left = leaving
    return Spoken(kept, None if kept else nothing, left)


def find_leftover(talk: Conversation) -> Path | None:
    """Return the caller's last recording before the script broke off, if any."""
    said = [wav for wav in talk.voice_messages() if _size(wav) >= _WAV_HEADER + _NOT_ONLY_SILENCE]
    return said[-1] if said else None


def _the_better(before: Path | None, wav: Path, *, said: bool) -> Path | None:
    """Return the new recording if something was said, otherwise the former one, and delete the other."""
    worse = before if said else wav
    if worse:
        _delete(worse)
    return wav if said else before


def _size(wav: Path) -> int:
    """Return the size in bytes; 0 for a missing file."""
    try:
        return wav.stat().st_size
    except OSError:
        return 0


def _delete(wav: Path) -> None:
    with suppress(OSError):
        wav.unlink()
