"""Two nodes on one PostgreSQL: a round goes on when its node is cut off, and when it is killed."""

import os
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from playwright.sync_api import expect
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, LeftNumber, Node, PlacedCall
from db.models import Desk as DeskRow
from db.states import CallbackState
from dialer import leader
from dialplan.accounts import DESK_EXTENSION
from hotline.callbacks import breaker
from hotline.nodes import homes
from hotline.nodes import nodes as known
from hotline.rounds import rounds
from tests.kit.browser import browser, person
from tests.kit.caller import Caller
from tests.kit.crowd import Behaviour, Call, Crowd
from tests.kit.operator import Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.phone import Account, Phone
from tests.kit.phone import Call as PhoneCall
from tests.kit.postgres import Postgres, stands_still
from tests.kit.process import slowness, until
from tests.kit.registrant import Registrant
from tests.kit.system import System
from tests.kit.two_nodes import Nodes, kill, two_nodes

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
        self._phone = Phone(account=Account(said["username"], said["password"], said["server"]))
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
        """The desk follows its round wherever that goes, and asks for the next until this one is there, by
        this node's Asterisk.
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


class ByHand:
    """A desk that takes citizens by hand, as `/desk` does: its browser asks where to sign in when hung up."""

    def __init__(self, nodes: Nodes, round_id: int) -> None:
        self._one = nodes.one
        self._round = round_id
        self.operator: Operator = nodes.one.operator()
        self._phone: Phone | None = None
        self._in_room: PhoneCall | None = None
        self.server = ""

    def signs_in(self, server: str) -> None:
        """Its phone is on this node."""
        self.leave()
        name, password, _ = self.operator.phone_account
        self._phone = Phone(account=Account(name, password, server))
        self._phone.__enter__()
        self._in_room, self.server = self._phone.dial(f"sip:{DESK_EXTENSION}@{server}"), server

    def leave(self) -> None:
        if self._phone:
            self._phone.__exit__(None, None, None)
        self._phone = self._in_room = None

    def next(self) -> int:
        """«Next», and «call»."""
        callback = self.operator.claim(self._round)
        self._comes_back(self.operator.phone_connected, "the desk's phone is in a room")
        self.operator.call(callback)
        return callback

    def speaks(self, callback: int, node: str) -> None:
        """With its citizen, by this node's Asterisk; then the conversation is over."""

        def talks() -> bool:
            seen = self._one.callback(callback)
            assert seen.state is not CallbackState.CLOSED, f"came to nothing: {seen.outcome}"
            return seen.state is CallbackState.TALKING and seen.node == node

        self._comes_back(talks, f"the desk speaks on node {node}")
        self.operator.hangup(callback)
        said = self.operator.http.put(
            f"/callbacks/{callback}/outcome", json={"outcome": "reached", "note": ""}
        )
        assert said.status_code == 200, said.text

    def _comes_back(self, there: Callable[[], bool], what: str) -> None:
        def looks() -> bool:
            if self._in_room and self._in_room.closed:
                said = self.operator.http.post("/desk/phone/account").json()
                self.signs_in(said["server"])
            return there()

        until(looks, what, 60, every=0.5)


def drained(nodes: Nodes, name: str, *, drained: bool = True) -> None:
    with writing(nodes.one.engine) as session:
        known.drain(session, name, who="the-test", drained=drained)


@pytest.mark.timeout(420)
def test_given_a_desk_that_takes_citizens_by_hand_when_its_round_is_on_a_node_then_its_phone_is_there_first(
    nodes: Nodes,
) -> None:
    one, two, _ = nodes
    citizens = [one.number() for _ in range(3)]
    with one.only_round() as round_id, Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd:
        crowd.answers_options = True
        one.register(round_id, *citizens)
        desk = ByHand(nodes, round_id)
        desk.signs_in(str(one.settings.sip))
        until(desk.operator.phone_connected, "the desk's phone is in its room")

        desk.speaks(desk.next(), "one")
        assert home(nodes, round_id) == "one", "where its phone is, although the other has more room"

        drained(nodes, "one")
        until(lambda: home(nodes, round_id) is None, "the round is free for another node")
        desk.speaks(desk.next(), "two")
        assert home(nodes, round_id) == "two" and desk.server == str(two.settings.sip)

        drained(nodes, "one", drained=False)
        drained(nodes, "two")
        until(lambda: home(nodes, round_id) is None, "the round is free again")
        desk.speaks(desk.next(), "one")
        desk.leave()
        called = [call.number for call in crowd.calls() if call.answered_at]
        assert called == citizens, "in order, each once"


@pytest.mark.timeout(420)
def test_given_a_page_by_hand_when_the_node_of_its_round_drains_then_it_brings_its_phone_to_the_other(
    nodes: Nodes,
) -> None:
    one, _, _ = nodes
    with (
        one.only_round() as round_id,
        Crowd(one.trunk_port, lambda _number, _nth: Behaviour()) as crowd,
        browser() as chromium,
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        crowd.answers_options = True
        citizens = [one.number() for _ in range(2)]
        one.register(round_id, *citizens)
        page = office.new_page()
        sign_in(page, one, one.operator().username)
        lived = []
        for _ in citizens:
            page.get_by_test_id("take-next").click()
            page.get_by_test_id("call").click()
            in_state(page, "callback-state", "talking", timeout=60)
            lived.append(home(nodes, round_id))
            page.get_by_test_id("hangup").click()
            in_state(page, "callback-state", "ended")
            page.get_by_test_id("outcome-reached").click()
            page.get_by_test_id("save-outcome").click()
            expect(page.get_by_test_id("take-next")).to_be_enabled()
            if len(lived) == 1:
                drained(nodes, lived[0] or "")
                until(lambda: home(nodes, round_id) is None, "the round is free for another node")
        assert set(lived) == {"one", "two"}
        called = [call.number for call in crowd.calls() if call.answered_at]
        assert called == citizens, "in order, each once"


def home(nodes: Nodes, round_id: int) -> str | None:
    with reading(nodes.one.engine) as session:
        return homes.of_round(session, round_id)


def states(nodes: Nodes) -> dict[str, str]:
    with reading(nodes.one.engine) as session:
        return {each.name: each.state for each in known.everyone(session)}


def knows_of_another(node: System) -> bool:
    """Whether its work can be taken over by one that comes."""
    with reading(node.engine) as session:
        return session.get_one(Node, node.settings.node).fences


def overlap(calls: list[Call]) -> bool:
    """Whether a phone had two calls at one moment."""
    ends = [call.ended_at or time.time() for call in calls]
    return any(after.invited_at < end for end, after in zip(ends, calls[1:], strict=False))


@pytest.mark.timeout(420)
def test_given_two_nodes_when_the_rounds_node_is_cut_off_and_the_other_then_killed_then_nobody_pays_for_it(
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
def test_given_a_conversation_when_its_dialer_is_gone_for_good_then_it_is_cut_before_another_node_calls_again(
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


def leads(node: System) -> bool:
    with reading(node.engine) as session:
        return leader.is_led_by(session, node.settings.node)


def let_lead(node: System, other: System) -> None:
    """The other's dialer stands still for a moment, without the lead."""
    with stands_still(other.pid("dialer")):
        with other.engine.begin() as connection:
            leader.depose(Session(connection), other.settings.node)
        until(lambda: leads(node), f"node {node.settings.node} leads")


@pytest.mark.timeout(300)
def test_given_left_numbers_when_another_node_leads_than_the_operators_lines_then_this_calls_while_it_lives(
    nodes: Nodes,
) -> None:
    one, two, _ = nodes
    number = one.number()
    with writing(one.engine) as session:
        line = rounds.operators_line(session)
        line.node, line_id = two.settings.node, line.id
    let_lead(one, two)
    desk = ByHand(nodes, line_id)
    desk.signs_in(str(two.settings.sip))
    until(desk.operator.phone_connected, "the desk's phone is in its room")
    with writing(one.engine) as session:
        session.get_one(DeskRow, desk.operator.desk).takes_live = True
    with Caller(one, number, port=one.trunk_port) as called:
        is_left(one, number)
        called.wait_for_call()
        called.answer()
        called.at("left-call-intro")
        called.at("left-call-question", "1")
        called.at("greeting", "0")
        called.at("operator-now")
        until(lambda: spoken_with(one, number), "they speak", 60)
        called.hangup()
    desk.leave()
    assert leads(one)
    with reading(one.engine) as session:
        placed = session.scalars(select(PlacedCall).where(PlacedCall.number == f"+98{number[1:]}")).all()
        assert [call.node for call in placed] == ["two"], "called once"

    number = one.number()
    with Crowd(one.trunk_port, lambda _number, _nth: Behaviour(rings=None)) as crowd:
        crowd.answers_options = True
        is_left(one, number)
        until(lambda: len(crowd.live()) == 1, "it rings")
        kill(two)
        crowd.cut_off()
        until(lambda: home(nodes, line_id) is None, "the line is free for another node", 2 * RECOVERS_S)
        with writing(one.engine) as session:  # a minute has passed
            session.execute(update(LeftNumber).values(due_at=LeftNumber.left_at))
        until(lambda: len(crowd.live()) == 1, "who leads calls")
        assert len(crowd.calls(number)) == 2 and not overlap(crowd.calls(number))


def is_left(node: System, number: str) -> None:
    """Somebody has left this number, and hung up long ago."""
    with writing(node.engine) as session:
        at = now(session)
        session.add(LeftNumber(number=f"+98{number[1:]}", left_at=at, due_at=at))


def spoken_with(node: System, number: str) -> bool:
    """Whether a desk speaks with this citizen."""
    talks = select(Callback).where(Callback.registration.has(number=f"+98{number[1:]}"))
    with reading(node.engine) as session:
        found = session.scalars(talks).all()
        return [callback.state for callback in found] == [CallbackState.TALKING]


@pytest.mark.timeout(300)
def test_given_a_conversation_when_all_of_the_node_that_leads_stands_still_then_it_goes_on_at_the_other(
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
    with Postgres() as server, two_nodes(server, HOTLINE_TRUNK_ASKED_SECONDS="1") as nodes:
        yield nodes
        for node in nodes[:2]:  # shown when the test fails
            sys.stdout.write(f"--- node {node.settings.node} ---\n{node.last_words()}\n")


def breaker_is_open(node: System) -> bool:
    with reading(node.engine) as session:
        return breaker.down(session) is not None


@pytest.mark.timeout(420)
def test_given_a_node_that_leads_when_its_own_way_to_the_trunk_is_cut_then_the_other_leads_and_calls(
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
