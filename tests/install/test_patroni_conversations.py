"""Ten conversations on two nodes while PostgreSQL's primary dies, under Patroni with its own ttl."""

import sys
import time
from contextlib import ExitStack, suppress

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from db.states import CallbackState
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.operator import ROOM, Operator
from tests.kit.patroni import Cluster
from tests.kit.phone import Account, Phone
from tests.kit.process import slowness, until
from tests.kit.system import System
from tests.kit.two_nodes import both_on, states_seen_by

pytestmark = pytest.mark.timeout(600)

_TTL_S = 30
_DESKS = 5
"""The desks of each node."""
_BACK_S = 60.0
"""From the return of the database until every node works again."""


def speaks(stack: ExitStack, node: System, round_id: int) -> tuple[Operator, int]:
    """A desk of this node, in conversation with the next citizen of the round."""
    operator = node.operator()
    name, password, server = operator.phone_account
    phone = stack.enter_context(Phone(account=Account(name, password, server)))
    phone.dial(f"sip:{ROOM}@{server}")
    until(operator.phone_connected, "the desk's phone is in its room")
    callback = operator.claim(round_id)
    operator.call(callback)
    operator.wait_for(callback, CallbackState.TALKING, timeout=60 * slowness())
    return operator, callback


def takes_writes(cluster: Cluster) -> bool:
    url = cluster.url("hotline").replace("+psycopg", "")
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2, autocommit=True) as session:
        return session.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    return False


def all_live(node: System) -> bool:
    with suppress(DBAPIError):
        return states_seen_by(node) == {"one": "live", "two": "live"}
    return False


def test_failover_ends_no_conversation_on_two_nodes() -> None:
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(ttl=_TTL_S))
        with psycopg.connect(
            cluster.url("postgres").replace("+psycopg", ""),
            autocommit=True,
            target_session_attrs="read-write",
        ) as admin:
            admin.execute("CREATE DATABASE hotline TEMPLATE template0")
        both = stack.enter_context(both_on(cluster.url("hotline"), cluster.url("hotline")))
        one = both[0]
        crowd = stack.enter_context(Crowd(one.trunk_port, lambda _number, _nth: Behaviour()))
        crowd.answers_options = True
        talks: list[tuple[Operator, int]] = []
        for node in both:
            round_id = stack.enter_context(node.another_round())
            one.register(round_id, *(one.number() for _ in range(_DESKS + 1)))
            talks += [speaks(stack, node, round_id) for _ in range(_DESKS)]
            assert {one.callback(each).node for _, each in talks[-_DESKS:]} == {node.settings.node}
        before = crowd.live()
        assert len(before) == 2 * _DESKS

        dead, killed_at = cluster.primary(), time.monotonic()
        cluster.kill(dead)
        until(lambda: takes_writes(cluster), "another PostgreSQL takes writes", 3 * _TTL_S)
        away_s = time.monotonic() - killed_at
        until(lambda: all_live(one), "both nodes work again", _BACK_S * slowness())
        sys.stdout.write(f"PostgreSQL was away for {away_s:.0f} s\n")
        assert away_s > 15, "longer than a node's lease and its grace"
        assert crowd.live() == before, "every conversation goes on"
        for operator, callback in talks:
            assert one.callback(callback).state is CallbackState.TALKING
            operator.hangup(callback)
        for operator, callback in talks:
            operator.wait_for(callback, CallbackState.ENDED, CallbackState.CLOSED)
        assert not crowd.live()

        speaks(stack, one, one.callback(talks[0][1]).round_id)
        assert len(crowd.calls()) == 2 * _DESKS + 1, "nobody was called twice, and the line goes on"
