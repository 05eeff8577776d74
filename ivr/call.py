"""One telephone call, as a call script sees it. Nothing else of ours speaks AGI."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BufferedIOBase
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

from asterisk import agi
from asterisk.agi import AGI, AGIAppError, AGIError, AGIHangup

from dialplan.variables import Variable
from prompts.catalogue import Value, clips, prompt_ids

# It lays out each answer for the log that `_Silence` drops: a tenth of a call's CPU.
agi.pprint = SimpleNamespace(pformat=str)

Slots = Mapping[str, Value]
DIGITS = "0123456789"
KEYS = f"{DIGITS}*#"
MUSIC = "moh/hold"
AGAIN = "*"
END = "#"
OPERATOR = "0"
_TRIES = 3
_REPLAYS = 10
"""So often * plays a question again; a line is not for keeping."""
_LINE = 8192
_MAX_ENV = 200
_LONGEST_RESULT = 4  # a key's code, 0 or -1
_BETWEEN_DIGITS_MS = 4000
_SILENCE_ENDS_S = 8
"""A silence that ends a recording: long enough to think, too short to fill a disk."""
_CLOSING_MS = 1500
_LONGEST_ENTRY = 40

__all__ = ["AGIError", "AGIHangup", "Call", "Gone", "Prompt", "WantsOperator"]


class Gone(Exception):
    """The caller said nothing usable three times: say goodbye and end."""


class WantsOperator(Exception):
    """The caller pressed 0, which leads to the operators' line from anywhere."""


class _NoFile(AGIError):  # type: ignore[misc]
    """Asterisk cannot write a recording."""


class Prompt(NamedTuple):
    """A prompt with its slots; `language` only where it is not the call's own."""

    id: str
    slots: Slots = MappingProxyType({})
    language: str = ""


class _Lines:
    """What pyst2 takes for stdin: bounded, tolerant of bad UTF-8, and honest about the end."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self.last = ""

    def readline(self) -> str:
        """The next line that is not the asynchronous HANGUP notice. Raises AGIHangup, AGIError."""
        while True:
            line = self._stream.readline(_LINE)
            if not line:
                raise AGIHangup("the connection ended")
            if not line.endswith(b"\n"):
                raise AGIError("a line without an end")
            if line.strip() != b"HANGUP":
                self.last = line.decode("utf-8", "replace").strip()
                return self.last


class _Commands:
    """What pyst2 takes for stdout."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def write(self, command: str) -> None:
        """Send one command: one line, whatever is in it."""
        self._stream.write(command.rstrip("\n").replace("\n", " ").encode("utf-8", "replace") + b"\n")

    def flush(self) -> None:
        """Push it out."""
        self._stream.flush()


class _Silence:
    """What pyst2 takes for stderr: it would log every variable, callers' numbers included."""

    def write(self, _text: str) -> None:
        """Drop it."""


class Call(AGI):  # type: ignore[misc]
    """A call in progress: say, ask, set a variable. Its mends of pyst2 0.5.1 are the private part."""

    def __init__(
        self,
        reader: BufferedIOBase,
        writer: BufferedIOBase,
        prompts_dir: Path,
        wait_s: float,
        wait_longer: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        """`wait_longer` lets Asterisk be silent for so many seconds more, while the caller speaks."""
        # Not super().__init__: it installs a signal handler, which fails in a thread.
        self.stdin = _Lines(reader)
        self.stdout = _Commands(writer)
        self.stderr = _Silence()
        self._got_sighup = False
        self._prompts_dir = prompts_dir
        self._wait_ms = int(wait_s * 1000)
        self._wait_longer = wait_longer
        self._pressed = ""
        self.language = "fa"
        self.leads_to_operator = False
        self.env: dict[str, str] = {}
        self._get_agi_env()

    def _get_agi_env(self) -> None:
        for _ in range(_MAX_ENV):
            line = self.stdin.readline().strip()
            if not line:
                return
            key, _, value = line.partition(":")
            self.env.setdefault(key.strip(), value.strip())  # a later one may be the caller's own invention
        raise AGIError("too many variables")

    def _quote(self, string: object) -> str:
        text = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{"".join(c for c in text if c.isprintable())}"'

    def get_result(self, stdin: object = None) -> dict[str, tuple[str, str]]:
        """pyst2's, except that -1 is a hang-up, and that no answer at all is an AGIError."""
        try:
            result: dict[str, tuple[str, str]] = super().get_result()
        except AGIHangup:
            raise
        except AGIAppError as error:
            if self.stdin.last.endswith("(writefile)"):  # the caller is still there
                raise _NoFile from error
            raise AGIHangup("the channel is gone") from error
        except ValueError as error:
            raise AGIError("not an answer") from error
        if len(result["result"][0]) > _LONGEST_RESULT:
            raise AGIError("not an answer")
        return result

    @property
    def script(self) -> str:
        """The name of the call script Asterisk asks for."""
        return self.env.get("agi_network_script", "")

    @property
    def argument(self) -> str:
        """What the dialplan gives the script to know besides; empty if nothing."""
        return self.env.get("agi_arg_1", "")

    @property
    def channel_id(self) -> str:
        """The channel's unique id; in a callback it is the token."""
        return self.env.get("agi_uniqueid", "")

    @property
    def caller_id(self) -> str:
        """The number the network gave for the caller; anything at all, or nothing."""
        return self.env.get("agi_callerid", "")

    def set(self, variable: Variable, value: str) -> None:
        """Set a channel variable for the dialplan."""
        self.set_variable(variable.value, value)

    def speak(self, language: str) -> None:
        """Go on in this language, here and in the dialplan's own announcements."""
        self.language = language
        self.set(Variable.LANGUAGE, language)

    def say(self, prompt: str, **slots: Value) -> None:
        """Play one prompt. A key ends it at once and counts for the next question."""
        self._pressed = self._play(Prompt(prompt, slots)) or self._pressed

    def tell(self, prompt: str, **slots: Value) -> None:
        """Play one prompt that no key cuts short: whoever goes on has been told."""
        self._play(Prompt(prompt, slots), keys="")

    def hear(self, *prompts: Prompt, keys: str) -> str:
        """Play prompts until one of `keys` is pressed, and return it; else an empty text."""
        for prompt in prompts:
            if key := self._play(prompt, keys):
                return key
        return ""

    def music(self, keys: str) -> str:
        """Play half a minute of music, in the same way."""
        return str(self.stream_file(self._quote(self._prompts_dir / MUSIC), keys))

    def ask(self, *prompts: str | Prompt, keys: str, tries: int = _TRIES) -> str:
        """Play prompts and return one of `keys`; a key ends a prompt at once, * plays them again.

        The last try is the slower, more explicit one where the catalogue has it. Raises Gone after so
        many silences or wrong keys, WantsOperator for a 0, where it leads there.
        """
        for _ in range(tries + _REPLAYS):
            key = self._question(prompts, last=tries == 1)
            if key and key in keys:
                return key
            if key == OPERATOR and self.leads_to_operator:
                raise WantsOperator
            if key == AGAIN:
                continue
            tries -= 1
            if tries == 0:
                break
            self.say("wrong-key" if key else "no-key-again")
        raise Gone

    def ask_digits(self, prompt: str, *, at_most: int, optional: bool = False) -> str:
        """Play a prompt and return the digits keyed in, without the closing #; * begins again.

        Ends at # or after a pause, a short one once there are `at_most` digits. Without a digit it asks
        again and raises Gone after the third time, or, where the answer is `optional`, returns an empty
        text at once. Raises WantsOperator for a 0 alone, where it leads there.
        """
        tries = _TRIES
        for _ in range(_TRIES + _REPLAYS):
            digits = self._digits(self._question((prompt,), last=tries == 1), at_most)
            if digits == OPERATOR and self.leads_to_operator:
                raise WantsOperator
            if digits or (optional and digits is not None):
                return digits
            if digits is None:
                continue
            tries -= 1
            if tries == 0:
                break
            self.say("no-key-again")
        raise Gone

    def record(self, file: Path, seconds: int) -> None:
        """Record the caller after a tone into `file`.wav: until #, `seconds`, or a silence.

        What was said before a hang-up stays in the file. Raises AGIHangup.
        """
        self.stream_file(self._quote(self._prompts_dir / self.language / "beep"), "")
        self._pressed = ""
        silence = f"s={_SILENCE_ENDS_S}"
        self._wait_longer(seconds)
        with suppress(_NoFile):  # whoever looks for the file will see
            self.execute("RECORD FILE", self._quote(file), "wav", self._quote(END), seconds * 1000, silence)
        self._wait_longer(0)

    def _digits(self, first: str, at_most: int) -> str | None:
        """The digits that begin with the key `first`; None when the caller wants to begin again."""
        digits, key = "", first
        while key and key != END and len(digits) < _LONGEST_ENTRY:
            if key == AGAIN:
                return None
            if key in DIGITS:  # a telephone may have the keys A to D
                digits += key
            # Also after the last digit: its closing # must not answer the next question.
            full = len(digits) >= at_most
            key = self.wait_for_digit(_CLOSING_MS if full else _BETWEEN_DIGITS_MS)
        return digits

    def _question(self, prompts: Sequence[str | Prompt], *, last: bool) -> str:
        key, self._pressed = self._pressed, ""
        for prompt in prompts:
            if key:
                return key
            key = self._play(self._slower(prompt) if last else prompt)
        return key or str(self.wait_for_digit(self._wait_ms))

    def _slower(self, prompt: str | Prompt) -> Prompt:
        prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
        slow = f"{prompt.id}-slow"
        known = prompt_ids(prompt.language or self.language)
        return prompt._replace(id=slow) if slow in known else prompt

    def _play(self, prompt: str | Prompt, keys: str = KEYS) -> str:
        prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
        language = prompt.language or self.language
        for clip in clips(language, prompt.id, **prompt.slots):
            key = self.stream_file(self._quote(self._prompts_dir / language / clip), keys)
            if key:
                return str(key)
        return ""
