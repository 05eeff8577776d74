"""Two nodes on one PostgreSQL: a round goes on when its node is cut off, and when it is killed."""

import os
import signal
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import psycopg
import pytest
from sqlalchemy import select, text

from db.engine import reading
from db.models import Node, Registration
from db.states import CallbackState
from hotline.trunk import circuit_breaker
from tests.kit.caller import Caller
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.operator import Operator
from tests.kit.phone import Account, Phone
from tests.kit.postgres import Postgres, stands_still
from tests.kit.process import slowness, until
from tests.kit.registrant import Registrant
from tests.kit.sip_digest import SilentPhone
from tests.kit.system import System
from tests.kit.two_nodes import Nodes, home, kill, leads, let_lead, overlap, states, two_nodes

RECOVERS_S = 30.0
"""From the fault to the same citizen in conversation on the other node."""


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    with Postgres() as server, two_nodes(server) as nodes:
        yield nodes
        for node in nodes[:2]:  # shown when the test fails
            sys.stdout.write(f"--- node {node.settings.node} ---\n{node.last_words()}\n")


class Desk:
    """An official's desk, as its page is: its phone is always where the API says."""

    def __init__(self, nodes: Nodes, round_id: int) -> None:
        self._nodes = nodes
        self._round = round_id
        self.official: Operator = nodes.one.operator(official_of=round_id)
        self.official.http.put("/desk/phone/choice", json={"use": "sip"}).raise_for_status()
        self._phone: Phone | None = None
        self._server = ""

    def asks_at(self, node: System) -> None:
        """Its page is another node's."""
        self.official.http = httpx.Client(
            base_url=f"{node.url}/api/v1", timeout=30, cookies=self.official.http.cookies
        )

    def follow(self) -> None:
        """Bring the phone to where it belongs, if it is not there."""
        said = self.official.http.post("/desk/phone/account").json()
        if said["server"] == self._server:
            return
        self.leave()
        account = Account(said["username"], said["password"], said["server"])
        typed_in = SilentPhone(account.registrar, account.user, account.password)
        until(typed_in.is_known, "the node has the password that a person types into a phone")
        self._phone = Phone(account=account)
        self._phone.__enter__()
        self._phone.dial(f"sip:{said['extension']}@{said['server']}")
        self._server = said["server"]

    def leave(self) -> None:
        """Its phone is gone."""
        if self._phone:
            self._phone.__exit__(None, None, None)
        self._phone, self._server = None, ""

    def sits_down(self) -> None:
        answer = self.official.http.put("/desk/round", json={"round_id": self._round})
        assert answer.status_code == 200, answer.text
        self.follow()
        until(self.official.phone_connected, "the desk's phone is in its room")

    def next(self, *, over: bool = False) -> None:
        """Ask for the next citizen, as a person does until one is there."""
        after = self._live() if over else None
        answer = self.official.http.post("/desk/next", json={"after": after, "confirmed": True})
        assert answer.status_code in (200, 409), answer.text

    def speaks_with(self, number: str, node: str, within: float = 60.0) -> None:
        """Serve the round wherever it goes, and ask for the next until this citizen is there, by this node's
        Asterisk.
        """

        def speaks() -> bool:
            self.follow()
            live = self._live()
            if live is None:
                self.next()
                return False
            callback = self._nodes.one.callback(live)
            talks = callback.state is CallbackState.TALKING and callback.node == node
            return talks and callback.registration.number == f"+98{number[1:]}"

        until(speaks, f"the desk speaks with {number}", within, every=0.5)

    def _live(self) -> int | None:
        found = self.official.http.get("/me").json()["callback"]
        return int(found["id"]) if found else None


def knows_of_another(node: System) -> bool:
    """Whether its work can be taken over by one that comes."""
    with reading(node.engine) as session:
        return session.get_one(Node, node.settings.node).fences


@pytest.mark.timeout(420)
def test_lost_nodes_cost_nobody_an_attempt(
    nodes: Nodes,
) -> None:
    one, two, line = nodes
    citizens = [one.number() for _ in range(3)]
    with one.only_round() as round_id, Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd:
        crowd.answers_options = True
        for node, number in zip((one, two, one), citizens, strict=True):
            with Registrant(node, number) as registrant:
                assert registrant.wait(60), "any node takes callers"
        assert states(nodes) == {"one": "live", "two": "live"}
        desk = Desk(nodes, round_id)
        desk.sits_down()
        desk.speaks_with(citizens[0], "two")
        assert home(nodes, round_id) == "two", "where most room is"

        line.down()
        cut_at = time.monotonic()
        desk.speaks_with(citizens[0], "one", 2 * RECOVERS_S)
        took = [time.monotonic() - cut_at]
        assert home(nodes, round_id) == "one"
        first, again = crowd.calls(citizens[0])
        assert first.ended_at and first.ended_by == "hotline" and first.ended_at < again.invited_at

        line.up()
        until(lambda: states(nodes)["two"] == "live", "the node that was cut off is there again")
        until(lambda: knows_of_another(one), "the one that was alone meanwhile has seen it")
        desk.next(over=True)
        desk.speaks_with(citizens[1], "one")

        kill(one)
        crowd.cut_off()
        killed_at = time.monotonic()
        desk.asks_at(two)
        desk.speaks_with(citizens[1], "two", 2 * RECOVERS_S)
        took.append(time.monotonic() - killed_at)
        assert home(nodes, round_id) == "two" and states(nodes) == {"one": "gone", "two": "live"}
        desk.next(over=True)
        desk.speaks_with(citizens[2], "two")
        desk.leave()

        sys.stdout.write(f"cut off, killed: {took} s\n")
        assert max(took) <= RECOVERS_S * slowness()
        called = [call.number for call in crowd.calls() if call.answered_at]
        assert called == [citizens[which] for which in (0, 0, 1, 1, 2)], "in order, the cut ones first"
        assert not any(overlap(crowd.calls(number)) for number in citizens), "nobody is called twice"


@pytest.mark.timeout(300)
def test_waiting_citizen_hears_an_apology_and_is_called_again(nodes: Nodes) -> None:
    one, two, line = nodes
    number = one.number()
    with one.only_round() as round_id, Caller(two, number, port=one.trunk_port) as citizen:
        one.register(round_id, number)
        desk = Desk(nodes, round_id)
        desk.sits_down()
        desk.next()
        citizen.wait_for_call()
        assert home(nodes, round_id) == "two"
        assert desk.official.http.post("/desk/not-now").status_code == 200
        citizen.answer()
        citizen.at("callback-press-one", "1")
        ready = f"/rounds/{round_id}/stage"
        until(lambda: desk.official.http.get(ready).json()["ready"], "the citizen waits")
        first = citizen.calls[-1]

        line.down()
        citizen.at("callback-cut-off")
        citizen.wait_for("closed", call=first)
        heard = citizen.said(["callback-cut-off"]).prompts
        assert heard[-1] == "callback-cut-off"
        assert citizen.rang == 1, "the apology has ended before the next call"

        def rings_again() -> bool:
            desk.follow()
            if desk._live() is None:
                desk.next()
            return citizen.rang == 2

        until(rings_again, "the citizen is called again", 2 * RECOVERS_S, every=0.5)
        citizen.answer()
        citizen.at("callback-press-one", "1")
        desk.speaks_with(number, "one")
        with reading(one.engine) as session:
            place = session.scalars(select(Registration).where(Registration.round_id == round_id)).one()
            assert place.attempts == 0, "free of charge"
        desk.leave()


@contextmanager
def without_dialer(node: System) -> Iterator[None]:
    """Its dialer is gone, as if nothing started it again: the next ones do not get to work."""
    name = node.settings.node.encode()
    with psycopg.connect(node.settings.database.replace("+psycopg", ""), autocommit=True) as database:
        lock = "SELECT pg_advisory_lock(138, %s)", (zlib.crc32(name) & 0x7FFFFFFF,)
        waits = threading.Thread(target=database.execute, args=lock)
        waits.start()
        until(lambda: _asks_for_a_lock(node), "it is the next to have the lock of the node's dialers")
        os.kill(node.pid("dialer"), signal.SIGKILL)
        waits.join(30)
        yield


def _asks_for_a_lock(node: System) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 138 AND NOT granted"
    )
    with node.engine.connect() as connection:
        return bool(connection.scalar(waiting))


@pytest.mark.timeout(300)
def test_orphaned_conversation_is_cut_before_the_next_call(
    nodes: Nodes,
) -> None:
    one, two, _ = nodes
    number = one.number()
    with one.only_round() as round_id, Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd:
        crowd.answers_options = True
        with Registrant(one, number) as registrant:
            assert registrant.wait(60)
        desk = Desk(nodes, round_id)
        desk.sits_down()
        desk.speaks_with(number, "two")
        with without_dialer(two):
            desk.speaks_with(number, "one", 2 * RECOVERS_S)
            first, again = crowd.calls(number)
            assert first.ended_at and first.ended_by == "hotline" and first.ended_at < again.invited_at
        desk.leave()


@pytest.mark.timeout(300)
def test_frozen_leading_node_moves_the_conversation(
    nodes: Nodes,
) -> None:
    one, two, _ = nodes
    number = one.number()
    with one.only_round() as round_id, Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd:
        crowd.answers_options = True
        with Registrant(one, number) as registrant:
            assert registrant.wait(60)
        let_lead(two, one)
        desk = Desk(nodes, round_id)
        desk.sits_down()
        desk.speaks_with(number, "two")
        with stands_still(two._program.pid):
            assert leads(two)
            stopped_at = time.monotonic()
            crowd.cut_off()  # who hears nothing hangs up
            desk.speaks_with(number, "one", 2 * RECOVERS_S)
            took = time.monotonic() - stopped_at
            assert home(nodes, round_id) == "one" and leads(one) and not leads(two)
        sys.stdout.write(f"stopped: {took} s\n")
        assert took <= RECOVERS_S * slowness()
        until(lambda: states(nodes)["two"] == "live", "the node that stood still is there again")
        assert leads(one) and not leads(two), "it follows"
        assert desk._live() and home(nodes, round_id) == "one"
        assert len(crowd.calls(number)) == 2 and not overlap(crowd.calls(number)), "nobody is called twice"
        desk.leave()


@pytest.fixture
def asking_nodes() -> Iterator[Nodes]:
    """Both ask the trunk each second how it is."""
    with Postgres() as server, two_nodes(server, {"qualify_seconds": 1}) as nodes:
        yield nodes
        for node in nodes[:2]:  # shown when the test fails
            sys.stdout.write(f"--- node {node.settings.node} ---\n{node.last_words()}\n")


def breaker_is_open(node: System) -> bool:
    with reading(node.engine) as session:
        return circuit_breaker.find_outage(session) is not None


@pytest.mark.timeout(420)
def test_node_cut_off_from_its_trunk_yields_the_lead(
    asking_nodes: Nodes,
) -> None:
    nodes = asking_nodes
    one, two, _ = nodes
    citizens = [one.number() for _ in range(3)]
    with one.only_round() as round_id, Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd:
        crowd.answers_options = True
        for number in citizens:
            with Registrant(one, number) as registrant:
                assert registrant.wait(60)
        let_lead(two, one)
        desk = Desk(nodes, round_id)
        desk.sits_down()
        desk.speaks_with(citizens[0], "two")
        until(lambda: answered(nodes) == [True, True], "both hear the trunk")

        crowd.cut_from = two.settings.sip.port
        until(lambda: states(nodes) == {"one": "live", "two": "no-trunk"}, "it says that no trunk answers it")
        until(lambda: leads(one), "the other leads")
        desk.speaks_with(citizens[0], "two", 5)
        assert home(nodes, round_id) == "two", "nobody is cut off"
        desk.next(over=True)
        desk.speaks_with(citizens[1], "one")
        assert home(nodes, round_id) == "one" and not breaker_is_open(one)

        crowd.cut_from = None
        until(lambda: states(nodes)["two"] == "live", "it hears the trunk again")
        assert leads(one) and home(nodes, round_id) == "one"

        crowd.answers_options = False
        until(lambda: breaker_is_open(one), "a trunk that answers nobody is the trunk's own fault")
        until(lambda: answered(nodes) == [False, False], "both know it")
        assert states(nodes) == {"one": "live", "two": "live"} and home(nodes, round_id) == "one"
        crowd.answers_options = True
        until(lambda: not breaker_is_open(one), "calls flow again")
        desk.next(over=True)
        desk.speaks_with(citizens[2], "one")
        desk.leave()
        called = [call.number for call in crowd.calls() if call.answered_at]
        assert called == citizens, "in order, each once"


def answered(nodes: Nodes) -> list[bool | None]:
    """Whether each node hears a trunk."""
    with reading(nodes.one.engine) as session:
        return [each.trunk_answers for each in session.scalars(select(Node).order_by(Node.name))]


@pytest.mark.parametrize(("part", "word"), [("ivr", "no-ivr"), ("asterisk", "no-asterisk")])
def test_stopped_part_of_a_node_is_told_by_both(nodes: Nodes, part: str, word: str) -> None:
    def told(node: System) -> tuple[int, str, str]:
        answer = httpx.get(f"{node.url}/healthz", timeout=5)
        health = answer.json()
        return answer.status_code, health.get("node one", ""), health.get("node two", "")

    for node in nodes[:2]:
        until(
            lambda node=node: told(node) == (200, "live", "live"), f"{node.settings.node} says that both live"
        )
    supervisor = psutil.Process(nodes.two.keeper)  # it starts a stopped one anew after eight seconds
    supervisor.suspend()
    try:
        with stands_still(nodes.two.pid(part)):
            for node in nodes[:2]:
                until(lambda node=node: told(node) == (200, "live", word), f"{node.settings.node} says whose")
    finally:
        supervisor.resume()
    for node in nodes[:2]:
        until(
            lambda node=node: told(node) == (200, "live", "live"),
            f"{node.settings.node} says that it is back",
        )
