"""Work that takes long: the caller hears that it goes on, and no key of theirs is lost."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ivr import agi
from ivr.call import AGIHangup, Call
from tests.kit.fake_channel import said

PATIENCE_S = 30
TIME_OUT = said("WAIT FOR DIGIT", "time-out")
PLAYED = said("STREAM FILE", "played out")
NOT_HELD = said("GET FULL VARIABLE", "not held")


@pytest.fixture(name="wires")
def _wires(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Call, socket.socket]]:
    """A call whose caller is told at once, and Asterisk's end of its connection."""
    monkeypatch.setattr(agi, "_PATIENT_S", 0.0)
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as reader, ours.makefile("wb", buffering=0) as writer:
        theirs.settimeout(PATIENCE_S)
        theirs.sendall(b"\n")
        yield Call(reader, writer, Path("/prompts"), 2.0), theirs


def answering(asterisk: socket.socket, playing: Callable[[], bytes]) -> None:
    """Answer as Asterisk does, at once after the time of a wait; `playing` is done as a prompt begins."""
    with asterisk.makefile("rb") as commands:
        for command in commands:
            if command.startswith(b"WAIT"):
                threading.Event().wait(agi._LISTEN_MS / 1000)
                asterisk.sendall(TIME_OUT)
            elif command.startswith(b"STREAM"):
                asterisk.sendall(playing())
            else:
                asterisk.sendall(NOT_HELD)


@pytest.mark.parametrize("leads", [True, False])
def test_key_during_an_announcement_answers_a_known_question(wires: tuple[Call, socket.socket], leads: bool):
    call, asterisk = wires
    said_so = threading.Event()

    def presses() -> bytes:
        said_so.set()
        return said("STREAM FILE", "a key", ord("2"))

    threading.Thread(target=answering, args=(asterisk, presses), daemon=True).start()
    with call.working(leads=leads):
        assert said_so.wait(PATIENCE_S)

    assert call._keys.take() == ("2" if leads else "")


def test_longer_work_repeats_the_announcement(
    wires: tuple[Call, socket.socket], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(agi, "_PATIENT_AGAIN_S", 0.0)
    call, asterisk = wires
    times, twice = list[int](), threading.Event()

    def again() -> bytes:
        times.append(1)
        if len(times) == 2:
            twice.set()
        return PLAYED

    threading.Thread(target=answering, args=(asterisk, again), daemon=True).start()
    with call.working():
        assert twice.wait(PATIENCE_S)


def test_work_ending_during_the_announcement_repeats_nothing(
    wires: tuple[Call, socket.socket], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(agi, "_PATIENT_AGAIN_S", 0.0)
    call, asterisk = wires
    begun, over, times = threading.Event(), threading.Event(), list[int]()

    def once() -> bytes:
        times.append(1)
        begun.set()
        assert over.wait(PATIENCE_S)
        return PLAYED

    threading.Thread(target=answering, args=(asterisk, once), daemon=True).start()
    is_due = agi.EARLY.due

    def due(connection: int) -> bool:
        """The work is over: only now the prompt is, too."""
        over.set()
        return is_due(connection)

    monkeypatch.setattr(agi.EARLY, "due", due)
    with call.working():
        assert begun.wait(PATIENCE_S)

    assert times == [1]


def test_hang_up_during_the_announcement_is_raised_after_work(
    wires: tuple[Call, socket.socket],
):
    call, asterisk = wires
    hung_up, done = threading.Event(), False

    def hangs_up() -> bytes:
        hung_up.set()
        return said("STREAM FILE", "hang-up")

    threading.Thread(target=answering, args=(asterisk, hangs_up), daemon=True).start()
    with pytest.raises(AGIHangup), call.working():
        assert hung_up.wait(PATIENCE_S)
        done = True

    assert done
