"""What is said in a call: announcements, and what a key does to each."""

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
from prompts.catalogue import Value, clips

Slots = Mapping[str, Value]
DIGITS = "0123456789"
KEYS = f"{DIGITS}*#"
OPERATOR = "0"
REPLAYS = 10
"""So often * plays a question or an announcement again; a line is not for keeping."""
MUSIC = "moh/hold"
_ANNOUNCED_S = 0.3
"""A key that comes sooner after an announcement was meant for that."""
_UNASKED = 16_000
"""So many samples, two seconds, are played without asking whether the call is held: no hold is shorter."""
_LONGEST_NAMES = 1_900
"""So many bytes of a command may be the names of files: Asterisk reads 2,047."""
_HOLD_S, _HOLD_WHILE_CALLED_S = 300, 20
"""So long in all a caller may hold the call, and somebody whom we called, for whom an official may wait."""
_SHORT_HOLD_S = 5
"""So much of that a hold takes which was over before it was asked for: nobody knows how long it was."""


class NoInput(Exception):
    """The caller said nothing usable three times: say goodbye and end."""


class NoKey(NoInput):
    """A question was put as often as it is, and no key answered it."""


class Prompt(NamedTuple):
    """A prompt with its slots; `language` only where it is not the call's own."""

    id: str
    slots: Slots = MappingProxyType({})
    language: str = ""


class Playing(Agi):
    """A call in which prompts are played."""

    def __init__(
        self,
        reader: BufferedIOBase,
        writer: BufferedIOBase,
        prompts_dir: Path,
        clock: Callable[[], float],
        waited: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        """`clock` tells seconds: by it a key is one of several that were pressed without a pause.

        `waited` is told how long the caller waited each time for something of our own.
        """
        super().__init__(reader, writer)
        self._prompts_dir = prompts_dir
        self._clock = clock
        self._waited = waited
        self._keys = Keys(clock)
        ours = self.env.get("agi_network_script", "") != Script.MENU
        self._hold_s = _HOLD_WHILE_CALLED_S if ours else _HOLD_S
        self._unknown_s = 0.0
        """So long after it has begun nobody can know the next question."""
        self.language = self.env.get("agi_arg_2") or "fa"
        self.leads_to_operator = False

    def lead(self, prompt: str, *, language: str = "", **slots: Value) -> None:
        """Play one prompt whose question many know already: a key ends it and is the answer.

        `language`: where it is not the call's own.
        """
        if not self._keys.ahead:
            self._play(Prompt(prompt, slots, language), ends=self._leads)
            self._unknown_s = 0.0

    def say(self, prompt: str, **slots: Value) -> None:
        """Play one prompt. A key ends it, and that only; * begins it again. Who has typed ahead does not
        hear it.
        """
        self._announce(Prompt(prompt, slots))

    def say_sound(self, file: Path) -> None:
        """Play a file that is no prompt, without its codec's suffix, in the same way."""
        self._announce(file)

    def say_instead(self, prompt: str, **slots: Value) -> None:
        """Play one prompt of which nobody could know that it would come: what was typed ahead is dropped."""
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
        """The call takes a way that nobody could foresee: what was typed ahead is dropped."""
        self._keys.drop()

    def tell(self, prompt: str, **slots: Value) -> None:
        """Play one prompt that no key cuts short: whoever goes on has been told."""
        self._play(
            Prompt(prompt, slots), ends=lambda key: self._ends_announcement(key) and False, together=False
        )
        self._unknown_s = _ANNOUNCED_S

    @contextmanager
    def working(self, *, leads: bool = False) -> Iterator[None]:
        """Do something of our own in this while; keys that are typed ahead meanwhile are not lost.

        Whoever would wait for long in silence hears that it goes on, over and over.
        `leads`: before a prompt whose question many know already, which a key answers here, too (`lead`).
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
        """Play prompts until one of `keys` is pressed, and return it; else an empty text."""
        for prompt in prompts:
            if key := self._play(prompt, ends=lambda _key: True, keys=keys, together=False):
                return key
        return ""

    def music(self, keys: str) -> str:
        """Play half a minute of music, in the same way."""
        return self.play(self._prompts_dir / MUSIC, keys)

    def _ends_announcement(self, key: str) -> bool:
        return self._keys.at_announcement(key, known=key == OPERATOR and self.leads_to_operator)

    def _files(self, prompt: str | Prompt | Path) -> list[str]:
        if isinstance(prompt, Path):
            return [str(prompt)]
        prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
        language = prompt.language or self.language
        folder = self._prompts_dir / language
        return [f"{folder}/{clip}" for clip in clips(language, prompt.id, **prompt.slots)]

    def _play(
        self,
        *prompts: str | Prompt | Path,
        ends: Callable[[str], bool],
        keys: str = KEYS,
        together: bool = True,
    ) -> str:
        """Play prompts; the key of `keys` that ended them. After any other one it goes on where it was.

        `together`: nearly each key ends them (`_play_piece`).
        """
        while True:
            began_ns, back = time.monotonic_ns(), None
            for piece in _pieces([file for prompt in prompts for file in self._files(prompt)]):
                if key := self._play_piece(piece, ends, keys, together=together):
                    return key
                back = self._after_hold(began_ns)  # a sentence is many clips: no more into a held line
                if back is not None:
                    break
            if back is None:
                return ""
            if back and back in keys and ends(back):
                return back

    def _play_piece(
        self, files: Sequence[str], ends: Callable[[str], bool], keys: str, *, together: bool
    ) -> str:
        """`together`: by one command. After a key that ends nothing two seconds at most are said again: it is
        one of several (`ivr.keys`), or comes when a question has just begun.
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
        """Wait while the telephone holds the call: what was said is to be said again. None: it does not, and
        has not since `began_ns`.

        Who has a key in their hand when they take the call back knows what they answer: it is returned.
        """
        if self._hold_s <= 0:  # whose patience has ended goes on to the end
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
    """The clips in their order, some seconds of them at a time; one that is not there is alone."""
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
    """How long a clip is; of one that is not there Asterisk complains, if it is asked for that one."""
    try:
        return os.stat(f"{file}.alaw").st_size  # a byte a sample
    except OSError:
        return 0
