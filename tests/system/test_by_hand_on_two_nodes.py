"""A desk that takes citizens by hand, on two nodes with one PostgreSQL: its phone goes where they are."""

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from db.engine import now, reading, writing
from db.models import Callback, OutboundCall, OutboundKind, PlacedCall
from db.models import Desk as DeskRow
from db.states import CallbackState
from hotline.outbound import queue
from hotline.rounds import phases
from tests.kit.browser import browser, person
from tests.kit.caller import Caller
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.operator import ROOM, Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.phone import Account, Phone
from tests.kit.postgres import Postgres
from tests.kit.process import until
from tests.kit.system import System
from tests.kit.two_nodes import Nodes, drained, home, kill, leads, let_lead, overlap, states, two_nodes

RECOVERS_S = 30.0
"""Until a node that is gone is taken for gone."""


@pytest.fixture(scope="module")
def running() -> Iterator[Nodes]:
    with Postgres() as server, two_nodes(server) as nodes:
        yield nodes


@pytest.fixture
def nodes(running: Nodes) -> Iterator[Nodes]:
    """Both are there, whatever the test before did to them; the last one may kill them."""
    for name in ("one", "two"):
        drained(running, name, drained=False)
    until(lambda: states(running) == {"one": "live", "two": "live"}, "both nodes are there")
    yield running
    for node in running[:2]:  # shown when the test fails
        sys.stdout.write(f"--- node {node.settings.node} ---\n{node.last_words()}\n")


class ByHand:
    """A desk that takes citizens by hand; its person moves the SIP phone to where the page says."""

    def __init__(self, nodes: Nodes, round_id: int) -> None:
        self._one = nodes.one
        self._round = round_id
        self.operator: Operator = nodes.one.operator()
        self._phone: Phone | None = None
        self.server = ""

    def signs_in(self, server: str) -> None:
        """Its phone is on this node."""
        self.leave()
        self._phone = Phone(account=Account(*self.operator.account_at(server)))
        self._phone.__enter__()
        self._phone.dial(f"sip:{ROOM}@{server}")
        self.server = server

    def leave(self) -> None:
        if self._phone:
            self._phone.__exit__(None, None, None)
        self._phone = None

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
            belongs = self.operator.http.post("/desk/phone/account").json()["server"]
            if belongs != self.server:
                self.signs_in(belongs)
            return there()

        until(looks, what, 60, every=0.5)


@pytest.mark.timeout(420)
def test_phone_of_a_desk_by_hand_moves_to_the_rounds_node(
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
def test_drained_node_moves_the_phone_of_a_page_by_hand(
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


@pytest.mark.timeout(300)
def test_overflow_callbacks_follow_the_leading_node(
    nodes: Nodes,
) -> None:
    one, two, _ = nodes
    number = one.number()
    with writing(one.engine) as session:
        line = phases.get_operators_line(session)
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
        until(lambda: waits(one, number), "the call of the dead node is over")
        with writing(one.engine) as session:  # a minute has passed
            session.execute(update(OutboundCall).values(due_at=OutboundCall.asked_at))
        until(lambda: len(crowd.live()) == 1, "who leads calls")
        assert len(crowd.calls(number)) == 2 and not overlap(crowd.calls(number))


def is_left(node: System, number: str) -> None:
    """Somebody has left this number, and hung up long ago."""
    with writing(node.engine) as session:
        at = now(session)
        queue.add(session, OutboundKind.OVERFLOW, f"+98{number[1:]}", at)


def waits(node: System, number: str) -> bool:
    """Whether this left number is to be called, and no call to it is on its way."""
    is_open = OutboundCall.ended_at.is_(None), OutboundCall.token.is_(None)
    mine = OutboundCall.number == f"+98{number[1:]}", *is_open
    with reading(node.engine) as session:
        return session.scalar(select(OutboundCall.id).where(*mine)) is not None


def spoken_with(node: System, number: str) -> bool:
    """Whether a desk speaks with this citizen."""
    talks = select(Callback).where(Callback.registration.has(number=f"+98{number[1:]}"))
    with reading(node.engine) as session:
        found = session.scalars(talks).all()
        return [callback.state for callback in found] == [CallbackState.TALKING]
