"""Keys that are pressed while a script does something of its own: Asterisk waits for them meanwhile."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ivr import agi as module
from ivr.agi import Agi, AGIHangup
from tests.kit.fake_channel import said

TIME_OUT, HANG_UP = said("WAIT FOR DIGIT", "time-out"), said("WAIT FOR DIGIT", "hang-up")


def key(pressed: str) -> bytes:
    return said("WAIT FOR DIGIT", "a key", ord(pressed))


@contextmanager
def asterisk(*answers: bytes) -> Iterator[tuple[Agi, list[int]]]:
    """One that gives these answers, then time-outs, each after the time that it was told to wait."""
    ours, theirs = socket.socketpair()
    waited: list[int] = []

    def answer() -> None:
        left = list(answers)
        with suppress(OSError):
            for line in theirs.makefile("rb"):
                waited.append(int(line.split()[-1]))
                time.sleep(waited[-1] / 1000)  # as it does
                theirs.sendall(left.pop(0) if left else TIME_OUT)

    theirs.sendall(b"\n")
    threading.Thread(target=answer, daemon=True).start()
    with ours, theirs:
        yield Agi(ours.makefile("rb"), ours.makefile("wb", buffering=0)), waited
        ours.shutdown(socket.SHUT_RDWR)


def test_key_pressed_during_long_work_is_heard() -> None:
    heard, second = list[str](), threading.Event()

    def hears(pressed: str) -> None:
        heard.append(pressed)
        if len(heard) == 2:
            second.set()

    with asterisk(TIME_OUT, TIME_OUT, key("5"), TIME_OUT, key("6")) as (agi, _), agi.listening(hears):
        assert second.wait(10)

    assert heard == ["5", "6"]


def test_short_work_delays_the_call_by_one_short_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert module._LISTEN_MS <= 20
    monkeypatch.setattr(module, "_LISTEN_MS", 500)  # the work is over in it, however slow this machine is
    with asterisk() as (agi, waited), agi.listening(print):
        pass

    assert waited == [500]


def test_hang_up_during_work_is_raised_after_it() -> None:
    done = False
    with asterisk(HANG_UP) as (agi, _), pytest.raises(AGIHangup), agi.listening(print):
        done = True

    assert done
