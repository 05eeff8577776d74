"""When a node's call scripts want the callers of a proxy, which has other nodes for them."""

import time
from collections.abc import Iterator
from typing import cast

import pytest
from sqlalchemy import Engine

from db.engine import writing
from hotline.nodes import draining, leases, nodes
from ivr import server as ivr
from ivr.server import Server, _every_beat
from settings import Settings
from tests.hotline.nodes.conftest import a_node


class One:
    """Stop after one beat."""

    def __init__(self) -> None:
        self.beats = iter((False, True))

    def wait(self, _seconds: float) -> bool:
        return next(self.beats)


@pytest.fixture
def server(settings: Settings, engine: Engine) -> Iterator[Server]:
    """Of a node that has its lease; it answers, and has not beaten yet."""
    with writing(engine) as session:
        leases.take(session, settings)
    with Server(settings, engine) as made:
        made.answered_at = time.monotonic()
        yield made


def beats(server: Server) -> bool:
    """Whether it wants callers after its next beat."""
    _every_beat(server, cast(ivr.threading.Event, One()))
    return server.wants_callers()


def test_given_scripts_that_answer_when_the_database_has_taken_it_then_callers_are_wanted(
    server: Server,
):
    assert not server.wants_callers()
    assert beats(server)


def test_given_call_scripts_that_do_not_answer_when_they_beat_then_no_caller_is_wanted(server: Server):
    assert beats(server)
    server.answered_at -= 6
    assert not server.wants_callers() and not beats(server)


def test_given_a_database_that_is_away_when_seconds_go_by_then_no_caller_is_wanted(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object) -> None:
        raise OSError("the network is cut")

    assert beats(server)
    monkeypatch.setattr("ivr.server.poke", away)
    assert beats(server), "one beat may be lost"
    server.beaten_at -= 4
    assert not beats(server), "five seconds in all with the one in which it is written down"


def test_given_many_who_hung_up_when_what_they_gave_is_slow_to_keep_then_no_beat_waits_for_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    def takes_a_minute(*_: object) -> None:
        server.answered_at -= 60

    monkeypatch.setattr("ivr.hung_up.take_up", takes_a_minute)
    assert beats(server)


def test_given_a_node_without_a_trunk_when_it_beats_then_no_caller_is_wanted_while_another_has_one(
    server: Server, engine: Engine
):
    with writing(engine) as session:
        a_node(session, server.settings, "another")
    for others in (True, False):
        with writing(engine) as session:
            draining.tell_trunk(session, server.settings.node, answers=False)
            draining.tell_trunk(session, "another", answers=others)
        assert beats(server) is not others


def test_given_a_drained_node_when_it_beats_then_no_caller_is_wanted_until_it_is_taken_back(
    server: Server, engine: Engine
):
    with writing(engine) as session:
        a_node(session, server.settings, "another")
    for drained in (True, False):
        with writing(engine) as session:
            nodes.drain(session, server.settings.node, who="administrator1", drained=drained)
        assert beats(server) is not drained
