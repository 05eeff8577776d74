"""Calls on 137 are counted by the hour, whoever was turned away too, and cost no call a transaction."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Incoming
from dialplan.variables import Script
from hotline.reports import call_counts
from ivr import server
from ivr.call_counter import CallCounter
from settings import Settings
from tests.factories import at_once
from tests.kit.fake_asterisk import answering, transactions

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERED, TURNED_AWAY = Incoming.ANSWERED, Incoming.TURNED_AWAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The database's clock, as a list of one moment."""
    moment = [datetime(2026, 12, 2, 6, 29, 59, tzinfo=UTC)]
    monkeypatch.setattr(call_counts, "now", lambda _session: moment[0])
    return moment


def test_calls_are_counted_by_local_hour(session: Session, clock: list[datetime]) -> None:
    call_counts.add(session, {ANSWERED: 2, TURNED_AWAY: 1})
    call_counts.add(session, {})
    call_counts.add(session, {ANSWERED: 3})
    clock[0] += timedelta(seconds=1)  # 06:30 in UTC: ten o'clock in Isfahan
    call_counts.add(session, {ANSWERED: 4})

    nine, ten = (datetime(2026, 12, 2, hour, 30, tzinfo=UTC) for hour in (5, 6))
    assert call_counts.count_by_hour(session, LONG_AGO) == {
        nine: {ANSWERED: 5, TURNED_AWAY: 1},
        ten: {ANSWERED: 4},
    }
    assert call_counts.count_by_hour(session, ten) == {ten: {ANSWERED: 4}}


def test_concurrent_counts_lose_none(engine: Engine) -> None:
    def add(_which: int) -> None:
        for _ in range(10):
            with writing(engine) as session:
                call_counts.add(session, {TURNED_AWAY: 1, ANSWERED: 1})

    at_once(8, add)
    with reading(engine) as session:
        hours = call_counts.count_by_hour(session, LONG_AGO).values()
    assert sum((Counter(hour) for hour in hours), Counter()) == {ANSWERED: 80, TURNED_AWAY: 80}


def test_failed_write_keeps_the_counts() -> None:
    counter = CallCounter()
    for script in (Script.MENU, Script.CALLBACK, Script.WAIT, Script.MENU, Script.LINES_FULL):
        counter.count(script)
    with pytest.raises(OSError), counter.taken() as counts:
        counter.count(Script.MENU)
        assert counts == {ANSWERED: 2, TURNED_AWAY: 1}
        raise OSError
    with counter.taken() as counts:
        assert counts == {ANSWERED: 3, TURNED_AWAY: 1}
    with counter.taken() as counts:
        assert not counts


@pytest.mark.parametrize("backend", ["sqlite"])
def test_refused_caller_costs_no_transaction(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = CallCounter()
    monkeypatch.setattr(server, "CallCounter", lambda: counter)
    with answering(settings, engine) as asterisk:
        begun = transactions(engine)
        assert asterisk.dial(script=Script.LINES_FULL).clips == []
        assert begun == []
    with counter.taken() as counts:
        assert counts == {TURNED_AWAY: 1}
