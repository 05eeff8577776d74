"""A node's lease: which dialer has it, what is begun under it, and what another node may take over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, text, update

from db.engine import now, reading, writing
from db.models import Node, Official, OfficialKind
from dialer import lease as module
from dialer.lease import NodeLease, fence_engine
from hotline.nodes import administration, draining, leases
from settings import Settings
from tests.dialer.node_lease import Asterisk, Clock, another, turn
from tests.kit.process import until

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one machine, and no lease to lose."""


def test_lease_goes_to_the_second_dialer_after_the_first(
    lease: NodeLease, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    other = NodeLease(settings.model_copy(update={"node": "one"}), Asterisk().hang_up)
    with caplog.at_level("INFO", "dialer"):
        turn(lease)
    assert "this dialer acts for its node now" in caplog.text, "to lead all nodes is another thing"
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


def test_node_fences_only_while_another_exists(
    lease: NodeLease, clock: Clock, settings: Settings, engine: Engine
) -> None:
    def said() -> tuple[bool, bool]:
        turn(lease)
        with reading(engine) as session:
            return session.get_one(Node, "one").fences, lease._fence_at < float("inf")

    assert said() == (False, False)
    another(engine, settings)
    assert said() == (True, True), "at once, so that the other can take its work"
    with writing(engine) as session:
        session.execute(delete(Node).where(Node.name == "two"))
    assert [said(), said()] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    "left", [{"lost_at": func.now()}, {"lease_until": func.now() - timedelta(minutes=2)}]
)
def test_expired_row_of_a_lost_node_makes_the_other_alone(
    one_of_two: NodeLease, clock: Clock, asterisk: Asterisk, engine: Engine, left: dict[str, Any]
) -> None:
    assert one_of_two._fence_at < float("inf")
    with writing(engine) as session:
        session.execute(update(Node).where(Node.name == "two").values(**left))
    turn(one_of_two)
    turn(one_of_two)
    with reading(engine) as session:
        assert not session.get_one(Node, "one").fences
    clock.at += 60
    turn(one_of_two)
    assert asterisk.told == 0, "nobody could take its conversations"


def test_second_dialer_of_a_node_ends_none_of_its_calls(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
) -> None:
    lease = one_of_two
    second = NodeLease(lease._settings, asterisk.hang_up)
    turn(second)
    clock.at += module._START_S
    turn(second)
    assert asterisk.told == 0 and lease.leads() and not second.leads()
    second.close()


def test_restored_database_without_our_row_ends_no_call(
    lease: NodeLease, asterisk: Asterisk, engine: Engine
) -> None:
    turn(lease)
    with writing(engine) as session:
        session.execute(delete(Node))
    turn(lease)
    assert not lease.leads()

    def leads_again() -> bool:  # the server gives a lock back a moment after its connection was closed
        turn(lease)
        return lease.leads()

    until(leads_again, "it leads again")
    assert asterisk.told == 0


def test_unexpected_fault_of_a_renewal_is_retried(lease: NodeLease, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []

    def fails() -> None:
        turns.append(True)
        if len(turns) == 2:
            lease.stop()
        raise ValueError

    monkeypatch.setattr(lease, "turn", fails)
    monkeypatch.setattr(lease, "fence", fails)
    monkeypatch.setattr(module, "_RENEW_S", 0.0)
    lease.run()
    assert len(turns) == 2 and not lease.leads()
    lease._stopped.clear()
    turns.clear()
    monkeypatch.setattr(module, "_ALONE_S", 0.0)
    lease.guard()
    assert len(turns) == 2


def test_dialers_of_two_versions_exclude_each_other(lease: NodeLease, engine: Engine) -> None:
    before = text("SELECT pg_try_advisory_lock(137, 0)")
    with engine.connect() as old:
        assert old.scalar(before)
        turn(lease)
        assert not lease.leads()
        old.execute(text("SELECT pg_advisory_unlock(137, 0)"))
        turn(lease)
        assert lease.leads() and not old.scalar(before)


def test_node_whose_work_was_taken_ends_its_calls(
    one_of_two: NodeLease, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    lease = one_of_two
    before = fence_engine(engine, settings.model_copy(update={"node": "one"}), lease.epoch)
    with writing(engine) as session:
        leases.renew(session, "one", lease.epoch, fences=True)
        gone = now(session) - leases.LEASE - leases.GRACE
        session.execute(update(Node).where(Node.name == "one").values(lease_until=gone))
        assert leases.declare_dead(session, "one")
    turn(lease)
    assert not lease.leads()
    with pytest.raises(leases.Fenced), writing(before) as session:
        session.add(Official(kind=OfficialKind.MAYOR, office_fa="-", office_en="-", clip="-"))
    turn(lease)
    assert lease.leads() and asterisk.told >= 1
    with reading(engine) as session:
        assert {node.name for node in leases.list_live(session)} == {"one", "two"}


def test_ivr_that_never_reports_is_away_after_a_while(one_of_two: NodeLease, engine: Engine) -> None:
    def told() -> tuple[str, bool]:
        with reading(engine) as session:
            return administration.list_states(session)["one"], draining.has_no_ivr(session, "one")

    assert told() == ("live", False), "it has just started"
    with writing(engine) as session:
        node, passed = session.get_one(Node, "one"), timedelta(seconds=20)
        node.started_at, node.ivr_at = node.started_at - passed, node.ivr_at and node.ivr_at - passed
    assert told() == ("no-ivr", True)
    one_of_two.close()
    turn(one_of_two)
    turn(one_of_two)
    assert one_of_two.leads() and told() == ("no-ivr", True), "a restart of its dialer brings no ivr"
    with writing(engine) as session:
        session.execute(update(Node).where(Node.name == "one").values(ivr_at=None))
    assert told() == ("live", False), "the ivr of an earlier version reports nothing for its node"
