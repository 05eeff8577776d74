"""Prompts of a call: announcements, and the effect of keys on each."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from dialplan.variables import Script
from ivr.agi import Agi
from ivr.keys import AGAIN, Keys
from prompts.catalogue import Value, list_clips

Slots = Mapping[str, Value]
DIGITS = "0123456789"
KEYS = f"{DIGITS}*#"
OPERATOR = "0"
REPLAYS = 10
"""Limit of repetitions by *, because a line must not stay occupied."""
MUSIC = "moh/hold"
_ANNOUNCED_S = 0.3
"""Seconds after an announcement in which a key still belongs to it."""
_UNASKED = 16_000
"""Samples (two seconds) that are played without a check for a hold: no hold is shorter."""
_LONGEST_NAMES = 1_900
"""Bytes of file names in one command: Asterisk reads 2,047."""
_HOLD_S, _HOLD_WHILE_CALLED_S = 300, 20
"""Seconds in all that a caller may hold the call, and that a called citizen may: an official may wait."""
_SHORT_HOLD_S = 5
"""Seconds charged for a hold that was over before its check: its length is unknown."""


class NoInput(Exception):
    """The caller gave nothing usable three times: say goodbye and end."""


class NoKey(NoInput):
    """No key answered a question that was asked as often as allowed."""


class Prompt(NamedTuple):
    """Prompt with its slots; `language` only if it is not the call's own."""

    id: str
    slots: Slots = MappingProxyType({})
    language: str = ""


class Playing(Agi):
    """Call in which prompts are played."""

    def __init__(
        self,
        reader: BufferedIOBase,
        writer: BufferedIOBase,
        prompts_dir: Path,
        clock: Callable[[], float],
        waited: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        """`clock` returns seconds; it decides which keys were pressed without a pause.

        `waited` is called with the seconds of each wait of the caller for our own work.
        """
        super().__init__(reader, writer)
        self._prompts_dir = prompts_dir
        self._clock = clock
        self._waited = waited
        self._keys = Keys(clock)
        ours = self.env.get("agi_network_script", "") != Script.MENU
        self._hold_s = _HOLD_WHILE_CALLED_S if ours else _HOLD_S
        self._unknown_s = 0.0
        """Seconds after its beginning in which nobody can know the next question."""
        self.language = self.env.get("agi_arg_2") or "fa"
        self.leads_to_operator = False

    def lead(self, prompt: str, *, language: str = "", **slots: Value) -> None:
        """Play one prompt whose question many callers know: a key ends it and is the answer.

        `language`: if it is not the call's own.
        """
        if not self._keys.ahead:
            self._play(Prompt(prompt, slots, language), ends=self._leads)
            self._unknown_s = 0.0

    def say(self, prompt: str, **slots: Value) -> None:
        """Play one prompt. A key ends only this prompt; * begins it again.

        A caller who has typed ahead does not hear it.
        """
        self._announce(Prompt(prompt, slots))

    def say_sound(self, file: Path) -> None:
        """Play a file that is no prompt, named without its codec's suffix, as `say` does."""
        self._announce(file)

    def say_instead(self, prompt: str, **slots: Value) -> None:
        """Play one prompt that nobody could foresee: keys typed ahead are dropped."""
        self._keys.drop()
        self._announce(Prompt(prompt, slots))

    def _announce(self, what: Prompt | Path) -> None:
        for _ in range(1 + REPLAYS):
            if self._keys.ahead:
                break
            key = self._play(what, ends=self._ends_announcement)
            self._unknown_s = _ANNOUNCED_S
            if key != AGAIN:
                break

    def drop_keys(self) -> None:
        """Drop the keys typed ahead, because nobody could foresee the next step."""
        self._keys.drop()

    def tell(self, prompt: str, **slots: Value) -> None:
        """Play one prompt that no key cuts short."""
        self._play(
            Prompt(prompt, slots), ends=lambda key: self._ends_announcement(key) and False, together=False
        )
        self._unknown_s = _ANNOUNCED_S

    @contextmanager
    def working(self, *, leads: bool = False) -> Iterator[None]:
        """Run a block of our own work; keys typed ahead meanwhile are not lost.

        A caller who would wait long in silence hears repeatedly that it goes on. `leads`: before a prompt
        whose question many callers know, which a key answers here, too (`lead`).
        """
        began = time.monotonic()
        ends = self._leads if leads else self._ends_announcement
        with self.listening(ends, partial(self._say_one_moment, ends)):
            yield
        self._waited(time.monotonic() - began)

    def _say_one_moment(self, ends: Callable[[str], bool]) -> None:
        self._play("one-moment", ends=ends)
        self._unknown_s = _ANNOUNCED_S

    def _leads(self, key: str) -> bool:
        return self._keys.at_announcement(key, known=True)

    def hear(self, *prompts: Prompt, keys: str) -> str:
        """Play prompts until one of `keys` is pressed, and return it; otherwise an empty text."""
        for prompt in prompts:
            if key := self._play(prompt, ends=lambda _key: True, keys=keys, together=False):
                return key
        return ""

    def music(self, keys: str) -> str:
        """Play half a minute of music, as `hear` does."""
        return self.play(self._prompts_dir / MUSIC, keys)

    def _ends_announcement(self, key: str) -> bool:
        return self._keys.at_announcement(key, known=key == OPERATOR and self.leads_to_operator)

    def _files(self, prompt: str | Prompt | Path) -> list[str]:
        if isinstance(prompt, Path):
            return [str(prompt)]
        prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
        language = prompt.language or self.language
        folder = self._prompts_dir / language
        return [f"{folder}/{clip}" for clip in list_clips(language, prompt.id, **prompt.slots)]

    def _play(
        self,
        *prompts: str | Prompt | Path,
        ends: Callable[[str], bool],
        keys: str = KEYS,
        together: bool = True,
    ) -> str:
        """Play prompts, and return the key of `keys` that ended them. After other keys the prompt continues.

        `together`: nearly each key ends them (`_play_piece`).
        """
        while True:
            began_ns, back = time.monotonic_ns(), None
            for piece in _pieces([file for prompt in prompts for file in self._files(prompt)]):
                if key := self._play_piece(piece, ends, keys, together=together):
                    return key
                back = self._after_hold(began_ns)  # a sentence is many clips: stop playing into a held line
                if back is not None:
                    break
            if back is None:
                return ""
            if back and back in keys and ends(back):
                return back

    def _play_piece(
        self, files: Sequence[str], ends: Callable[[str], bool], keys: str, *, together: bool
    ) -> str:
        """Play clips; with `together` by one command.

        After a key that ends nothing, at most two seconds are repeated. Such a key is one of several
        (`ivr.keys`), or comes just after a question has begun.
        """
        if together and len(files) > 1:
            key = self.play_together(files)
            if not key or (key in keys and ends(key)):
                return key
        for file in files:
            key, at = self.play_from(file, keys, 0)
            while key:
                if ends(key):
                    return key
                key, at = self.play_from(file, keys, at)
        return ""

    def _after_hold(self, began_ns: int) -> str | None:
        """Wait while the telephone holds the call: the last prompt must be repeated.

        Return None if there is no hold and was none since `began_ns`. A key pressed as the hold ends is an
        answer, and is returned.
        """
        if self._hold_s <= 0:  # the allowance is used up: continue to the end
            return None
        is_held, back_ns = self.line()
        if not is_held:
            if back_ns <= began_ns:
                return None
            self._hold_s -= _SHORT_HOLD_S
            return ""
        while self._hold_s > 0:
            self._hold_s -= 1
            key = str(self.wait_for_digit(1000))
            if key or not self.line().is_held:
                return key
        raise NoInput


def _pieces(files: Sequence[str]) -> Iterator[list[str]]:
    """Yield the clips in order, some seconds of them at a time; a missing clip is alone."""
    piece: list[str] = []
    samples = 0
    for file in files:
        own = _samples(file)
        if piece and (
            not own or samples >= _UNASKED or len("&".join([*piece, file]).encode()) > _LONGEST_NAMES
        ):
            yield piece
            piece, samples = [], 0
        piece.append(file)
        samples += own or _UNASKED
    yield piece


def _samples(file: str) -> int:
    """Return the samples of a clip, 0 for a missing one, so that Asterisk reports it when it is played."""
    try:
        return os.stat(f"{file}.alaw").st_size  # one byte for each sample
    except OSError:
        return 0
