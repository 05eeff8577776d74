"""The dialer at work on one database; test files of what both must keep say so."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.models import PlacedCall
from dialer import ami as ami_module
from dialer import asterisk_events, call_ahead, polling, rooms
from dialer import lease as lease_module
from dialer import loop as module
from dialer.lease import NodeLease
from settings import Settings
from tests.dialer.hall import Hall
from tests.dialer.node_lease import Asterisk, Clock, another, turn
from tests.dialer.office import Office
from tests.kit.databases import on_one
from tests.kit.fake_manager import FakeManager

__all__ = ["on_one"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten delays from seconds to moments."""
    monkeypatch.setattr(ami_module, "_READ_S", 2.0)  # few are silent; none that is only slow may seem so
    monkeypatch.setattr(ami_module, "_RETRY_S", 0.02)
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 0.1)
    for name in ("POLL_S", "CALM_S", "REST_S", "EMPTY_S"):
        monkeypatch.setattr(polling, name, 0.01)
    for name in ("_BACKOFF_S", "_RECONCILE_S"):
        monkeypatch.setattr(module, name, 0.01)


@pytest.fixture
def manager(settings: Settings, quick: None) -> Iterator[FakeManager]:
    with FakeManager(settings.ami) as manager:
        yield manager


@pytest.fixture
def office(settings: Settings, engine: Engine, manager: FakeManager) -> Iterator[Office]:
    office = Office(settings, engine, manager)
    yield office
    office.close()


@pytest.fixture
def hall(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    monkeypatch.setattr(rooms, "_AGAIN_S", 60.0)  # however slow this machine is at the moment
    hall = Hall(settings, engine, manager)
    monkeypatch.setattr(call_ahead.round_statistics, "count_calls_wanted", hall.calls_wanted)
    yield hall
    hall.close()
    called = [o["ChannelId"] for o in manager.named("Originate") if o["Context"] != "aside"]
    assert len(set(called)) == len(called), "nobody's phone rings twice for one callback"
    with reading(engine) as session:
        written = set(session.scalars(select(PlacedCall.token)))
    assert set(called) <= written, "every call is written down"


@pytest.fixture
def impatient(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat at once what Asterisk did not do."""
    monkeypatch.setattr(rooms, "_AGAIN_S", 0.05)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lease_module, "read_clock", clock)
    return clock


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def lease(settings: Settings, engine: Engine, clock: Clock, asterisk: Asterisk) -> Iterator[NodeLease]:
    lease = NodeLease(settings.model_copy(update={"node": "one"}), asterisk.hang_up)
    yield lease
    lease.close()


@pytest.fixture
def one_of_two(lease: NodeLease, engine: Engine, settings: Settings) -> NodeLease:
    """The lease of a node that works, and knows of another."""
    another(engine, settings)
    turn(lease)
    return lease
