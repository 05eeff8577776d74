"""The dialer that leads takes over the work of nodes that are gone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Node, Round
from db.states import CallbackState as C
from dialer import lost_nodes as module
from dialer.lost_nodes import LostNodes
from hotline.callbacks import lost_nodes
from hotline.nodes import leases
from settings import Settings
from tests import factories as make
from tests.hotline.nodes.conftest import a_node, silent


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


def states(engine: Engine, *ids: int) -> list[C]:
    with reading(engine) as session:
        return [session.get_one(Callback, each).state for each in ids]


def test_given_a_node_that_comes_back_when_its_work_is_being_taken_over_then_nothing_more_of_it_is_touched(
    engine: Engine, settings: Settings
) -> None:
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


def test_given_a_node_that_is_gone_when_taken_over_then_not_at_once_and_one_faulty_callback_stops_no_other(
    engine: Engine, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        for name in ("one", "two"):
            a_node(session, settings, name)
        callbacks = [make.a_callback(session, C.TALKING) for _ in range(2)]
        for each in callbacks:
            each.node, each.placed_at = "one", now(session)
        session.get_one(Round, callbacks[0].round_id).node = "one"
        ids, bad, round_id = [each.id for each in callbacks], callbacks[0].token, callbacks[0].round_id
        silent(session, "one")
    task = LostNodes(settings.model_copy(update={"node": "two"}), engine)
    assert not task.take_over(), "after an outage the others come back a little later"
    with reading(engine) as session:
        assert session.get_one(Node, "one").lost_at is None
    close = lost_nodes.close

    def fails(session: Any, token: str, *more: Any) -> None:
        if token == bad:
            raise ValueError
        close(session, token, *more)

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


def test_given_a_clock_of_the_database_that_jumps_ahead_when_a_node_renews_all_the_same_then_it_is_not_dead(
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


def test_given_a_dialer_that_does_not_lead_when_it_comes_to_lead_then_it_has_seen_who_is_silent(
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
