"""A hall whose calls fail until they stop, and what is so then."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Breaker, Registration
from db.states import CallbackState
from dialer import call_ahead
from hotline.callbacks import schedule
from hotline.trunk import circuit_breaker
from settings import Settings
from tests.dialer.hall import Hall
from tests.kit.fake_manager import FakeManager

C = CallbackState


@pytest.fixture(name="hall")
def hall_of_failures(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    hall = Hall(settings, engine, manager)
    monkeypatch.setattr(call_ahead.round_statistics, "count_calls_wanted", hall.calls_wanted)
    # Who is passed over is so, and no probe is due, until the test says so, however slow this machine is.
    monkeypatch.setattr(schedule, "_NEXT_ONE_TRIES", timedelta(minutes=1))
    for pause in ("FIRST", "ANSWERING"):
        monkeypatch.setattr(circuit_breaker, pause, timedelta(minutes=1))
    yield hall
    hall.close()


def probe_due(hall: Hall) -> None:
    with writing(hall.engine) as session:
        session.get_one(Breaker, circuit_breaker.TRUNK).next_probe_at = now(session) - timedelta(seconds=1)


def who(hall: Hall, originate: dict[str, str]) -> int:
    return hall.callback(originate["ChannelId"]).registration_id


def head(hall: Hall) -> Registration:
    with reading(hall.engine) as session:
        return session.get_one(Registration, hall.line[0])


def fails(hall: Hall, manager: FakeManager, sip: int = 503) -> None:
    """The newest call fails by this answer."""
    token = manager.named("Originate")[-1]["ChannelId"]
    manager.refuses(token, sip)
    hall.until(lambda: hall.state(token) is C.CLOSED)


def down(hall: Hall) -> str | None:
    with reading(hall.engine) as session:
        down = circuit_breaker.find_outage(session)
    return down.why if down else None


def opened(hall: Hall, manager: FakeManager) -> int:
    """Calls to three numbers in a row have failed; how many calls there were."""
    while not down(hall):
        hall.dials()
        fails(hall, manager)
    hall.wanted = 1
    hall.until_at_rest()
    return len(manager.named("Originate"))
