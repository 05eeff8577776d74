"""Key 0 on two nodes: the idle operators' line, and its desk's browser, come to the caller's node."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.engine import reading, writing
from db.models import Callback, Desk, Registration
from db.states import CallbackState, RegistrationState
from hotline.callbacks import transitions
from hotline.rounds import phases
from tests.kit.browser import browser, person
from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.postgres import Postgres
from tests.kit.process import until
from tests.kit.system import System
from tests.kit.two_nodes import Nodes, home, states, two_nodes

COMES_S = 60.0
"""A browser is there within some three seconds; not so on a machine that starts much else."""


@pytest.fixture(scope="module")
def running() -> Iterator[Nodes]:
    with Postgres() as server, two_nodes(server) as nodes:
        until(lambda: states(nodes) == {"one": "live", "two": "live"}, "both nodes are there")
        with writing(nodes.one.engine) as session:  # so that the desk's page opens at the operators' line
            for other in phases.list_registrable(session):
                phases.end_round(session, other)
            phases.get_operators_line(session)
        yield nodes


@pytest.fixture
def nodes(running: Nodes) -> Iterator[Nodes]:
    yield running
    for node in running[:2]:  # shown when the test fails
        sys.stdout.write(f"--- node {node.settings.node} ---\n{node.last_words()}\n")


@pytest.fixture
def operator(nodes: Nodes) -> Operator:
    return nodes.one.operator()


@pytest.fixture
def page(nodes: Nodes, operator: Operator) -> Iterator[Page]:
    """The desk's, which takes live calls; the line is at home on `one`, where its browser goes."""
    with browser() as chromium, person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office:
        page = office.new_page()
        sign_in(page, nodes.one, operator.username)
        expect(page.get_by_test_id("takes-live")).to_be_checked()
        with writing(nodes.one.engine) as session:
            phases.get_operators_line(session).node = "one"
            for left in session.scalars(select(Registration).where(Registration.state == "waiting")):
                left.state = RegistrationState.CLOSED  # of the test before
        until(lambda: desk_is_on(nodes, operator) == "one", "the desk's phone is on the line's node")
        yield page


def desk_is_on(nodes: Nodes, operator: Operator) -> str | None:
    """The node in whose room the desk's phone is."""
    with reading(nodes.one.engine) as session:
        desk = session.get_one(Desk, operator.desk)
        return desk.node if desk.phone_connected else None


def line_is_on(nodes: Nodes) -> str | None:
    with reading(nodes.one.engine) as session:
        line = phases.find_operators_line(session)
        assert line is not None
    return home(nodes, line.id)


def place(nodes: Nodes, caller: Caller) -> Registration:
    """The one that this caller has."""
    with reading(nodes.one.engine) as session:
        own = select(Registration).where(Registration.number == f"+98{caller.number[1:]}")
        return session.scalars(own).one()


def callback(nodes: Nodes, caller: Caller) -> Callback | None:
    with reading(nodes.one.engine) as session:
        return transitions.find_by_registration(session, place(nodes, caller).id)


@contextmanager
def a_caller(nodes: Nodes, node: System) -> Iterator[Caller]:
    """On this node; 137 has answered."""
    with Caller(node, nodes.one.number()) as caller:
        caller.call()
        yield caller


def speak(nodes: Nodes, caller: Caller, node: str) -> None:
    """Speak by this node's Asterisk; then the conversation is over."""

    def talks() -> bool:
        met = callback(nodes, caller)
        return met is not None and met.state is CallbackState.TALKING and met.node == node

    until(talks, f"they speak on node {node}", COMES_S)


def is_over(page: Page) -> None:
    """The desk ends the conversation, and says what became of it."""
    in_state(page, "callback-state", "talking")
    page.get_by_test_id("hangup").click()
    in_state(page, "callback-state", "ended", "parting")
    page.get_by_test_id("outcome-reached").click()
    page.get_by_test_id("save-outcome").click()
    expect(page.get_by_test_id("take-next")).to_be_enabled()


@pytest.mark.timeout(420)
def test_key_0_moves_the_line_and_desk_to_the_callers_node(
    nodes: Nodes, operator: Operator, page: Page
) -> None:
    for node in (nodes.two, nodes.one):
        name = node.settings.node
        with a_caller(nodes, node) as caller:
            caller.at("greeting", "0")
            caller.at("operator-now")
            speak(nodes, caller, name)
            assert (line_is_on(nodes), desk_is_on(nodes, operator)) == (name, name)
            is_over(page)


@pytest.mark.timeout(420)
def test_key_0_on_two_nodes_connects_one_and_calls_one_back(nodes: Nodes, page: Page) -> None:
    with a_caller(nodes, nodes.one) as first, a_caller(nodes, nodes.two) as second:
        callers = {"one": first, "two": second}
        for caller in callers.values():
            caller.press("0")
        heard = {
            name: caller.either("operator-now", "operator-registered") for name, caller in callers.items()
        }
        assert sorted(heard.values()) == ["operator-now", "operator-registered"]
        (winner,) = (name for name, said in heard.items() if said == "operator-now")
        (other,) = callers.keys() - {winner}
        speak(nodes, callers[winner], winner)
        left = place(nodes, callers[other])
        assert (left.state, callback(nodes, callers[other])) == (RegistrationState.WAITING, None)
        callers[other].wait_for("closed")
        is_over(page)


@pytest.mark.timeout(420)
def test_closed_page_after_a_move_leads_to_a_callback(nodes: Nodes, operator: Operator, page: Page) -> None:
    with a_caller(nodes, nodes.two) as caller:
        caller.at("greeting", "0")
        caller.at("operator-now")
        page.close()
        caller.at("operator-stay")
        until(lambda: desk_is_on(nodes, operator) is None, "the desk's phone is gone")
        assert line_is_on(nodes) == "two"
        caller.at("operator-press-two", "2", timeout=90)
        caller.at("operator-registered")
        caller.wait_for("closed")
        assert place(nodes, caller).state is RegistrationState.WAITING
    until(lambda: line_is_on(nodes) is None, "the line is free for where the desk is next")
