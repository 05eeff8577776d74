"""How long Asterisk takes to answer its line, asked of the real one and of some that do not answer."""

import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ivr import sip_latency
from settings import Settings, load
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.sip import Address, Request
from tests.kit.sip_peer import Peer


@contextmanager
def _asking(settings: Settings, *, rush: Callable[[], bool] = lambda: True) -> Iterator[list[float]]:
    """Yield the answer times so far."""
    took: list[float] = []
    stop = threading.Event()
    asking = threading.Thread(target=sip_latency.keep_asking, args=(settings, rush, took.append, stop))
    asking.start()
    try:
        yield took
    finally:
        stop.set()
        asking.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_rush_probes_asterisk_often_without_log_lines(
    host: str,
):
    trunk, sip = {"host": f"{host}:{free_port()}"}, f"{host}:{free_port()}"
    with LoneAsterisk(trunk, HOTLINE_SIP=sip) as asterisk, _asking(asterisk.settings) as took:
        before = asterisk.log()
        until(lambda: len(took) >= 20, "it has answered", 20)
        assert sorted(took)[10] < math.inf, "it knows who asks"
        assert asterisk.log() == before


def test_probe_under_an_unknown_name_counts_as_no_answer(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sip_latency, "ASKS", "desk-1")
    with (
        LoneAsterisk({"allowed": ["192.0.2.1"]}) as asterisk,
        sip_latency._line(asterisk.settings) as line,
    ):
        assert sip_latency._ask(line, asterisk.settings) == math.inf


class _Line(Peer):
    """An Asterisk that answers as it is told to."""

    status = "200 OK"

    def asked(self, request: Request, sender: Address) -> None:
        if self.status:
            self.answer(request, self.status, sender)


@pytest.fixture
def line() -> Iterator[_Line]:
    with _Line("127.0.0.1", free_port()) as line:
        yield line


@pytest.fixture
def settings(line: _Line, own_environment: None) -> Settings:
    return load(_env_file=None, sip=f"127.0.0.1:{line.port}")


def test_quiet_asterisk_is_probed_once(line: _Line, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sip_latency, "_QUIET_S", 0.01)
    looks: list[None] = []
    with _asking(settings, rush=lambda: bool(looks.append(None))) as took:
        until(lambda: len(looks) > 20, "many quiet moments")
    assert not took and len(line.requests) == 1


@pytest.mark.parametrize("status", ["", "503 Service Unavailable"])
def test_asterisk_that_stops_answering_counts_as_late(
    line: _Line, settings: Settings, monkeypatch: pytest.MonkeyPatch, status: str
):
    monkeypatch.setattr(sip_latency, "ANSWER_S", 0.05)
    monkeypatch.setattr(sip_latency, "_EVERY_S", 0.01)
    with _asking(settings) as took:
        until(lambda: took, "it has answered")
        line.status = status
        until(lambda: took[-1] == math.inf, "it is late")
        seen = len(took)
        until(lambda: len(took) > seen + 20, "it is asked on")
        assert set(took[seen:]) == {math.inf}
        line.status = "200 OK"
        until(lambda: took[-1] < math.inf, "it answers again")


@pytest.mark.parametrize("status", ["", "401 Unauthorized"])
def test_asterisk_that_does_not_know_us_is_left_for_a_minute(
    line: _Line, settings: Settings, monkeypatch: pytest.MonkeyPatch, status: str
):
    monkeypatch.setattr(sip_latency, "ANSWER_S", 0.05)
    monkeypatch.setattr(sip_latency, "_EVERY_S", 0.01)
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return super().wait(min(timeout or 0, 0.01))

    line.status = status
    stop, took = Stop(), []
    asking = threading.Thread(
        target=sip_latency.keep_asking, args=(settings, lambda: True, took.append, stop)
    )
    asking.start()
    until(lambda: 60.0 in pauses[:-1], "it is let alone")
    stop.set()
    asking.join()
    assert not took, "whoever does not know us makes nothing late"


def test_late_answer_is_not_taken_for_the_next_probe(
    line: _Line, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sip_latency, "ANSWER_S", 0.2)
    monkeypatch.setattr(sip_latency, "_EVERY_S", 0.01)
    held: list[tuple[Request, Address]] = []

    def asked(request: Request, sender: Address) -> None:
        held.append((request, sender))
        if len(held) == 1:
            line.answer(request, "200 OK", sender)
        elif len(held) > 2:  # the one before, while this one waits
            line.answer(held[-2][0], "200 OK", held[-2][1])

    monkeypatch.setattr(line, "asked", asked)
    with _asking(settings) as took:
        until(lambda: len(took) >= 5, "some were asked")
    assert set(took[1:]) == {math.inf}


def test_absent_asterisk_reports_nothing_until_it_is_there(
    own_environment: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sip_latency, "_QUIET_S", 0.01)
    monkeypatch.setattr(sip_latency, "_EVERY_S", 0.01)
    port = free_port()
    refused: list[None] = []

    def line_of(settings: Settings) -> socket.socket:
        refused.append(None)
        return real(settings)

    real = sip_latency._line
    monkeypatch.setattr(sip_latency, "_line", line_of)
    with _asking(load(_env_file=None, sip=f"127.0.0.1:{port}")) as took:
        until(lambda: len(refused) > 5, "nobody is there")
        assert not took
        with _Line("127.0.0.1", port):
            until(lambda: took and took[-1] < math.inf, "it is there")
