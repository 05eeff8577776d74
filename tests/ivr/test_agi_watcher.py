"""Keys that are pressed while we work: no thread is begun for a work that is over before Asterisk answers."""

import socket
import threading
from collections.abc import Iterator

import pytest

from ivr.agi import Agi, AGIHangup
from ivr.agi_watcher import EARLY, DueAnswers

PATIENCE_S = 30


@pytest.fixture(name="wires")
def _wires() -> Iterator[tuple[Agi, socket.socket]]:
    """A call, and Asterisk's end of its connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as reader, ours.makefile("wb", buffering=0) as writer:
        theirs.settimeout(PATIENCE_S)
        theirs.sendall(b"\n")
        yield Agi(reader, writer), theirs


def test_work_that_is_over_first_leaves_the_key_to_its_thread(
    wires: tuple[Agi, socket.socket], monkeypatch: pytest.MonkeyPatch
):
    agi, asterisk = wires
    heard = list[tuple[str, int]]()
    is_due = EARLY.due

    def due(connection: int) -> bool:
        """The work is over: only now Asterisk answers."""
        nobody_told = is_due(connection)
        asterisk.sendall(b"200 result=49\n")
        threading.Thread(target=answer_the_next).start()
        return nobody_told

    def answer_the_next() -> None:
        assert asterisk.recv(100) == b"WAIT FOR DIGIT 20\n"
        asterisk.sendall(b"200 result=0\n")

    monkeypatch.setattr(EARLY, "due", due)
    with agi.listening(lambda key: heard.append((key, threading.get_ident()))):
        assert asterisk.recv(100) == b"WAIT FOR DIGIT 20\n"
    assert heard == [("1", threading.get_ident())]


def test_keys_during_longer_work_are_heard(
    wires: tuple[Agi, socket.socket],
):
    agi, asterisk = wires
    heard, came = list[str](), threading.Event()

    def hears(key: str) -> None:
        heard.append(key)
        came.set()

    with agi.listening(hears):
        for key in "12":
            assert asterisk.recv(100) == b"WAIT FOR DIGIT 20\n"
            came.clear()
            asterisk.sendall(f"200 result={ord(key)}\n".encode())
            assert came.wait(PATIENCE_S)
        asterisk.sendall(b"200 result=0\n")
    assert heard == ["1", "2"]


def test_call_after_a_failed_thread_is_watched(
    monkeypatch: pytest.MonkeyPatch,
):
    early, told = DueAnswers(), threading.Event()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with monkeypatch.context() as patched, pytest.raises(RuntimeError):
            patched.setattr(threading.Thread, "start", _no_thread)
            early.expect(ours.fileno(), told.set)
        early.expect(ours.fileno(), told.set)
        theirs.sendall(b"200 result=0\n")
        assert told.wait(PATIENCE_S)


def _no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("gone", ["before", "meanwhile"])
def test_asterisk_gone_during_work_is_raised_after_it(wires: tuple[Agi, socket.socket], gone: str):
    agi, asterisk = wires
    if gone == "before":
        asterisk.close()
    worked = False
    with pytest.raises((AGIHangup, ConnectionError)), agi.listening(lambda _key: None):
        asterisk.close()
        worked = True
    assert worked
