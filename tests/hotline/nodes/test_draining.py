"""Which nodes get nothing new: of those that drain and those whose own way to the trunks is cut."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Heartbeat, Node
from hotline import heartbeats
from hotline.errors import Refused
from hotline.nodes import administration as commands
from hotline.nodes import draining, leases
from hotline.trunk import call_caps
from settings import Settings
from tests.hotline.nodes.conftest import silent
from tests.kit.databases import in_both

Make = Callable[..., list[leases.Lease]]


def records_ivr(engine: Engine, name: str) -> None:
    with writing(engine) as session:
        draining.record_ivr(session, name)


def told(engine: Engine, **answers: bool | None) -> None:
    with writing(engine) as session:
        for name, each in answers.items():
            draining.tell_trunk(session, name, answers=each)


def drained(engine: Engine) -> str:
    """The nodes that are to get nothing new."""
    with reading(engine) as session:
        assert {n for n in ("one", "two") if draining.is_cut_off(session, n)} == draining.list_cut_off(
            session
        )
        return " ".join(name for name in ("one", "two") if draining.is_drained(session, name))


@in_both
def test_node_without_a_trunk_gets_nothing_new(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    assert drained(engine) == ""
    words: dict[tuple[bool | None, bool | None], str] = {
        **{(False, None): "", (None, True): "", (True, True): "", (False, False): ""},
        **{(False, True): "one", (True, False): "two"},
    }
    for (one, two), which in words.items():
        told(engine, one=one, two=two)
        assert drained(engine) == which, (one, two)
    with writing(engine) as session:
        assert commands.list_states(session) == {"one": "live", "two": "no-trunk"}
        silent(session, "one")
    assert drained(engine) == "", "the other is gone"


@in_both
def test_node_whose_ivr_is_away_gets_nothing_new(engine: Engine, settings: Settings, nodes: Make) -> None:
    nodes("one", "two")

    def room(name: str) -> int:
        with reading(engine) as session:
            return call_caps.find_capacity(session, settings, node=name).calls

    for name in ("one", "two"):
        records_ivr(engine, name)
    assert drained(engine) == "" and room("one") > 0
    with writing(engine) as session:
        session.get_one(Node, "one").ivr_at = now(session) - timedelta(seconds=20)
    assert drained(engine) == "one" and room("one") == 0 and room("two") > 0
    with writing(engine) as session:
        assert commands.list_states(session) == {"one": "no-ivr", "two": "live"}
        session.get_one(Node, "two").ivr_at = now(session) - timedelta(seconds=20)
    assert drained(engine) == "", "nobody would get it"
    records_ivr(engine, "one")
    assert room("one") > 0


@in_both
def test_node_whose_asterisk_hangs_is_told_for_a_while(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")

    def words() -> list[str]:
        with reading(engine) as session:
            assert {each.name: each.state for each in commands.list_all(session)} == commands.list_states(
                session
            )
            return list(commands.list_states(session).values())

    with writing(engine) as session:
        heartbeats.beat(session, "asterisk")
        heartbeats.record_hang(session, "asterisk", "two")
    assert words() == ["live", "no-asterisk"] and drained(engine) == ""
    with reading(engine) as session:
        assert heartbeats.is_alive(session, "asterisk"), "the other one's"
    for mark in (timedelta(seconds=-5), timedelta(seconds=5)):
        with writing(engine) as session:
            session.execute(update(Heartbeat).values(at=now(session) + mark))
        assert words() == ["live", "live"], "it answers again, or the clock was set back"


@in_both
def test_drain_beside_a_node_without_a_trunk_stops_nothing(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")
    told(engine, one=True, two=False)
    with writing(engine) as session, pytest.raises(Refused, match="no other node lives"):
        commands.drain(session, "one", who="somebody")
    told(engine, two=True)
    with writing(engine) as session:
        commands.drain(session, "one", who="somebody")
    assert drained(engine) == "one"
    told(engine, two=False)
    assert drained(engine) == "two", "who can call goes on, whatever was said of it"
    told(engine, one=False)
    assert drained(engine) == "one"


@in_both
def test_repeated_trunk_report_keeps_its_start(engine: Engine, nodes: Make) -> None:
    nodes("one")

    def since() -> datetime | None:
        with reading(engine) as session:
            return session.get_one(Node, "one").trunk_told_at

    told(engine, one=None)
    assert since() is None
    told(engine, one=False)
    with writing(engine) as session:
        session.get_one(Node, "one").trunk_told_at = before = now(session) - leases.LEASE
    told(engine, one=False)
    assert since() == before
    told(engine, one=None)
    assert since() != before
