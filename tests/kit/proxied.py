"""The real Kamailio between a carrier and two nodes, each as small as it can be (tests.kit.sip_peer)."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from dialplan.kamailio import get_route_secret
from settings import load
from tests.kit.kamailio import Kamailio
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.sip_peer import Call, Node, Peer
from tests.kit.trunk_file import make_trunk

CARRIER, STRANGER = "127.0.0.4", "127.0.0.9"
PER_SECOND = 40
MakeCall = Callable[..., Call]


class Place:
    """The proxy and who is around it."""

    def __init__(self, folder: Path, one: str = "") -> None:
        """`one`: where the proxy believes that the first node listens, if that is elsewhere."""
        proxy, carrier = free_port(), free_port()
        self.one, self.two = Node(free_port()), Node(free_port())
        self.carrier, self.stranger = Peer(CARRIER, carrier), Peer(STRANGER, free_port())
        self.settings = load(
            _env_file=None,
            state_dir=folder,
            sip_proxy=f"127.0.0.1:{proxy}",
            sip_nodes=f"one={one or f'127.0.0.1:{self.one.port}'} two=127.0.0.1:{self.two.port}",
            sip_proxy_calls_per_second=PER_SECOND,
            sip_proxy_metrics=f"127.0.0.1:{free_port()}",
            trunks=make_trunk(host=f"{CARRIER}:{carrier}", allowed=(CARRIER,)),
            urgent_number="125",
        )
        self.kamailio = Kamailio(self.settings)

    def state(self, node: Node) -> str:
        """Return the proxy's flag for the node: A takes callers, I does not answer, D is taken out."""
        return re.search(rf"sip:127.0.0.1:{node.port}\s+FLAGS: (\w)", self.kamailio.nodes())[1]

    def turned_away(self) -> dict[str, int]:
        """How many callers the proxy itself has turned away, by its reason, as Prometheus is told."""
        text = httpx.get(f"http://{self.settings.sip_proxy_metrics}/metrics").raise_for_status().text
        counted = re.findall(r'^hotline_proxy_turned_away_total ?\{why="(\w+)"\} (\d+)', text, re.M)
        return {why: int(number) for why, number in counted}

    def may_call(self) -> bool:
        """Whether few have called in this second, and nobody was told that all is full."""
        of_nodes, of_carrier, told = map(
            int, re.findall(r"\[(\d+)\]$", self.kamailio.ask("rl.get_pipes"), re.M)
        )
        return of_nodes + of_carrier < PER_SECOND / 4 and not told

    def all_there(self) -> bool:
        """Whether both nodes take callers."""
        return self.state(self.one) + self.state(self.two) == "AA"


@contextmanager
def started(place: Place) -> Iterator[Place]:
    """All who are there, until the `with` ends."""
    with ExitStack() as stack:
        for part in (place.one, place.two, place.carrier, place.stranger, place.kamailio):
            stack.enter_context(part)
        yield place


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with started(Place(tmp_path_factory.mktemp("settings"))) as place:
        yield place


@pytest.fixture
def place(running: Place) -> Iterator[Place]:
    """The same with two nodes that are well, and nothing that came in yet."""
    for node in (running.one, running.two):
        node.well()
    until(running.all_there, "both nodes are there")
    running.kamailio.ask("htable.flush", "full")
    until(running.may_call, "another second")
    for peer in (running.one, running.two, running.carrier, running.stranger):
        peer.requests.clear()
    running.one.said_full.clear()
    running.two.said_full.clear()
    yield running


@pytest.fixture
def make(place: Place) -> Iterator[MakeCall]:
    """Calls 137 by the carrier; every call is over after the test."""
    made: list[Call] = []

    def make(peer: Peer | None = None, **more: str) -> Call:
        target = f"sip:137@{place.settings.sip_proxy}"
        call = Call(peer or place.carrier, place.kamailio.address, target, **more)
        made.append(call)
        call.ask("INVITE")
        return call

    yield make
    for call in made:
        if call.status == "200" and not call.over:
            call.ask("BYE")


def route(place: Place) -> str:
    """Return the route by which a node's calls come to the proxy."""
    return f"Route: <sip:{place.settings.sip_proxy};lr{get_route_secret(place.settings)}>"


def out_of(place: Place, number: str) -> Call:
    """A call of the node `one`."""
    target = f"sip:{number}@{place.settings.trunks[0].host}"
    return Call(place.one, place.kamailio.address, target, more=[route(place)], number="137")


def node_of(place: Place, call: Call) -> Node:
    """Which node answered it."""
    (found,) = [node for node in (place.one, place.two) if f"tag={node.port}" in call.first.header("To")]
    return found
