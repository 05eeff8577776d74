"""News of the event log: told by the database, and found by a look where it is not."""

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import OperationalError

import pytest
from sqlalchemy import Engine

from db import events, news
from db.engine import writing
from db.news import Watch
from hotline import heartbeats
from tests.kit.databases import held, on_both

__all__ = ["on_both"]

LONG_S = 30.0
"""Nothing here comes by itself: what does not wait so long was told."""


@pytest.fixture
def waiting(engine: Engine) -> Iterator[Watch]:
    waiting = Watch(engine)
    assert waiting.wait(), "what there is already is news to who has just come"
    yield waiting
    waiting.close()


def _append(engine: Engine) -> None:
    with writing(engine) as session:
        events.append_timetable(session, "rule")


def test_committed_event_wakes_the_watcher_at_once(engine: Engine, waiting: Watch) -> None:
    for _ in range(3):
        before = waiting.newest
        later = threading.Timer(0.05, _append, [engine])
        later.start()
        began = time.monotonic()
        assert waiting.wait(LONG_S)
        assert time.monotonic() - began < LONG_S / 3
        later.join()
        assert waiting.newest is not None and before is not None and waiting.newest > before


def test_other_commit_wakes_no_watcher(engine: Engine, waiting: Watch) -> None:
    with writing(engine) as session:
        heartbeats.beat(session, "ivr")
    assert waiting._bell is not None
    assert not waiting._bell.rings(0.0), "nobody wakes up for it"


def test_rolled_back_event_wakes_no_watcher(engine: Engine, waiting: Watch) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        events.append_timetable(session, "rule")
        raise ZeroDivisionError
    assert not waiting.wait(0.01)


def test_poll_finds_an_event_without_notification_and_speeds_up(
    engine: Engine, waiting: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []

    def deaf(_bell: object, within_s: float) -> bool:
        looked.append(within_s)
        return False

    for kind in (news._Notified, news._Touched):
        monkeypatch.setattr(kind, "rings", deaf)
    _append(engine)
    assert waiting.wait()
    _append(engine)
    assert waiting.wait()
    assert looked == [news.LOOK_S, news._LATE_S, news.POLL_S]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_poll_finds_an_event_when_the_signal_file_is_unwritable(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: Path) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Path, "touch", full)
    monkeypatch.setattr(news, "LOOK_S", 0.01)
    watch = Watch(engine)
    try:
        assert watch.wait()
        _append(engine)
        assert watch.wait()
    finally:
        watch.close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_locked_database_raises_once_no_write_is_recent(
    engine: Engine, waiting: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waiting._bell is not None
    waiting._bell._driver.execute("PRAGMA busy_timeout = 0")
    _append(engine)
    assert waiting.wait()
    with held(engine):
        assert not waiting.wait(0.01), "it was just written: that nobody can is no wonder, and nobody asks"
        monkeypatch.setattr(news, "_UNWRITTEN_S", 0.0)
        with pytest.raises(OperationalError, match="locked"):
            waiting.wait(0.01)
    assert waiting.wait(), "it begins anew"
    assert not waiting.wait(0.01)


def test_lost_connection_is_reopened_without_a_missed_event(engine: Engine, waiting: Watch) -> None:
    assert waiting._bell is not None
    waiting._bell._driver.close()
    _append(engine)
    with pytest.raises(Exception, match="closed"):
        waiting.wait()
    assert waiting.newest is None
    assert waiting.wait()
    assert waiting.newest
