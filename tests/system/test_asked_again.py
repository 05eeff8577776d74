"""The real Asterisk, and a call script that breaks off or is not there yet: what the dialplan does."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from dialplan.variables import CALLERS_ADMITTED
from tests.kit import sound
from tests.kit.caller import spoken
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.phone import Phone
from tests.kit.process import until

_PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def asterisk() -> Iterator[LoneAsterisk]:
    with LoneAsterisk() as asterisk:
        yield asterisk


class Asked:
    """One time that the script is asked for."""

    def __init__(self, server: socket.socket) -> None:
        self._wire, _ = server.accept()
        self._wire.settimeout(_PATIENCE_S)
        self._lines = self._wire.makefile("rb")
        self.env = dict(line.split(": ", 1) for line in iter(self._line, "") if ": " in line)

    def _line(self) -> str:
        return self._lines.readline().decode().strip()

    def says(self, command: str) -> str:
        """Asterisk's answer to the command."""
        self._wire.sendall(f"{command}\n".encode())
        return self._line()

    @property
    def again(self) -> str:
        """Return the language in which the script is to go on, or nothing."""
        return self.env.get("agi_arg_2", "")

    def breaks_off(self) -> None:
        """Break off as if killed."""
        self._lines.close()
        self._wire.close()


@contextmanager
def _listening(asterisk: LoneAsterisk) -> Iterator[socket.socket]:
    with socket.create_server(asterisk.settings.agi) as server:
        server.settimeout(_PATIENCE_S)
        yield server


def _heard(asterisk: LoneAsterisk, phone: Phone, *prompts: str) -> list[str]:
    ears = {prompt: spoken(asterisk.settings.prompts_dir, "fa")[prompt] for prompt in prompts}
    return [match.clip for match in sound.heard(phone.recording(), ears)]


@pytest.fixture
def phone(asterisk: LoneAsterisk) -> Iterator[Phone]:
    with Phone("09131234567", port=asterisk.trunk_port) as phone:
        yield phone


def test_broken_script_is_asked_once_more(asterisk: LoneAsterisk, phone: Phone) -> None:
    with _listening(asterisk) as server:
        call = phone.dial(asterisk.hotline)
        first = Asked(server)
        assert first.again == ""
        first.says('SET VARIABLE "HOTLINE_LANGUAGE" "fa"')
    first.breaks_off()  # and nobody listens any more
    phone.wait_for_sound(1.5, _PATIENCE_S)
    with _listening(asterisk) as server:
        second = Asked(server)
        assert second.again == "fa"
        assert second.env["agi_uniqueid"] == first.env["agi_uniqueid"]
        second.says('SET VARIABLE "HOTLINE_FINISHED" "1"')
        second.breaks_off()
        phone.wait_for("closed", _PATIENCE_S, call)
    assert set(_heard(asterisk, phone, "one-moment", "apology")) == {"one-moment"}


def test_script_broken_twice_plays_the_apology(asterisk: LoneAsterisk, phone: Phone) -> None:
    with _listening(asterisk) as server:
        call = phone.dial(asterisk.hotline)
        for again in ("", "fa"):
            asked = Asked(server)
            assert asked.again == again
            asked.says('STREAM FILE "/no/such/prompt" "" 0')  # which looks as if nobody had answered
            asked.says('SET VARIABLE "HOTLINE_FINISHED" "no"')
            asked.breaks_off()
        phone.wait_for("closed", 30, call)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert _heard(asterisk, phone, "one-moment", "apology") == ["one-moment", "apology"]


def test_absent_script_keeps_its_caller_waiting(asterisk: LoneAsterisk, phone: Phone) -> None:
    call = phone.dial(asterisk.hotline)
    phone.wait_for_sound(1.5, _PATIENCE_S)
    with _listening(asterisk) as server:
        asked = Asked(server)
        assert asked.again == "", "it begins, and does not go on"
        asked.says('SET VARIABLE "HOTLINE_FINISHED" "1"')
        asked.breaks_off()
        phone.wait_for("closed", _PATIENCE_S, call)
    assert set(_heard(asterisk, phone, "one-moment", "apology")) == {"one-moment"}


def test_long_absent_scripts_are_announced_once(asterisk: LoneAsterisk, phone: Phone) -> None:
    admitted = asterisk.settings.state_dir / CALLERS_ADMITTED
    admitted.write_text("40")
    os.utime(admitted, (1, 1))
    refused = partial(re.findall, "(?i)connect.*refused")
    before = len(refused(asterisk.log()))
    try:
        call = phone.dial(asterisk.hotline)
        until(lambda: len(refused(asterisk.log())) >= before + 2, "the script is asked for, twice")
        with _listening(asterisk) as server:
            asked = Asked(server)
            asked.says('SET VARIABLE "HOTLINE_FINISHED" "1"')
            asked.breaks_off()
            phone.wait_for("closed", _PATIENCE_S, call)
    finally:
        admitted.unlink()
    assert _heard(asterisk, phone, "one-moment", "apology") == ["one-moment"]


def test_missing_script_ends_in_the_apology(asterisk: LoneAsterisk, phone: Phone) -> None:
    call = phone.dial(asterisk.hotline)
    phone.wait_for("closed", 60, call)
    assert _heard(asterisk, phone, "one-moment", "apology")[-1] == "apology"
