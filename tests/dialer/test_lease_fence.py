"""A node's dialer that cannot renew its lease: it ends its calls, before another node may call again."""

from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Node
from db.states import IN_TALK, Outcome
from db.states import CallbackState as C
from dialer import asterisk_watchdog
from dialer import lease as module
from dialer.lease import NodeLease
from hotline import call_deadlines
from hotline.callbacks import conversations
from hotline.nodes import leases
from settings import Settings
from tests import factories as make
from tests.dialer.node_lease import Asterisk, Clock, another, silent, turn
from tests.hotline.nodes.conftest import silent as make_silent

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one machine, and no lease to lose."""


def test_only_node_without_a_database_ends_nothing(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(lease)
    silent(lease, monkeypatch)
    clock.at += 60
    turn(lease)
    assert not lease.leads() and asterisk.told == 0


def test_node_that_cannot_renew_ends_calls_before_its_lease(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    epoch = lease.epoch
    assert lease.leads() and lease.lasts(epoch)
    with reading(engine) as session:
        until_ = session.get_one(Node, "one").lease_until
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S - 1
        turn(lease)
        assert not lease.leads() and asterisk.told == 0
        clock.at += 1
        turn(lease)
        assert asterisk.told == 1
        turn(lease)
        assert asterisk.told == 1, "it has heard it"
    asterisk.hears = False
    turn(lease)
    assert not lease.leads(), "not before its Asterisk was told"
    with reading(engine) as session:
        assert session.get_one(Node, "one").lease_until == until_, "and others may see to its work"
    asterisk.hears = True
    turn(lease)
    assert lease.leads() and lease.epoch > epoch and not lease.lasts(epoch)


def test_resumed_dialer_ends_its_calls_first(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
) -> None:
    lease = one_of_two
    epoch = lease.epoch
    clock.at += module._FENCE_S
    assert not lease.leads() and not lease.lasts(epoch), "whichever of its threads wakes first"
    turn(lease)
    assert asterisk.told >= 1 and not lease.lasts(epoch)


def test_conversation_cut_by_the_fence_is_due_at_once(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    with writing(engine) as session:
        cut, theirs = make.a_callback(session, C.TALKING), make.a_callback(session, C.TALKING)
        cut.node, theirs.node = "one", "two"
        cut.talking_at = now(session) - 2 * conversations.MET
        cut_id, their_id = cut.id, theirs.id
        asterisk.others = frozenset([cut.token])
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S
        turn(lease)
    turn(lease)
    assert lease.leads()
    with reading(engine) as session:
        cut = session.get_one(Callback, cut_id)
        assert (cut.state, cut.outcome) == (C.CLOSED, Outcome.CALL_AGAIN), "never that it was had"
        assert cut.again_at == cut.ended_at
        assert session.get_one(Callback, their_id).state is C.TALKING


@pytest.mark.parametrize("state", IN_TALK)
def test_conversation_that_ends_without_a_database_is_not_cut(
    state: C, one_of_two: NodeLease, clock: Clock, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = one_of_two
    with writing(engine) as session:
        over = make.a_callback(session, state)
        over.node, over_id = "one", over.id
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S
        turn(lease)
    turn(lease)
    assert lease.leads()
    with reading(engine) as session:
        found = session.get_one(Callback, over_id)
        assert (found.state, found.outcome) == (state, None), "the reconciler asks Asterisk and the desk"


def test_conversation_goes_on_when_the_database_is_away_for_all(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    with writing(engine) as session:
        goes_on, cut = make.a_callback(session, C.TALKING), make.a_callback(session, C.WAITING)
        goes_on.node = cut.node = "one"
        cut.desk_id = None
        asterisk.conversations = frozenset([goes_on.token])
        ids = goes_on.id, cut.id
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S + 60
        turn(lease)
        assert asterisk.told == 1 and not lease.leads(), "it begins nothing"
        turn(lease)
        assert asterisk.told == 2, "whom the desk leaves is not kept"
    turn(lease)
    assert lease.leads() and asterisk.conversations, "no other node has taken its work over"
    with reading(engine) as session:
        found = [session.get_one(Callback, each) for each in ids]
    assert [(each.state, each.outcome) for each in found] == [
        (C.TALKING, None),
        (C.CLOSED, Outcome.RETURNED),
    ]


def test_conversation_is_ended_when_another_node_has_its_work(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease, asterisk.conversations = one_of_two, frozenset(["callback-1"])
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S
        turn(lease)
    assert asterisk.conversations
    with writing(engine) as session:
        make_silent(session, "one")
        assert leases.declare_dead(session, "one")
    turn(lease)
    assert not asterisk.conversations and lease.leads()


def test_conversation_without_a_database_ends_at_last(
    one_of_two: NodeLease, clock: Clock, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, asterisk.conversations = one_of_two, frozenset(["callback-1"])
    silent(lease, monkeypatch)
    clock.at += module._FENCE_S + call_deadlines.CONVERSATIONS_S - 1
    turn(lease)
    assert asterisk.conversations
    clock.at += 1
    turn(lease)
    assert not asterisk.conversations, "its citizen may be called by another node from now on"


def test_renewal_answered_after_the_fence_is_too_late(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    renew = leases.renew

    def slow(*of: Any, **how: Any) -> Any:
        clock.at += module._FENCE_S
        lease.fence()  # by its other thread
        assert asterisk.told == 1, "it waits for no database"
        return renew(*of, **how)

    with monkeypatch.context() as away:
        away.setattr(leases, "renew", slow)
        turn(lease)
        assert not lease.leads()
    turn(lease)
    assert lease.leads() and asterisk.told == 2


def test_start_of_a_paired_node_without_a_database_ends_calls(
    lease: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn(lease)
    assert NodeLease(lease._settings, asterisk.hang_up)._fence_at == float("inf"), "the only node"
    another(engine, settings)
    turn(lease)
    lease.close()
    next_ = NodeLease(lease._settings, asterisk.hang_up)
    silent(next_, monkeypatch)
    turn(next_)
    assert asterisk.told == 0
    clock.at += module._START_S
    asterisk.hears = False
    turn(next_)
    asterisk.hears = True
    turn(next_)
    turn(next_)
    assert asterisk.told == 2 and not next_.leads(), "until it has heard it"
    next_.close()


def test_node_without_asterisk_lets_its_lease_expire(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    def lasts_until() -> Any:
        with reading(engine) as session:
            return session.get_one(Node, "one").lease_until

    lease._has_asterisk = lambda: asterisk.hears
    asterisk.hears = False
    turn(lease)
    clock.at += 2 * module._ASTERISK_S
    turn(lease)
    assert lease.leads(), "nobody could do its work"
    another(engine, settings)
    turn(lease)
    turn(lease)
    until_ = lasts_until()
    turn(lease)
    assert not lease.leads() and lasts_until() == until_
    asterisk.hears = True
    turn(lease)
    assert lease.leads() and lasts_until() > until_


def test_renewed_lease_tells_asterisks_parent_its_end(
    lease: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    settings: Settings,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside = settings.state_dir / "asterisk"
    beside.mkdir(parents=True)

    def told(by: NodeLease = lease) -> float | None:
        turn(by)
        return call_deadlines.read(beside)

    assert told() is None, "the only node: its conversations outlive its dialer"
    another(engine, settings)
    until_ = told()
    assert until_ == clock.at + 11, "after this one, before the grace is over"
    clock.at += 1
    assert told() == until_ + 1

    lease.close()
    clock.at += 15
    after = NodeLease(lease._settings, asterisk.hang_up)
    assert told(after) == clock.at + 11
    assert asterisk.told >= 1 and after.leads(), "what the parent has ended is written down as cut"

    monkeypatch.setattr(asterisk_watchdog, "replace_file", Mock(side_effect=OSError("disk full")))
    assert told(after) is None and "cannot be written" in caplog.text, "not what would soon be over"
    after.close()


def test_node_that_returns_lets_the_apology_end_first(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease, renewed_at = one_of_two, clock.at
    with writing(engine) as session:
        waits = make.a_callback(session, C.WAITING)
        waits.node, waits.desk_id, waits_id = "one", None, waits.id
    asterisk.listens = True
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S
        turn(lease)
    turn(lease)
    grace = leases.GRACE.total_seconds()
    assert renewed_at + module._FENCE_S < asterisk.apology_until < renewed_at + module._FENCE_S + grace
    assert not lease.leads() and "could not be told" not in caplog.text
    asterisk.listens = False
    turn(lease)
    assert lease.leads()
    with reading(engine) as session:
        closed = session.get_one(Callback, waits_id)
        assert (closed.outcome, closed.registration.attempts) == (Outcome.RETURNED, 0)
