"""Two machines that were given the same name: one of them is the node, and the other says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update

from db.engine import now, reading, writing
from db.models import Callback, Node
from db.states import CallbackState as C
from dialer.lease import NodeLease
from hotline.nodes import leases
from settings import Settings
from settings.addresses import Address
from tests import factories as make
from tests.dialer.node_lease import Asterisk, Clock, turn
from tests.kit.process import until

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one machine, and no lease to lose."""


@pytest.fixture
def second(settings: Settings, asterisk: Asterisk, tmp_path: Path) -> Iterator[NodeLease]:
    """Another machine's, which was given the same name."""
    copy = {"node": "one", "state_dir": tmp_path / "second", "sip": Address("127.0.0.1", 5999)}
    second = NodeLease(settings.model_copy(update=copy), asterisk.hang_up)
    yield second
    second.close()


def test_second_machine_of_a_name_reports_it_and_yields(
    lease: NodeLease, second: NodeLease, clock: Clock, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    turn(lease)
    for _ in range(3):
        turn(second)
        turn(lease)
    assert (lease.leads(), second.leads()) == (True, False)
    assert caplog.text.count("another machine is node one already") == 1, "once a minute"
    epoch = lease.epoch
    lease.close()  # its dialer is started again, and the second one may have the lock first
    until(lambda: not has_lock(engine), "the server has ended its session")
    turn(second)
    assert not second.leads(), "its lease lasts"
    again = NodeLease(lease._settings, Asterisk().hang_up)
    turn(again)
    assert again.leads() and again.epoch == epoch + 1, "the same machine is not locked out"
    again.close()


@pytest.mark.parametrize("fences", [True, False])
def test_successor_of_a_lost_machine_takes_over_ended_calls_only(
    lease: NodeLease, second: NodeLease, asterisk: Asterisk, engine: Engine, fences: bool
) -> None:
    turn(lease)
    turn(second)
    lease.close()
    until(lambda: not has_lock(engine), "the server has ended its session")
    with writing(engine) as session:
        callback = make.a_callback(session, C.TALKING)
        callback.node, callback.talking_at = "one", now(session)
        gone = now(session) - leases.LEASE - leases.GRACE
        session.execute(update(Node).values(lease_until=gone, fences=fences))
    for _ in range(3):
        turn(second)
    assert second.leads() is fences, "one that was alone may be cut off, and in conversation"
    with reading(engine) as session:
        state = session.get_one(Callback, callback.id).state
    assert state is (C.CLOSED if fences else C.TALKING)


def has_lock(engine: Engine) -> bool:
    held = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database AND datname = current_database()"
        " WHERE locktype = 'advisory' AND classid = 138 AND granted"
    )
    with engine.connect() as connection:
        return bool(connection.scalar(held))
