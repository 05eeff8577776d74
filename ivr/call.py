"""One telephone call, as a call script sees it. Nothing else of ours speaks AGI."""

from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path

from asterisk.agi import AGI, AGIAppError, AGIError, AGIHangup

from dialplan.variables import Variable
from prompts.catalogue import clips

Slots = dict[str, str | int]
KEYS = "0123456789*#"
AGAIN = "*"
_TRIES = 3
_REPLAYS = 10
"""So often * plays a question again; a line is not for keeping."""
_LINE = 8192
_MAX_ENV = 200
_LONGEST_RESULT = 4  # a key's code, 0 or -1
_BETWEEN_DIGITS_MS = 4000
_CLOSING_MS = 1500

__all__ = ["AGIError", "AGIHangup", "Call", "Gone"]


class Gone(Exception):
    """The caller said nothing usable three times: say goodbye and end."""


class _Lines:
    """What pyst2 takes for stdin: bounded, tolerant of bad UTF-8, and honest about the end."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def readline(self) -> str:
        """The next line that is not the asynchronous HANGUP notice. Raises AGIHangup, AGIError."""
        while True:
            line = self._stream.readline(_LINE)
            if not line:
                raise AGIHangup("the connection ended")
            if not line.endswith(b"\n"):
                raise AGIError("a line without an end")
            if line.strip() != b"HANGUP":
                return line.decode("utf-8", "replace")


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
        self, reader: BufferedIOBase, writer: BufferedIOBase, prompts_dir: Path, wait_s: float
    ) -> None:
        # Not super().__init__: it installs a signal handler, which fails in a thread.
        self.stdin = _Lines(reader)
        self.stdout = _Commands(writer)
        self.stderr = _Silence()
        self._got_sighup = False
        self._prompts_dir = prompts_dir
        self._wait_ms = int(wait_s * 1000)
        self._pressed = ""
        self.language = "fa"
        self.env: dict[str, str] = {}
        self._get_agi_env()

    def _get_agi_env(self) -> None:
        for _ in range(_MAX_ENV):
            line = self.stdin.readline().strip()
            if not line:
                return
            key, _, value = line.partition(":")
            self.env[key.strip()] = value.strip()
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

    def say(self, prompt: str, **slots: str | int) -> None:
        """Play one prompt. A key ends it at once and counts for the next question."""
        self._pressed = self._play(self._clips(prompt, slots)) or self._pressed

    def ask(self, *prompts: str | tuple[str, Slots], keys: str, tries: int = _TRIES) -> str:
        """Play prompts and return one of `keys`; a key ends a prompt at once, * plays them again.

        A prompt is an id, or an id with its slots. Raises Gone after so many silences or wrong keys.
        """
        for _ in range(tries + _REPLAYS):
            key = self._question(prompts)
            if key and key in keys:
                return key
            if key == AGAIN:
                continue
            tries -= 1
            if tries == 0:
                break
            self.say("wrong-key" if key else "no-key-again")
        raise Gone

    def ask_digits(self, prompt: str, *, at_most: int) -> str:
        """Play a prompt and return the digits keyed in, without the closing #.

        Ends at # or after a pause, a short one once there are `at_most` digits. Raises Gone after the
        third silence.
        """
        for attempt in range(1, _TRIES + 1):
            digits = self._digits(self._question((prompt,)), at_most)
            if digits:
                return digits
            if attempt < _TRIES:
                self.say("no-key-again")
        raise Gone

    def _digits(self, first: str, at_most: int) -> str:
        digits, key = "", first
        while key and key != "#":
            digits += key
            # Also after the last digit: its closing # must not answer the next question.
            full = len(digits) >= at_most
            key = self.wait_for_digit(_CLOSING_MS if full else _BETWEEN_DIGITS_MS)
        return digits

    def _question(self, prompts: Sequence[str | tuple[str, Slots]]) -> str:
        key, self._pressed = self._pressed, ""
        for prompt in prompts:
            if key:
                return key
            name, slots = (prompt, Slots()) if isinstance(prompt, str) else prompt
            key = self._play(self._clips(name, slots))
        return key or str(self.wait_for_digit(self._wait_ms))

    def _clips(self, prompt: str, slots: Slots) -> Sequence[str]:
        return clips(self.language, prompt, **slots)

    def _play(self, clip_ids: Sequence[str]) -> str:
        for clip in clip_ids:
            key = self.stream_file(self._quote(self._prompts_dir / self.language / clip), KEYS)
            if key:
                return str(key)
        return ""
