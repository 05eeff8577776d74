"""The node of a round: chosen by room, kept to the end, moved from a draining node when idle."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Node, PlacedCall, Round
from db.states import CallbackState as C
from hotline import heartbeats
from hotline.callbacks import assignment, placing, round_statistics, serving, waiting_callers
from hotline.nodes import administration as commands
from hotline.nodes import draining, leases, phones, round_affinity
from hotline.rounds import phases
from hotline.trunk import call_caps
from settings import Settings
from tests import factories as make
from tests.hotline.nodes.conftest import silent
from tests.kit.databases import in_both
from tests.kit.refusal import refusal

Make = Callable[..., list[leases.Lease]]


def a_round(engine: Engine) -> int:
    with writing(engine) as session:
        return make.a_round(session).id


def settles(engine: Engine, round_id: int, node: str, **how: Any) -> bool:
    with writing(engine) as session:
        round_affinity.settle(session, round_id, node)
    with writing(engine) as session:
        return round_affinity.settle(session, round_id, node, **how)


def home(engine: Engine, round_id: int) -> str | None:
    with reading(engine) as session:
        return round_affinity.find_node_of_round(session, round_id)


def changed(engine: Engine, node: str, **values: Any) -> None:
    with writing(engine) as session:
        session.execute(update(Node).where(Node.name == node).values(**values))


@in_both
def test_unknown_nodes_leave_the_round_where_it_is_served(
    engine: Engine,
) -> None:
    round_id = a_round(engine)
    assert home(engine, round_id) is None
    assert settles(engine, round_id, "main") and home(engine, round_id) == "main"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_nodes_settling_a_round_at_once_succeed(
    engine: Engine, nodes: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes("one", "two")
    round_id = a_round(engine)
    both, choose = threading.Barrier(2, timeout=20), round_affinity.choose

    def chooses(*args: Any) -> str:
        both.wait()
        return choose(*args)

    def settle(node: str) -> bool:
        with writing(engine) as session:
            return round_affinity.settle(session, round_id, node, hold=True)

    monkeypatch.setattr(round_affinity, "choose", chooses)
    with ThreadPoolExecutor() as pool:
        assert [*pool.map(settle, ("one", "two"))] == [False, False]
    assert home(engine, round_id) in ("one", "two")


@in_both
def test_round_settles_on_the_node_with_most_capacity(engine: Engine, nodes: Make) -> None:
    nodes("one", "two", "three")
    changed(engine, "one", capacity=10)
    changed(engine, "two", capacity=12)
    changed(engine, "three", capacity=90)
    with writing(engine) as session:
        commands.drain(session, "three", who="somebody")
        for _ in range(3):
            session.add(PlacedCall(token=make.a_ticket(), number="+98", at=now(session), node="two"))
    first, second = a_round(engine), a_round(engine)
    assert not settles(engine, first, "two") and home(engine, first) == "one"
    assert settles(engine, first, "one", hold=True)
    changed(engine, "one", capacity=1)
    assert settles(engine, second, "two")
    assert not settles(engine, first, "two") and home(engine, first) == "one"


@in_both
def test_round_settles_where_most_of_its_desks_are(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    changed(engine, "two", capacity=900)
    with writing(engine) as session:
        round_id = make.a_round(session).id
        for node, connected in (("one", True), ("one", True), ("two", True), ("two", False), ("two", False)):
            desk = make.a_desk(session, connected=connected)
            desk.round_id, desk.node = round_id, node
    assert settles(engine, round_id, "one") and home(engine, round_id) == "one"
    full = a_round(engine)
    with writing(engine) as session:
        desk = make.a_desk(session)
        desk.round_id, desk.node = full, "one"
    changed(engine, "one", capacity=1)
    assert settles(engine, full, "two"), "the other one is full"


@in_both
def test_line_settles_where_its_callers_wait(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    changed(engine, "one", capacity=900)
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        place = make.a_registration(session, line)
        assert waiting_callers.record_waiting(session, place.id, "1.1", "two")
        desk = make.a_desk(session)
        desk.round_id, desk.node, line_id = line.id, "one", line.id
    assert settles(engine, line_id, "one") is False and home(engine, line_id) == "two"


@in_both
def test_forgotten_drain_of_the_last_node_stops_nothing(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    with writing(engine) as session:
        commands.drain(session, "one", who="somebody")
        assert draining.is_drained(session, "one")
        silent(session, "two")
    with writing(engine) as session:
        assert not draining.is_drained(session, "one"), "nor are callers sent elsewhere"
    round_id = served_round(engine, "one", None)
    assert settles(engine, round_id, "one")
    with reading(engine) as session:
        assert [each.id for each in serving.list_served(session, "one")] == [round_id]


def served_round(engine: Engine, desks_node: str, node: str | None, phone: str = "browser") -> int:
    """A round that has begun, on this node, and one desk, on that, that wants the next."""
    with writing(engine) as session:
        round_ = make.a_round(session)
        round_.node = node
        desk = make.a_desk(session)
        desk.round_id, desk.node, desk.phone, desk.next_asked_at = round_.id, desks_node, phone, now(session)
        return round_.id


@in_both
def test_desk_whose_phone_cannot_follow_gets_no_calls(
    engine: Engine, nodes: Make, settings: Settings
) -> None:
    nodes("one", "two")
    round_id = served_round(engine, "two", "one", "sip")
    with writing(engine) as session:
        assert not serving.list_served(session, "one")
        assert not round_statistics.find_situation(session, round_id).speakers
        (desk,) = serving.list_desks(session, round_id)
        assert refusal(serving.ask_next, session, desk, None, settings) == "desk-phone-elsewhere"
        desk.phone = "browser"
        session.flush()
        assert serving.ask_next(session, desk, None, settings) is None, "it goes there by itself"
        desk.phone, desk.node = "sip", "one"
        session.flush()
        assert [each.id for each in serving.list_served(session, "one")] == [round_id]
        assert len(round_statistics.find_situation(session, round_id).speakers) == 1
        assert serving.ask_next(session, desk, None, settings) is None


@in_both
def test_draining_node_stops_serving_its_round(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    round_id = served_round(engine, "one", "one")
    with writing(engine) as session:
        assert [each.id for each in serving.list_served(session, "one")] == [round_id]
        commands.drain(session, "one", who="somebody")
        assert not serving.list_served(session, "one")


@in_both
def test_round_leaves_a_draining_node_once_idle(engine: Engine, nodes: Make) -> None:
    nodes("one")
    with writing(engine) as session:
        busy = make.a_callback(session, C.TALKING)
        busy.node, busy.placed_at = "one", now(session)
        idle = make.a_round(session)
        session.get_one(Round, busy.round_id).node = idle.node = "one"
        idle_id, busy_id, token = idle.id, busy.round_id, busy.token
    with writing(engine) as session:
        session.execute(update(Node).values(draining_at=now(session)))
        assert round_affinity.move_idle(session) == 0, "there is no other node"
    nodes("two")
    with writing(engine) as session:
        assert round_affinity.list_drained(session) and round_affinity.move_idle(session) == 1
    assert (home(engine, idle_id), home(engine, busy_id)) == (None, "one")
    with writing(engine) as session:
        session.query(Callback).filter(Callback.token == token).update({"ended_at": now(session)})
        assert round_affinity.move_idle(session) == 1
    assert settles(engine, busy_id, "two")


@in_both
def test_rounds_of_a_node_without_a_trunk_move_for_good(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    changed(engine, "one", capacity=900, trunk_answers=False)
    changed(engine, "two", trunk_answers=True)
    with reading(engine) as session:
        moment = now(session)
    first, second = a_round(engine), served_round(engine, "one", "one")
    assert settles(engine, first, "two"), "where calls go out, whatever room the other has"

    def moves() -> int:
        with writing(engine) as session:
            assert not serving.list_served(session, "one"), "nobody more is called there"
            return round_affinity.move_idle(session)

    changed(engine, "one", trunk_told_at=moment)
    assert moves() == 0, "of a trunk that falls silent one node hears before the other"
    changed(engine, "one", trunk_told_at=moment - round_affinity._FOR_LONG)
    assert moves() == 1 and home(engine, second) is None
    changed(engine, "one", trunk_answers=True)
    with writing(engine) as session:
        assert round_affinity.move_idle(session) == 0
    assert home(engine, first) == "two"


@in_both
def test_dialer_sees_its_own_work_and_unassigned_work(
    engine: Engine, nodes: Make, settings: Settings
) -> None:
    nodes("one", "two")
    with writing(engine) as session:
        asked = make.a_callback(session, C.DIALING)
        talks = make.a_callback(session, C.TALKING)
        talks.node, session.get_one(Round, asked.round_id).node = "two", "one"
        asked_token, talking_token = asked.token, talks.token
        mine = settings.model_copy(update={"node": "two"})
        taken = call_caps.claim_call(session, "guest-1", "+989131234567", mine)
        assert isinstance(taken, call_caps.CallPermit)
    with reading(engine) as session:
        assert placing.list_to_place(session, "one") == [asked_token]
        assert not placing.list_to_place(session, "two")
        assert talking_token in {each.token for each in placing.list_open_calls(session, "two")}
        assert talking_token not in {each.token for each in placing.list_open_calls(session, "one")}
        assert (
            set(call_caps.list_open_calls(session, "two")),
            call_caps.list_open_calls(session, "one"),
        ) == (
            {"guest-1"},
            {},
        )
        assert call_caps.list_calls_of_other_nodes(session, ["guest-1"], "one") == {"guest-1"}
        one, all_ = (call_caps.find_capacity(session, mine, node=node) for node in ("one", None))
        assert one.calls <= all_.calls


@in_both
def test_desk_with_its_phone_elsewhere_gets_nobody(engine: Engine, nodes: Make, settings: Settings) -> None:
    nodes("one", "two")
    with writing(engine) as session:
        round_ = make.a_round(session)
        round_.node = "one"
        desk = make.a_desk(session, connected=False)
        make.a_user(session, desk)
        heartbeats.record_phone(session, desk.id, "PJSIP/desk-1", "two")
        desk_id = desk.id
        session.refresh(desk)
        desk.round_id, desk.next_asked_at = round_.id, now(session)
        waits = make.a_callback(session, C.WAITING)
        waits.desk_id, waits.round_id, waits.node = None, round_.id, "one"
    with writing(engine) as session:
        home_ = phones.find_node(session, session.get_one(Desk, desk_id))
        assert home_ is not None and home_.name == "one"
        assert heartbeats.is_elsewhere(session, desk_id, "one")
        assert assignment.match(session) == 0
        heartbeats.record_phone(session, desk_id, "PJSIP/desk-1", "one")
        assert assignment.match(session) == 1


@in_both
def test_draining_node_stops_calls_for_the_operators_line(
    engine: Engine, nodes: Make, session: Session
) -> None:
    session.commit()
    nodes("one", "two")
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        desk = make.a_desk(session)
        desk.round_id, line.node = line.id, "one"
        session.flush()
        assert [each.id for each in serving.list_served(session, "one")] == [line.id]
        assert not serving.list_served(session, "two")
        commands.drain(session, "one", who="somebody")
        session.flush()
        assert not serving.list_served(session, "one")


@in_both
def test_operators_line_works_at_its_node_unless_gone(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")

    def at_work() -> str | None:
        with reading(engine) as session:
            return round_affinity.find_node_of_operators_line(session)

    assert at_work() is None, "nobody has needed it yet"
    with writing(engine) as session:
        make.a_round(session).node = "two"
        line_id = phases.get_operators_line(session).id
    assert at_work() is None, "no desk has served it yet"
    with writing(engine) as session:
        session.get_one(Round, line_id).node = "one"
    assert at_work() == "one"

    with writing(engine) as session:
        commands.drain(session, "one", who="somebody")
    assert at_work() is None
    with writing(engine) as session:
        silent(session, "two")
    assert at_work() == "one", "a drain that was forgotten, where no other node is left"
    with writing(engine) as session:
        silent(session, "one")
    assert at_work() is None
    with writing(engine) as session:
        later = now(session) + leases.LEASE
        session.execute(update(Node).values(lease_until=later, draining_at=None, lost_at=None))
    assert at_work() == "one"
    changed(engine, "one", lost_at=later)
    assert at_work() is None


@in_both
def test_caller_left_at_another_node_is_called_back(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        place = make.a_registration(session, line)
        assert waiting_callers.is_here(session, "one") and waiting_callers.is_here(session, "two")
        assert waiting_callers.record_waiting(session, place.id, "1.1", "one")
        line.node, place_id = "two", place.id
    with writing(engine) as session:
        assert not waiting_callers.is_here(session, "one") and waiting_callers.is_here(session, "two")
        waiting_callers.record_gone_except(session, [], "two")
        assert waiting_callers.find(session, place_id), "who waits on another node is none of ours"
        assert not waiting_callers.is_left_elsewhere(session, place_id, "one")
        assert waiting_callers.is_left_elsewhere(session, place_id, "two")
        assert waiting_callers.find(session, place_id) is None


@in_both
def test_free_desks_browser_moves_to_the_rounds_node(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    with writing(engine) as session:
        round_ = make.a_round(session)
        desk = make.a_desk(session)
        desk.node, desk.channel, desk.round_id = "one", "PJSIP/desk-1", round_.id
        talks = make.a_callback(session, C.TALKING, make.a_user(session, desk))
        talks.node, round_.node, desk_id, token = "one", "two", desk.id, talks.token
    with writing(engine) as session:
        assert not phones.list_astray(session, "one"), "nobody is cut off"
        session.query(Callback).filter(Callback.token == token).update({"ended_at": now(session)})
        assert phones.list_astray(session, "one") == [(desk_id, "PJSIP/desk-1")]
        assert not phones.list_astray(session, "two")
        silent(session, "two")
        assert not phones.list_astray(session, "one"), "there it would find nobody"
