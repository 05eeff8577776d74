"""Telephone call as a call script sees it."""

import hmac
import time
from collections.abc import Callable, Sequence
from io import BufferedIOBase
from pathlib import Path

from dialplan.variables import Script, Variable
from hotline import numbers
from hotline.errors import Refused
from ivr.agi import AGIError, AGIHangup
from ivr.keys import AGAIN, END
from ivr.playing import (
    DIGITS,
    KEYS,
    OPERATOR,
    REPLAYS,
    NoInput,
    NoKey,
    Playing,
    Prompt,
    Slots,
)
from prompts.catalogue import list_prompts

_TRIES = 3
_TRIES_IN_SILENCE = 2
_LONGER = 9 / 7
"""Factor on the time for a key after a first silence, since a late caller may only be slow. Not larger: the
second silence leads to a person, within 40 s from the start of the call.
"""
_LATE_S = 1.5
"""Ignore a key pressed within this time after an unanswered question: it is a late answer to that question.
"""
_BETWEEN_DIGITS_MS = 6000
_SILENCE_ENDS_S = 8
"""Silence that ends a recording: long enough to think, too short to fill a disk."""
_CLOSING_MS = 1500
_LONGEST_ENTRY = 40

__all__ = [
    "END",
    "KEYS",
    "OPERATOR",
    "AGIError",
    "AGIHangup",
    "Call",
    "NoInput",
    "NoKey",
    "Prompt",
    "Slots",
    "WantsOperator",
]


class WantsOperator(Exception):
    """The caller pressed 0, which leads to the operators' line from everywhere."""


class InDanger(Exception):
    """The caller reports a danger, and is asked nothing else."""


class Call(Playing):
    """Call in progress: say, ask, record, set a variable."""

    def __init__(
        self,
        reader: BufferedIOBase,
        writer: BufferedIOBase,
        prompts_dir: Path,
        wait_s: float,
        wait_longer: Callable[[float], object] = lambda _seconds: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        waited: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        """`wait_longer` lets Asterisk be silent for so many seconds more while the caller speaks."""
        super().__init__(reader, writer, prompts_dir, clock, waited)
        self._wait_ms = int(wait_s * 1000)
        self._slowly = False
        self._number: str | None = ""
        """Caller's number; empty before it is parsed."""
        self.silences = 0
        """Number of required questions without a key."""
        self.typed_ahead = False
        """The last question was answered before it was played: the caller knows the way."""
        self._wait_longer = wait_longer

    @property
    def script(self) -> str:
        """Name of the call script that Asterisk requests."""
        return self.env.get("agi_network_script", "")

    def is_ours(self, secret: str) -> bool:
        """Return whether our own dialplan asks, which knows the secret."""
        return hmac.compare_digest(self.env.get("agi_arg_1", "").encode(), secret.encode())

    @property
    def again(self) -> bool:
        """Whether an earlier script broke off in this call, and this one continues it."""
        return bool(self.env.get("agi_arg_2"))

    @property
    def argument(self) -> str:
        """Extra argument from the dialplan; empty if there is none."""
        return self.env.get("agi_arg_3", "")

    @property
    def channel_id(self) -> str:
        """Unique id of the channel; in a callback it is the token."""
        return self.env.get("agi_uniqueid", "")

    @property
    def caller_id(self) -> str:
        """Caller ID from the network: any text, or none."""
        return self.env.get("agi_callerid", "")

    def number(self, allowed_prefixes: tuple[str, ...]) -> str | None:
        """Return the caller's E.164 number if it may be called, else None.

        The number is parsed once, because parsing takes as long as a query.
        """
        if self._number == "":
            try:
                self._number = numbers.parse(self.caller_id, allowed_prefixes)
            except Refused:
                self._number = None
        return self._number

    def set(self, variable: Variable, value: str) -> None:
        """Set a channel variable for the dialplan."""
        self.set_variable(variable.value, value)

    def get(self, variable: Variable) -> str:
        """Return a channel variable; empty if it is not set."""
        return self._value(f"${{{variable.value}}}")

    def let_go(self) -> None:
        """Let the dialplan continue at once; this script, maybe at work in another thread, says no more."""
        self.send_command("SET VARIABLE", self._quote(Variable.FINISHED.value), self._quote("1"))
        self.stdout.end()

    def speak(self, language: str) -> None:
        """Switch the language, here and for the dialplan's own announcements."""
        self.language = language
        self.set(Variable.LANGUAGE, language)

    def ask(
        self,
        *prompts: str | Prompt,
        keys: str,
        tries: int = _TRIES,
        optional: bool = False,
    ) -> str:
        """Play prompts and return one of `keys`; a key stops a prompt at once, * plays them again.

        After a silence, and before the last try, the slower question is played if the catalogue has one.
        Raise NoKey after `tries` wrong keys or a second silence in a row. Raise WantsOperator for a 0 where 0
        leads there. An `optional` question returns an empty text after a #, one silence, or `tries` wrong
        keys. A key that is pressed twice at a question that was heard counts once.
        """
        mistake: tuple[str, ...] = ()
        silent = self._is_known_silent()
        most = tries
        for _ in range(tries + REPLAYS):
            last = (silent or tries == 1 < most) and not optional
            key = self._question((*mistake, *prompts), last=last, longer=silent)
            if key and key in keys:
                if not self.typed_ahead:
                    self._keys.answered(key)
                return key
            if key == OPERATOR and self.leads_to_operator:
                raise WantsOperator
            mistake = ()
            if key == AGAIN:
                continue
            tries -= 1
            if optional and key in ("", END):
                self._unknown_s = 0.0 if key else _LATE_S
                break
            twice = silent and not key
            silent = self._is_silence(key)
            if tries == 0 or twice:
                break
            mistake = (self._mistake(key),)
        if optional:
            return ""
        raise NoKey

    def nothing_more(self) -> None:
        """Raise WantsOperator for a 0 that was pressed in the last prompt. Call it if no question follows."""
        while key := self._keys.take():
            if key == OPERATOR and self.leads_to_operator:
                raise WantsOperator

    def ask_digits(self, prompt: str, *, at_most: int, optional: bool = False, mistake: str = "") -> str:
        """Play a prompt and return the digits keyed in, without the closing #; * begins again.

        The entry ends at # or after a pause, a short one once there are `at_most` digits. Without a digit it
        asks again, and raises NoKey after the second time. An `optional` question returns an empty text at
        once. Raises WantsOperator for a 0 alone where 0 leads there. `mistake`: a prompt that explains the
        fault of the last entry.
        """
        if mistake:
            self._keys.drop()
        tries = 1 if self._is_known_silent() else _TRIES_IN_SILENCE
        for _ in range(tries + REPLAYS):
            asked = (mistake, prompt) if mistake else (prompt,)
            last = tries == 1
            first = self._question(asked, last=last, longer=last)
            digits = self._digits(first, at_most)
            if digits == OPERATOR and self.leads_to_operator:
                raise WantsOperator
            if digits or (optional and digits is not None):
                self._unknown_s = 0.0 if first else _LATE_S
                return digits
            mistake = ""
            if digits is None:
                continue
            self._is_silence("")
            tries -= 1
            if tries == 0:
                break
            mistake = self._mistake("")
        raise NoKey

    def record(self, file: Path, seconds: int) -> bool:
        """Record the caller after a tone into `file`.wav: until #, `seconds`, or a silence.

        Return False, without a file, if they said nothing; the file itself shows whether the disk took it.
        Words before a hang-up stay in the file. Raises AGIHangup.
        """
        self.play(self._prompts_dir / self.language / "beep", "")
        self._wait_longer(seconds)
        try:
            return self.record_file(file, END, seconds, _SILENCE_ENDS_S)
        finally:
            self._keys.begin_anew()  # a closing # belongs to the recording
            self._keys.entry_ended()
            self._wait_longer(0)

    def _digits(self, first: str, at_most: int) -> str | None:
        """Return the digits that begin with the key `first`; None if the caller wants to begin again."""
        digits, key = "", first
        while key and key != END and len(digits) < _LONGEST_ENTRY:
            if key == AGAIN:
                return None
            if key in DIGITS:  # some telephones have the keys A to D
                digits += key
            # Also after the last digit: its closing # must not answer the next question.
            full = len(digits) >= at_most
            key = self._keys.take() or self._wait(_CLOSING_MS if full else _BETWEEN_DIGITS_MS)
            if not key:
                self._keys.entry_ended()
        return digits

    def _mistake(self, key: str) -> str:
        """Return the prompt for a missing or wrong key, and drop the keys that follow it."""
        self._keys.drop()
        return "wrong-key" if key else "no-key-again"

    def slow_down(self) -> None:
        """Play the slower version of each question, if there is one, and double the time for a key."""
        self._slowly = True
        self._wait_ms *= 2

    def _is_known_silent(self) -> bool:
        """Return whether a number that was silent in an earlier call has pressed nothing in this one either.

        The number's first silence, with twice the time, counts for two.
        """
        return self._slowly and not self._keys.has_pressed

    def _is_silence(self, key: str) -> bool:
        self.silences += not key
        return not key

    def _question(self, prompts: Sequence[str | Prompt], *, last: bool, longer: bool) -> str:
        unknown_s, self._unknown_s = self._unknown_s, 0.0
        self.typed_ahead = self._keys.ahead
        if self.typed_ahead:
            return self._keys.take()
        known_from = self._clock() + unknown_s

        def answers(key: str) -> bool:
            known = self._clock() >= known_from or (key == OPERATOR and self.leads_to_operator)
            return self._keys.at_question(key, known=known)

        if last or self._slowly:
            prompts = [self._slower(prompt) for prompt in prompts]
        if key := self._play(*prompts, ends=answers):
            return key
        # In a call that we placed an official waits, too, so its time is not extended.
        is_longer = longer and not self._slowly and self.script == Script.MENU
        longest_ms = round(self._wait_ms * (_LONGER if is_longer else 1))
        began_ns = time.monotonic_ns()
        key = self._wait(longest_ms, answers)
        if key or (held := self._after_hold(began_ns)) is None:
            return key
        if held and self._keys.at_question(held):
            return held
        return self._question(prompts, last=last, longer=longer)

    def _wait(self, longest_ms: int, answers: Callable[[str], bool] | None = None) -> str:
        """Return the key that comes in this time and answers anything, or an empty text."""
        answers = answers or self._keys.at_question
        until, left_ms = self._clock() + longest_ms / 1000, longest_ms
        while left_ms > 0:
            key = str(self.wait_for_digit(left_ms))
            if not key or answers(key):
                return key
            left_ms = int((until - self._clock()) * 1000)
        return ""

    def _slower(self, prompt: str | Prompt) -> Prompt:
        prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
        slow = f"{prompt.id}-slow"
        known = list_prompts(prompt.language or self.language)
        return prompt._replace(id=slow) if slow in known else prompt
