"""When a node's call scripts want the callers of a proxy, which has other nodes for them."""

import time
from collections.abc import Iterator
from typing import cast

import pytest
from sqlalchemy import Engine

from db.engine import writing
from hotline.nodes import administration, draining, leases
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
    """The server of a node that has its lease; it answers, and has not beaten yet."""
    with writing(engine) as session:
        leases.take(session, settings)
    with Server(settings, engine) as made:
        made.answered_at = time.monotonic()
        yield made


def beats(server: Server) -> bool:
    """Whether it wants callers after its next beat."""
    _every_beat(server, cast(ivr.threading.Event, One()))
    return server.wants_callers()


def test_answering_scripts_with_a_written_beat_want_callers(
    server: Server,
):
    assert not server.wants_callers()
    assert beats(server)


def test_scripts_that_do_not_answer_want_no_callers(server: Server):
    assert beats(server)
    server.answered_at -= 6
    assert not server.wants_callers() and not beats(server)


def test_absent_database_wants_no_callers(server: Server, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object) -> None:
        raise OSError("the network is cut")

    assert beats(server)
    monkeypatch.setattr("hotline.heartbeats.beat", away)
    assert beats(server), "one beat may be lost"
    server.beaten_at -= 4
    assert not beats(server), "five seconds in all with the one in which it is written down"


def test_slow_final_writes_delay_no_heartbeat(server: Server, monkeypatch: pytest.MonkeyPatch):
    def takes_a_minute(*_: object) -> None:
        server.answered_at -= 60

    monkeypatch.setattr("ivr.abandoned_calls.take_up", takes_a_minute)
    assert beats(server)


def test_node_without_a_trunk_wants_no_callers_while_another_has(server: Server, engine: Engine):
    with writing(engine) as session:
        a_node(session, server.settings, "another")
    for others in (True, False):
        with writing(engine) as session:
            draining.tell_trunk(session, server.settings.node, answers=False)
            draining.tell_trunk(session, "another", answers=others)
        assert beats(server) is not others


def test_drained_node_wants_no_callers(server: Server, engine: Engine):
    with writing(engine) as session:
        a_node(session, server.settings, "another")
    for drained in (True, False):
        with writing(engine) as session:
            administration.drain(session, server.settings.node, who="administrator1", drained=drained)
        assert beats(server) is not drained
