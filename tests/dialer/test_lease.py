"""A node's dialer under its lease: who cannot renew it ends its calls, and begins none."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Node, Official, OfficialKind
from dialer import lease as module
from dialer.lease import NodeLease, fenced
from hotline.nodes import leases
from settings import Settings
from tests.kit.process import until

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one machine, and no lease to lose."""


class Clock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Asterisk:
    """Counts how often it is told to end all calls."""

    def __init__(self) -> None:
        self.told, self.hears = 0, True

    def hang_up(self) -> bool:
        self.told += 1
        return self.hears


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "clock", clock)
    return clock


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def lease(settings: Settings, engine: Engine, clock: Clock, asterisk: Asterisk) -> Iterator[NodeLease]:
    lease = NodeLease(settings.model_copy(update={"node": "one"}), asterisk.hang_up)
    yield lease
    lease.close()


def another(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        leases.take(session, settings.model_copy(update={"node": "two"}))


def turn(lease: NodeLease) -> None:
    """A turn in which a second has gone by."""
    lease._next_look = 0.0
    lease.turn()


def silent(lease: NodeLease, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database answers this dialer no more."""

    def no_answer(*_: object) -> bool:
        raise OSError

    monkeypatch.setattr(lease, "_take", no_answer)
    monkeypatch.setattr(lease, "_holds", no_answer)


def test_given_two_dialers_of_one_node_when_both_ask_then_one_has_it_and_the_other_after_it(
    lease: NodeLease, settings: Settings
) -> None:
    other = NodeLease(settings.model_copy(update={"node": "one"}), lambda: True)
    turn(lease)
    turn(other)
    assert (lease.leads(), other.leads()) == (True, False)
    epoch = lease.epoch
    lease.close()

    def has_it() -> bool:
        turn(other)
        return other.leads()

    until(has_it, "the server has ended the first one's session")
    assert other.epoch == epoch + 1
    other.close()


def test_given_the_only_node_when_the_database_is_away_then_nothing_is_ended(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(lease)
    silent(lease, monkeypatch)
    clock.at += 60
    turn(lease)
    assert not lease.leads() and asterisk.told == 0


def test_given_one_node_of_two_when_it_cannot_renew_then_its_calls_are_ended_before_the_lease_is(
    lease: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    another(engine, settings)
    turn(lease)
    epoch = lease.epoch
    assert lease.leads() and lease.holds(epoch)
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S - 1
        turn(lease)
        assert not lease.leads() and asterisk.told == 0
        clock.at += 1
        turn(lease)
        assert asterisk.told == 1
    asterisk.hears = False
    turn(lease)
    assert not lease.leads(), "not before its Asterisk was told"
    asterisk.hears = True
    turn(lease)
    assert lease.leads() and lease.epoch > epoch and not lease.holds(epoch)


def test_given_a_dialer_that_was_stopped_when_it_wakes_then_it_does_nothing_before_it_has_ended_its_calls(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    another(engine, settings)
    turn(lease)
    epoch = lease.epoch
    clock.at += leases.LEASE.total_seconds()
    assert not lease.leads() and not lease.holds(epoch), "whichever of its threads wakes first"
    turn(lease)
    assert asterisk.told >= 1 and not lease.holds(epoch)


def test_given_a_node_whose_work_was_taken_when_it_renews_then_it_ends_its_calls_and_begins_anew(
    lease: NodeLease, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    another(engine, settings)
    turn(lease)
    before = fenced(engine, settings.model_copy(update={"node": "one"}), lease.epoch)
    with writing(engine) as session:
        gone = now(session) - leases.LEASE - leases.GRACE
        session.execute(update(Node).where(Node.name == "one").values(lease_until=gone))
        assert leases.declare_dead(session, "one")
    turn(lease)
    assert not lease.leads()
    with pytest.raises(leases.Fenced), writing(before) as session:
        session.add(Official(kind=OfficialKind.MAYOR, office_fa="-", office_en="-", clip="-"))
    turn(lease)
    assert lease.leads() and asterisk.told == 1
    with reading(engine) as session:
        assert {node.name for node in leases.live(session)} == {"one", "two"}
