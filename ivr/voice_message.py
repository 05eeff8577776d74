"""What a citizen says after the tone: sent, unless they delete it."""

from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from ivr.agi import SILENT_SAMPLES
from ivr.call import NoInput, WantsOperator
from ivr.conversation import Conversation

LONGEST_S = 60
"""The longest message."""
_TRIES = 3
_AGAIN, _DELETE = "2", "3"
_WAV_HEADER = 44
_SECOND = 16_000
"""Bytes. As on every answering machine, less than a second is nobody's message."""
_NOT_ONLY_SILENCE = 2 * SILENT_SAMPLES
"""Bytes. Of a recording whose end nobody was told only its length says that it is more than a silence."""


class Nothing(Enum):
    """Why there is no message."""

    SAID = auto()
    DELETED = auto()
    RECORDED = auto()  # the disk is full, or not there


class Spoken(NamedTuple):
    """What was said, and how it ended."""

    wav: Path | None
    nothing: Nothing | None
    """Why there is no `wav`."""
    left: Exception | None
    """What ended it before its review was answered; to be raised once all is kept."""

    @property
    def is_there(self) -> bool:
        """Whether the caller can still be told anything."""
        return self.left is None or isinstance(self.left, NoInput | WantsOperator)


def listen(talk: Conversation, speak: str, review: str, about: str = "") -> Spoken:
    """Ask for a message with the prompt `speak`, until the caller is content with it at `review`.

    `about` is a part of the file's name. Without a `review` the first message is kept.

    Whatever ends it, silence, a hang-up or a fault: what was said last is kept. Only the 3 deletes.
    """
    kept: Path | None = None
    nothing, left = Nothing.SAID, None
    try:
        for _ in range(_TRIES):
            talk.call.say_instead(speak)  # no key that was typed ahead is meant for a recording
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


def left_over(talk: Conversation) -> Path | None:
    """What the caller has said before the call's script broke off, if anything."""
    said = [wav for wav in talk.voice_messages() if _size(wav) >= _WAV_HEADER + _NOT_ONLY_SILENCE]
    return said[-1] if said else None


def _the_better(before: Path | None, wav: Path, *, said: bool) -> Path | None:
    """The new recording if something was said, else the one before; the other one is deleted."""
    worse = before if said else wav
    if worse:
        _delete(worse)
    return wav if said else before


def _size(wav: Path) -> int:
    """In bytes; a disk that is gone holds none."""
    try:
        return wav.stat().st_size
    except OSError:
        return 0


def _delete(wav: Path) -> None:
    with suppress(OSError):
        wav.unlink()
