"""The dialer that leads takes over the work of nodes that are gone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Node, Round
from db.states import CallbackState as C
from db.states import RegistrationState
from dialer import lost_nodes as module
from dialer.leader import Leader, create_leadership
from dialer.lease import fence_engine
from dialer.lost_nodes import LostNodes
from hotline import call_deadlines
from hotline.callbacks import lost_nodes
from hotline.nodes import leases
from settings import Settings
from tests import factories as make
from tests.hotline.nodes.conftest import a_node, silent
from tests.kit.postgres import Postgres
from tests.kit.process import until

on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


class Clock:
    """Seconds that a test lets go by."""

    at = 100.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def at_another_node(session: Session, callback: Callback) -> None:
    """The phone of its desk has come into its room there."""
    desk = session.get_one(Desk, callback.desk_id)
    desk.node, desk.phone_connected, desk.channel = "two", True, "PJSIP/desk"


def states(engine: Engine, *ids: int) -> list[C]:
    with reading(engine) as session:
        return [session.get_one(Callback, each).state for each in ids]


def test_takeover_stops_when_the_node_returns(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        a_node(session, settings, "one")
        callback = make.a_callback(session, C.TALKING)
        callback.node, callback.placed_at = "one", now(session)
        silent(session, "one")
    with writing(engine) as session:
        epoch = leases.declare_dead(session, "one")
        assert epoch is not None
    with writing(engine) as session:
        a_node(session, settings, "one")
    with pytest.raises(leases.Fenced):
        module.close_cut(engine, settings, "one", epoch)
    assert states(engine, callback.id) == [C.TALKING]


def test_takeover_waits_and_survives_a_faulty_callback(
    engine: Engine, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        callbacks = [make.a_callback(session, C.TALKING) for _ in range(2)]
        for each in callbacks:
            each.node, each.placed_at = "one", now(session)
            at_another_node(session, each)
        session.get_one(Round, callbacks[0].round_id).node = "one"
        ids, bad, round_id = [each.id for each in callbacks], callbacks[0].token, callbacks[0].round_id
        silent(session, "one")
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    assert not task.take_over(), "after an outage the others come back a little later"
    with reading(engine) as session:
        assert session.get_one(Node, "one").lost_at is None
    close = lost_nodes.close

    def fails(session: Any, token: str, *more: Any, **how: Any) -> None:
        if token == bad:
            raise ValueError
        close(session, token, *more, **how)

    with monkeypatch.context() as fault:
        fault.setattr(lost_nodes, "close", fails)
        clock.at += module._SILENT_S
        assert task.take_over()
    assert states(engine, *ids) == [C.TALKING, C.CLOSED]
    clock.at += 1.0
    task.take_over()
    assert states(engine, *ids) == [C.CLOSED, C.CLOSED]
    with reading(engine) as session:
        assert session.get_one(Round, round_id).node is None


@pytest.mark.parametrize("state", [C.TALKING, C.WAITING])
def test_desk_at_another_node_has_its_citizen_called_at_once(
    engine: Engine, settings: Settings, clock: Clock, state: C
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        callback = make.a_callback(session, state)
        callback.node, callback.placed_at, callback.talking_at = "one", now(session), now(session)
        session.get_one(Desk, callback.desk_id).node = "one"
        session.get_one(Round, callback.round_id).node = "one"
        silent(session, "one")
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    task.take_over()
    clock.at += module._SILENT_S
    task.take_over()
    assert states(engine, callback.id) == [state], "it may go on: only the database is away there"
    with writing(engine) as session:
        at_another_node(session, session.get_one(Callback, callback.id))
    clock.at += 1
    task.take_over()
    assert states(engine, callback.id) == [state], "the old line may be ending"
    clock.at += module._LEFT_S
    task.take_over()
    assert states(engine, callback.id) == [C.CLOSED]
    with reading(engine) as session:
        ended = session.get_one(Callback, callback.id)
        assert ended.registration.not_before is None or ended.registration.not_before <= now(session)
        assert session.get_one(Round, callback.round_id).node is None


@pytest.mark.parametrize("phone", ["the same sign-in", "another sign-in"])
def test_second_phone_of_the_desk_is_no_move_of_the_first(
    engine: Engine, settings: Settings, clock: Clock, phone: str
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        callback = make.a_callback(session, C.TALKING)
        callback.node, callback.placed_at, callback.talking_at = "one", now(session), now(session)
        desk = session.get_one(Desk, callback.desk_id)
        desk.node, desk.admitted_by = "one", "the same sign-in"
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    task.take_over()
    with writing(engine) as session:
        silent(session, "one")
    for seconds in (1.0, module._SILENT_S):
        clock.at += seconds
        task.take_over()
    with writing(engine) as session:
        at_another_node(session, session.get_one(Callback, callback.id))
        session.get_one(Desk, callback.desk_id).admitted_by = phone
    for seconds in (1.0, module._LEFT_S):
        clock.at += seconds
        task.take_over()
    has_left = phone == "the same sign-in"
    assert states(engine, callback.id) == [C.CLOSED if has_left else C.TALKING]
    clock.at += module._FOLLOWS_S
    task.take_over()
    with reading(engine) as session:
        due = session.get_one(Callback, callback.id).registration.not_before
        later = now(session) + timedelta(seconds=call_deadlines.CONVERSATIONS_S - 60)
        assert (due is None or due < later) == has_left, "called later, not twice"


def test_conversation_that_may_go_on_is_called_later_not_twice(
    engine: Engine, settings: Settings, clock: Clock
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        callback = make.a_callback(session, C.TALKING)
        callback.node, callback.placed_at, callback.talking_at = "one", now(session), now(session)
        session.get_one(Round, callback.round_id).node = "one"
        silent(session, "one")
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    for seconds in (0.0, module._SILENT_S, module._FOLLOWS_S - 1, 1.0):
        clock.at += seconds
        assert states(engine, callback.id) == [C.TALKING]
        task.take_over()
    assert states(engine, callback.id) == [C.CLOSED]
    with reading(engine) as session:
        place = session.get_one(Callback, callback.id).registration
        ends = now(session) + timedelta(seconds=call_deadlines.CONVERSATIONS_S)
        assert place.not_before is not None and place.not_before > ends - timedelta(seconds=60)
        assert (place.state, place.attempts) == (RegistrationState.WAITING, 0), "free of charge"
        assert session.get_one(Round, callback.round_id).node is None, "the line goes on with others"


def test_database_clock_jump_declares_no_renewing_node_dead(
    engine: Engine, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        epochs = {name: a_node(session, settings, name).epoch for name in ("one", "two")}

    def renew(*names: str) -> None:
        clock.at += 1.0
        with writing(engine) as session:
            for name in names:
                assert leases.renew(session, name, epochs[name], fences=True)

    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    task.take_over()
    real = leases.now
    monkeypatch.setattr(leases, "now", lambda session: real(session) + timedelta(hours=1))
    for _ in range(20):
        assert not task.take_over(), "its lease is over by that clock, and it has only not renewed it yet"
        renew("one", "two")
    with writing(engine) as session:
        silent(session, "one")
    while clock.at < 120.0 + module._SILENT_S:
        assert not task.take_over()
        renew("two")
    assert task.take_over(), "it has been silent by the clock that never jumps"


def test_new_leader_has_already_watched_silent_nodes(
    engine: Engine, settings: Settings, clock: Clock
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        silent(session, "one")
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    assert not task.take_over(leads=False)
    clock.at += module._SILENT_S
    assert not task.take_over(leads=False)
    clock.at += 1.0
    assert task.take_over()


# The dialer that leads hangs with its node: its session stays, and with it the lock.


@pytest.fixture
def nodes(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, tuple[Settings, Leader, leases.Lease]]]:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    made = {}
    for name in ("one", "two", "three"):
        its = settings.model_copy(update={"node": name})
        with writing(engine) as session:
            made[name] = its, create_leadership(its), a_node(session, settings, name)
    yield made
    for _, lead, _ in made.values():
        lead.close()


@on_postgresql
def test_deposed_leader_writes_nothing_more(
    engine: Engine, clock: Clock, nodes: dict[str, tuple[Settings, Leader, leases.Lease]]
) -> None:
    (its, hung, lease), (other, second, _), _ = nodes.values()
    assert hung.leads()
    task = LostNodes(other, engine)
    task.take_over(leads=second.leads())
    clock.at += module._SILENT_S
    task.take_over(leads=second.leads())
    assert not second.leads() and hung.leads(), "not while its lease lasts"
    with writing(engine) as session:
        silent(session, "one")
    clock.at += 1.0
    task.take_over(leads=second.leads())  # sees it for the first time
    clock.at += 1.0
    task.take_over(leads=second.leads())
    assert not second.leads(), "not before it was silent for long, by a steady clock"
    clock.at += module._SILENT_S
    task.take_over(leads=second.leads())
    until(second.leads, "the server has ended the session of the one that hangs")

    with pytest.raises(leases.Fenced), writing(fence_engine(engine, its, lease.epoch)) as session:
        make.a_callback(session, C.DIALING)
    with writing(engine) as session:
        assert leases.renew(session, "one", lease.epoch, fences=True) is None
    with pytest.raises(leases.Fenced), writing(fence_engine(engine, its, lease.epoch)) as session:
        make.a_callback(session, C.DIALING)
    assert [hung.leads() for _ in range(3)] == [False] * 3, "it wakes up, and follows"
    assert second.leads()


@on_postgresql
def test_dead_successor_is_replaced_by_a_third_leader(
    engine: Engine, clock: Clock, nodes: dict[str, tuple[Settings, Leader, leases.Lease]]
) -> None:
    (_, hung, _), (second_s, second, _), (third_s, third, _) = nodes.values()
    assert hung.leads()
    with writing(engine) as session:
        silent(session, "one")
    tasks = LostNodes(second_s, engine), LostNodes(third_s, engine)
    for task in tasks:
        task.take_over(leads=False)
    clock.at += module._SILENT_S
    with writing(engine) as session:
        assert leases.declare_dead(session, "one"), "the second did, and died before it could do more"
    tasks[1].take_over(leads=third.leads())
    until(third.leads, "the third")
    third.close()
    until(second.leads, "the second is there again")
    assert not hung.leads()


@on_postgresql
def test_leader_returning_at_the_moment_is_not_deposed(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    nodes: dict[str, tuple[Settings, Leader, leases.Lease]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (_, hung, lease), (other, second, _), _ = nodes.values()
    assert hung.leads()
    with writing(engine) as session:
        silent(session, "one")
    task = LostNodes(other, engine)
    task.take_over(leads=False)
    dead = leases.declare_dead

    def comes_back_before(session: Any, name: str) -> int | None:
        with writing(engine) as its_own:
            assert leases.renew(its_own, name, lease.epoch, fences=True)
        return dead(session, name)

    def comes_back_after(session: Any, name: str) -> int | None:
        epoch = dead(session, name)
        session.commit()
        with writing(engine) as its_own:
            a_node(its_own, settings, name)
        return epoch

    for comes_back in (comes_back_before, comes_back_after):
        with writing(engine) as session:
            silent(session, "one")
        task.take_over(leads=False)
        clock.at += module._SILENT_S
        with monkeypatch.context() as moment:
            moment.setattr(leases, "declare_dead", comes_back)
            task.take_over(leads=False)
        assert not second.leads() and hung.leads()
        clock.at += 1.0


@on_postgresql
def test_returning_postgresql_leaves_one_leader(
    clock: Clock, nodes: dict[str, tuple[Settings, Leader, leases.Lease]], postgres: Postgres, engine: Engine
) -> None:
    leaders = [lead for _, lead, _ in nodes.values()]
    assert [lead.leads() for lead in leaders] == [True, False, False]
    postgres.end_connections()
    until(lambda: sum(lead.leads() for lead in leaders) == 1, "one leads")
    assert [sum(lead.leads() for lead in leaders) for _ in range(3)] == [1] * 3


@on_postgresql
def test_drained_leader_yields_unless_alone(
    engine: Engine, nodes: dict[str, tuple[Settings, Leader, leases.Lease]]
) -> None:
    (_, first, _), (_, second, _), (_, third, _) = nodes.values()
    assert first.leads() and not second.leads()
    with writing(engine) as session:
        session.get_one(Node, "one").draining_at = now(session)
    assert not first.leads()
    until(second.leads, "whoever left a number is called from another node")
    assert not first.leads()

    second.close()
    with writing(engine) as session:
        for name in ("two", "three"):
            session.get_one(Node, name).draining_at = now(session)
    until(first.leads, "a drain that nobody is left for stops nothing")
    assert not third.leads()


def test_only_node_does_not_look_at_desks(
    engine: Engine, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        a_node(session, settings, settings.node)
    task, asked = LostNodes(settings, engine), list[str]()
    monkeypatch.setattr(module.lost_nodes, "list_desks", lambda _session: asked.append("desks") or [])

    assert not task.take_over()
    assert asked == []

    with writing(engine) as session:
        a_node(session, settings, "another")
    clock.at += 1
    assert not task.take_over()
    assert asked == ["desks"]
