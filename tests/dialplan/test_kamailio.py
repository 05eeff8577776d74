"""The real Kamailio between a carrier and two nodes, each as small as it can be (tests/kit/sip_peer.py)."""

import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dialplan.kamailio import known_by, word
from settings import load
from tests.kit.kamailio import Kamailio
from tests.kit.ports import free_port
from tests.kit.process import in_time, until
from tests.kit.sip import Request, Response
from tests.kit.sip_peer import Call, Node, Peer, headers

CARRIER, STRANGER = "127.0.0.4", "127.0.0.9"
PER_SECOND = 40
MakeCall = Callable[..., Call]


class Place:
    """The proxy and who is around it."""

    def __init__(self, folder: Path) -> None:
        proxy, carrier = free_port(), free_port()
        self.one, self.two = Node(free_port()), Node(free_port())
        self.carrier, self.stranger = Peer(CARRIER, carrier), Peer(STRANGER, free_port())
        self.settings = load(
            _env_file=None,
            state_dir=folder,
            sip_proxy=f"127.0.0.1:{proxy}",
            sip_nodes=f"one=127.0.0.1:{self.one.port} two=127.0.0.1:{self.two.port}",
            sip_proxy_calls_per_second=PER_SECOND,
            trunk_host=f"{CARRIER}:{carrier}",
            trunk_allowed=CARRIER,
            urgent_number="125",
        )
        self.kamailio = Kamailio(self.settings)

    def state(self, node: Node) -> str:
        """Which flags the proxy has for it: A it takes callers, I it does not answer, D it is taken out."""
        return re.search(rf"sip:127.0.0.1:{node.port}\s+FLAGS: (\w)", self.kamailio.nodes())[1]

    def all_there(self) -> bool:
        """Whether both nodes take callers."""
        return self.state(self.one) + self.state(self.two) == "AA"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("settings"))
    with ExitStack() as stack:
        for part in (place.one, place.two, place.carrier, place.stranger, place.kamailio):
            stack.enter_context(part)
        yield place


@pytest.fixture
def place(running: Place) -> Iterator[Place]:
    """The same with two nodes that are well, and nothing that came in yet."""
    for node in (running.one, running.two):
        node.well()
    until(running.all_there, "both nodes are there")
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
    """By which a node's calls come to the proxy."""
    return f"Route: <sip:{place.settings.sip_proxy};lr{known_by(place.settings)}>"


def out_of(place: Place, number: str) -> Call:
    """A call of the node `one`."""
    target = f"sip:{number}@{place.settings.trunk_host}"
    return Call(place.one, place.kamailio.address, target, more=[route(place)], number="137")


def node_of(place: Place, call: Call) -> Node:
    """Which node answered it."""
    (found,) = [node for node in (place.one, place.two) if f"tag={node.port}" in call.first.header("To")]
    return found


def test_given_callers_when_they_come_then_each_goes_to_the_node_with_the_fewest(
    place: Place, make: MakeCall
):
    first = [make() for _ in range(10)]
    assert [call.status for call in first] == ["200"] * 10
    assert (len(place.one.callers()), len(place.two.callers())) == (5, 5)

    for call in first:
        if node_of(place, call) is place.one:
            assert call.ask("BYE").text.startswith("SIP/2.0 200")
    place.one.requests.clear()
    for _ in range(4):
        make()
    assert len(place.one.callers()) == 4


def test_given_a_call_when_either_side_says_something_then_it_reaches_the_other_by_the_same_node(
    place: Place, make: MakeCall
):
    call = make()
    node = node_of(place, call)
    node.requests.clear()

    assert call.ask("INVITE").text.startswith("SIP/2.0 200")
    assert len(node.of("INVITE")) == 1
    until(lambda: node.of("ACK"), "what nobody answers has arrived, too")
    assert node.hang_up(call.call_id).text.startswith("SIP/2.0 200")
    assert [bye.call_id for bye in place.carrier.of("BYE")] == [call.call_id]


def test_given_a_call_that_is_not_answered_yet_when_the_caller_hangs_up_then_the_node_hears_it_at_once(
    place: Place,
):
    for node in (place.one, place.two):
        node.rings = True
    call = Call(place.carrier, place.kamailio.address, f"sip:137@{place.settings.sip_proxy}")
    call.begin()
    until(lambda: place.one.callers() + place.two.callers(), "it rings")
    call.cancel()

    assert call.finish().text.startswith("SIP/2.0 487")
    assert len(place.one.of("CANCEL") + place.two.of("CANCEL")) == 1
    assert place.kamailio.nodes().count("DLGLOAD: 0") == 2


def test_given_a_node_that_is_gone_when_callers_come_then_they_reach_the_other_and_it_is_noticed_within_3_s(
    place: Place, make: MakeCall
):
    gone = time.monotonic()
    place.one.silent = True
    calls = []
    while not any(node_of(place, call) is place.two and call.took > 1.0 for call in calls) and len(calls) < 4:
        calls.append(make())
    assert all(call.status == "200" and in_time(call.took, 5) for call in calls)
    assert all(node_of(place, call) is place.two for call in calls)
    until(lambda: place.state(place.one) == "I", "it is noticed", every=0.02)
    assert in_time(time.monotonic() - gone, 3)
    assert "node one is gone" in place.kamailio.log()

    place.one.well()
    until(lambda: place.state(place.one) == "A", "it is there again", timeout=5)


def test_given_a_node_asked_by_nobody_when_it_goes_then_its_silence_is_noticed_within_3_s(place: Place):
    gone = time.monotonic()
    place.two.silent = True
    until(lambda: place.state(place.two) == "I", "it is noticed", every=0.02)
    took = time.monotonic() - gone
    assert in_time(took, 3)


def test_given_one_question_that_was_lost_when_the_next_is_answered_then_the_node_was_never_out(place: Place):
    before = place.kamailio.log()
    place.one.lost = 2  # a question is sent twice
    until(lambda: place.one.lost == 0, "both were lost")
    asked = len(place.one.of("OPTIONS"))
    until(lambda: len(place.one.of("OPTIONS")) >= asked + 3, "it is asked again")
    until(place.all_there, "both are there")
    assert place.kamailio.log() == before


def test_given_nodes_that_answer_no_question_any_more_when_a_caller_comes_then_they_are_tried_all_the_same(
    place: Place, make: MakeCall
):
    place.one.lost = place.two.lost = 1000  # a rush
    until(lambda: place.state(place.one) + place.state(place.two) == "II", "both count as gone")
    calls = [make() for _ in range(4)]
    assert [call.status for call in calls] == ["200"] * 4
    assert {node_of(place, call) for call in calls} == {place.one, place.two}

    place.one.silent = True  # and one of them is gone indeed
    more = [make() for _ in range(2)]
    assert [node_of(place, call) for call in more] == [place.two] * 2


def test_given_a_full_node_when_a_caller_comes_then_the_next_takes_them(place: Place, make: MakeCall):
    place.one.full = True
    calls = [make() for _ in range(4)]

    assert [node_of(place, call) for call in calls] == [place.two] * 4
    assert not place.one.said_full


def test_given_all_nodes_full_when_a_caller_comes_then_one_of_them_says_so_and_only_then(
    place: Place, make: MakeCall
):
    place.one.full = place.two.full = True
    call = make()

    assert call.status == "200"
    assert place.one.said_full + place.two.said_full == [call.call_id]
    assert len(place.one.of("INVITE")) + len(place.two.of("INVITE")) == 3


def test_given_no_line_even_to_say_so_when_a_caller_comes_then_503_says_when_to_try_again(
    place: Place, make: MakeCall
):
    for node in (place.one, place.two):
        node.full = node.no_line = True
    call = make()

    assert call.status == "503"
    assert int(call.first.header("Retry-After")) > 0


def test_given_no_node_at_all_when_a_caller_comes_then_503_comes_at_once(place: Place, make: MakeCall):
    for node in (place.one, place.two):
        node.drains = True
    until(lambda: place.state(place.one) + place.state(place.two) == "II", "both are out")
    said = place.kamailio.log().splitlines()[-2:]
    assert {line.rpartition(": ")[2] for line in said} == {"node one is gone", "node two is gone"}
    call = make()

    assert call.status == "503" and call.first.header("Retry-After")
    assert in_time(call.took, 1)
    asked = Call(place.carrier, place.kamailio.address, f"sip:{place.settings.sip_proxy}")
    assert asked.ask("OPTIONS").text.startswith("SIP/2.0 503")


def test_given_a_node_that_drains_when_callers_come_then_its_calls_go_on_and_no_new_one_comes(
    place: Place, make: MakeCall
):
    calls = [make(), make()]
    (kept,) = [call for call in calls if node_of(place, call) is place.one]
    place.one.drains = True
    until(lambda: place.state(place.one) == "I", "it takes no more")
    assert {node_of(place, make()) for _ in range(3)} == {place.two}
    assert kept.ask("BYE").text.startswith("SIP/2.0 200")
    assert place.one.of("BYE")

    place.one.drains = False
    until(place.all_there, "both take callers")
    place.kamailio.ask("dispatcher.set_state", "dx", "1", f"sip:127.0.0.1:{place.one.port}")
    assert {node_of(place, make()) for _ in range(3)} == {place.two}
    place.kamailio.ask("dispatcher.set_state", "ax", "1", f"sip:127.0.0.1:{place.one.port}")


def test_given_calls_in_progress_when_the_proxy_is_killed_and_started_again_then_both_sides_can_end_them(
    place: Place, make: MakeCall
):
    ours, theirs = make(), make()
    place.kamailio.kill()
    place.kamailio.start()

    assert node_of(place, ours).hang_up(ours.call_id).text.startswith("SIP/2.0 200")
    assert theirs.ask("BYE").text.startswith("SIP/2.0 200")
    assert make().status == "200"


def test_given_a_nodes_call_when_it_goes_out_then_the_carrier_has_it_without_an_inner_address(place: Place):
    carrier = str(place.settings.trunk_host)
    out = Call(
        place.one,
        place.kamailio.address,
        f"sip:09131234567@{carrier}",
        more=[route(place), "X-Hotline-Secret: 1"],
        number="137",
    )
    place.carrier.answers_calls = True
    answer = out.ask("INVITE")
    assert answer.text.startswith("SIP/2.0 200")
    (invite,) = place.carrier.of("INVITE")
    said, _, sound = invite.text.partition("\n\n")
    assert f":{place.one.port}" not in said and "Hotline-" not in said and "Route: <sip:127.0.0.1" in said
    assert f"m=audio {place.one.port + 1}" in sound
    assert out.ask("BYE").text.startswith("SIP/2.0 200") and place.carrier.of("BYE")

    target = f"sip:09131234567@{STRANGER}:{place.stranger.port}"
    elsewhere = Call(place.one, place.kamailio.address, target, more=[route(place)])
    assert elsewhere.ask("INVITE").text.startswith("SIP/2.0 403")
    assert not place.stranger.requests


FORGED = {
    "a call abroad": ("INVITE sip:005312345678@{carrier} SIP/2.0", ""),
    "a call by our own route": (
        "INVITE sip:09131234567@{carrier} SIP/2.0",
        "Route: <sip:{proxy};lr;node=1>\n",
    ),
    "a question": ("OPTIONS sip:{carrier} SIP/2.0", "Route: <sip:{proxy};lr>\n"),
    "within a call that never was": (
        "INVITE sip:005312345678@{victim} SIP/2.0",
        "Route: <sip:{proxy};lr;told=0123456789abcdef0123456789abcdef>, <sip:{victim};lr>\n",
    ),
    "the end of one": ("BYE sip:1@{victim} SIP/2.0", "Route: <sip:{proxy};lr>\n"),
    "an ACK": ("ACK sip:1@{victim} SIP/2.0", "Route: <sip:{proxy};lr>\n"),
    "another method": ("MESSAGE sip:1@{victim} SIP/2.0", "Max-Forwards: 0\n"),
}


@pytest.mark.parametrize("what", FORGED)
def test_given_a_packet_with_a_nodes_address_when_its_sender_knows_no_more_then_nobody_hears_of_it(
    place: Place, make: MakeCall, what: str
):
    line, route = FORGED[what]
    tag = ";tag=2" if what in ("within a call that never was", "the end of one", "an ACK") else ""
    with Peer(STRANGER, free_port()) as victim:
        place.carrier.answers_calls = True
        place.one.answers.clear()
        place.one.send(
            (
                f"{line}\nVia: SIP/2.0/UDP {{here}};branch=z9hG4bKforged\n{route}"
                f"From: <sip:137@x>;tag=1\nTo: <sip:1@x>{tag}\nCall-ID: forged\nCSeq: 1 {line.split()[0]}\n"
                f"{'' if 'Max-' in route else 'Max-Forwards: 70' + chr(10)}"
                "Contact: <sip:{here}>\nContent-Length: 0\n\n"
            ).format(
                proxy=place.settings.sip_proxy,
                carrier=place.settings.trunk_host,
                victim=f"{victim.host}:{victim.port}",
                here=f"127.0.0.1:{place.one.port}",
            ),
            place.kamailio.address,
        )
        assert make().status == "200"  # it has been read by now
        time.sleep(0.3)
        assert not victim.requests
    assert not place.carrier.requests
    assert not place.one.answers


def test_given_a_call_when_a_packet_with_the_carriers_address_knows_only_its_names_then_no_node_hears_it(
    place: Place, make: MakeCall
):
    call = make()
    node = node_of(place, call)
    told = headers(call.first, "Record-Route")[0]
    for wrong in ("", ";told=", ";told=0123456789abcdef0123456789abcdef"):
        call.within([f"Route: {re.sub(';told=[^;>]*', wrong, told)}"])
        assert call.ask("BYE", timeout=0.7) is None
    call.within([f"Route: {told}"])
    assert call.ask("BYE").text.startswith("SIP/2.0 200")
    assert len(node.of("BYE")) == 1
    other = make()
    other.within([f"Route: {told}"])  # of another call
    assert other.ask("BYE", timeout=0.7) is None
    other.within([f"Route: {headers(other.first, 'Record-Route')[0]}"])


def test_given_a_node_that_was_taken_over_when_it_calls_then_allowed_numbers_alone_and_so_many_in_a_second(
    place: Place,
):
    place.carrier.answers_calls = True
    for number in ("005312345678", "0091312345", "+989131234567", "09131234567;x=1", "1125"):
        assert out_of(place, number).ask("INVITE").text.startswith("SIP/2.0 403"), number
    assert not place.carrier.requests
    assert out_of(place, "125").ask("INVITE").text.startswith("SIP/2.0 200")

    many = [out_of(place, "09131234567") for _ in range(3 * PER_SECOND)]
    for call in many:
        call.begin()
    for call in many:
        call.finish()
    assert len([call for call in many if call.status == "503"]) >= PER_SECOND / 2
    assert [call.status for call in many].count("200") >= PER_SECOND / 2
    assert (
        Call(place.carrier, place.kamailio.address, f"sip:137@{place.settings.sip_proxy}")
        .ask("INVITE")
        .text.startswith("SIP/2.0 200")
    )


ODD = [
    "INVITE sip:137@{proxy} SIP/2.0\n\n",
    "INVITE sip:137@{proxy} SIP/2.0\nVia: SIP/2.0/UDP {here};branch=z9hG4bK\nWRITTEN-INTO-THE-LOG\n\n",
    "INVITE sip:WRITTEN-INTO-THE-LOG%0a@{proxy}:99999 SIP/2.0\nVia: SIP/2.0/UDP {here};branch=z9hG4bKa\n"
    "From: <sip:WRITTEN-INTO-THE-LOG@x>;tag=1\nTo: <<<\nCall-ID: 1\nCSeq: x INVITE\nContent-Length: -4\n\n",
    "WRITTEN-INTO-THE-LOG\n" * 40,
    "SIP/2.0 200 WRITTEN-INTO-THE-LOG\nVia: SIP/2.0/UDP {proxy};branch=z9hG4bKz\n"
    "Via: SIP/2.0/UDP {victim};branch=z9hG4bKv\nFrom: <sip:1@x>;tag=1\nTo: <sip:1@x>;tag=2\nCall-ID: 2\n"
    "CSeq: 1 INVITE\nContent-Length: 0\n\n",
    # As if it belonged to a call, to where the sender would like it to go.
    "INVITE sip:0098123456@{victim} SIP/2.0\nVia: SIP/2.0/UDP {here};branch=z9hG4bKb\n"
    "Route: <sip:{proxy};lr>\nFrom: <sip:137@x>;tag=1\nTo: <sip:137@x>;tag=2\nCall-ID: 3\nCSeq: 1 INVITE\n"
    "Max-Forwards: 70\nContact: <sip:{here}>\nContent-Length: 0\n\n",
]


@pytest.mark.parametrize("sender", ["a stranger", "the carrier"])
def test_given_odd_packets_when_they_come_then_nothing_goes_on_and_nothing_of_them_is_in_the_log(
    place: Place, make: MakeCall, sender: str
):
    peer = place.stranger if sender == "a stranger" else place.carrier
    victim = Peer(STRANGER, free_port())
    with victim:
        values = {
            "proxy": place.settings.sip_proxy,
            "here": f"{peer.host}:{peer.port}",
            "victim": f"{victim.host}:{victim.port}",
        }
        for odd in ODD:
            peer.send(odd.format(**values), place.kamailio.address)
        assert make().status == "200"
        assert not victim.requests and not victim.answers
    assert len(place.one.of("INVITE")) + len(place.two.of("INVITE")) == 1
    assert "WRITTEN" not in place.kamailio.log()
    assert "98" not in re.sub(r"127\.0\.0\.1:\d+", "", place.kamailio.log())


def test_given_a_scanner_when_it_asks_by_a_carrier_then_it_is_refused_and_a_stranger_hears_nothing(
    place: Place, make: MakeCall
):
    target = f"sip:100@{place.settings.sip_proxy}"
    scanner = Call(place.carrier, place.kamailio.address, target, more=["User-Agent: friendly-scanner"])
    assert scanner.ask("INVITE").text.startswith("SIP/2.0 403")
    stranger = Call(place.stranger, place.kamailio.address, target)
    assert stranger.ask("INVITE", timeout=0.7) is None
    assert not place.one.of("INVITE") + place.two.of("INVITE")
    assert make(more=["User-Agent: eyeBeam release 1102q"]).status == "200"  # a citizen's telephone


def test_given_a_flood_of_a_stranger_when_the_carriers_calls_come_then_they_are_answered_as_always(
    place: Place, make: MakeCall
):
    flood = f"OPTIONS sip:100@{place.settings.sip_proxy} SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4\r\n\r\n".encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((STRANGER, 0))
        took = []
        for _ in range(10):
            for _ in range(300):
                sender.sendto(flood, place.kamailio.address)
            call = make()
            assert call.status == "200"
            took.append(call.took)
        sender.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sender.recv(2048)
    assert in_time(max(took), 1), took


def test_given_more_calls_in_a_second_than_are_taken_when_a_call_ends_then_that_still_goes_through(
    place: Place, make: MakeCall
):
    kept = make()
    many = [
        Call(place.carrier, place.kamailio.address, f"sip:137@{place.settings.sip_proxy}")
        for _ in range(3 * PER_SECOND)
    ]
    for call in many:
        call.begin()
    assert kept.ask("BYE").text.startswith("SIP/2.0 200")
    for call in many:
        call.finish()
    turned = [call.first for call in many if call.status == "503"]
    assert len(turned) >= PER_SECOND / 2 and all(isinstance(each, Response) for each in turned)
    assert {headers(each, "Retry-After")[0].isdecimal() for each in turned} == {True}
    assert len(place.one.callers()) + len(place.two.callers()) == 1 + sum(c.status == "200" for c in many)
    for call in many:
        if call.status == "200":
            call.ask("BYE")


class Registrar(Peer):
    """A carrier that gives an account and a password."""

    def asked(self, request: Request, sender: tuple[str, int]) -> None:
        if request.method == "REGISTER":  # a slow one
            if request.header("Authorization"):
                said: tuple[str, list[str]] = ("200 OK", [])
            else:
                said = ("401 Unauthorized", ['WWW-Authenticate: Digest realm="carrier", nonce="abc"'])
            threading.Timer(2, self._say, (request, sender, *said)).start()
        else:
            super().asked(request, sender)

    def _say(self, request: Request, sender: tuple[str, int], status: str, more: list[str]) -> None:
        with suppress(OSError):  # it is over
            self.answer(request, status, sender, more)


def test_given_a_carrier_that_we_register_with_when_it_calls_where_it_was_told_then_it_is_known_by_that_alone(
    tmp_path: Path,
):
    proxy, node = free_port(), Node(free_port())
    with Registrar(CARRIER, free_port()) as main, Peer("127.0.0.5", free_port()) as spare, node:
        secret = "a:b\"'$x"
        trunks = tmp_path / "trunks.toml"
        trunks.write_text(
            f"[main]\nprofile = 'registration'\nhost = '{CARRIER}:{main.port}'\nuser = '137'\n"
            f"secret = '''{secret}'''\n[spare]\nprofile = 'address'\nhost = '{spare.host}:{spare.port}'\n"
        )
        settings = load(
            _env_file=None,
            state_dir=tmp_path,
            sip_proxy=f"127.0.0.1:{proxy}",
            sip_nodes=f"one=127.0.0.1:{node.port}",
            sip_proxy_calls_per_second=20,
            trunks=trunks,
        )
        with Kamailio(settings) as kamailio:
            assert "config file ok" in kamailio.check()
            signed = lambda: [each for each in main.of("REGISTER") if each.header("Authorization")]  # noqa: E731
            until(signed, "it registers, though the carrier is slow", timeout=20)
            told = signed()[-1]
            ours = [hashlib.md5(part.encode()).hexdigest() for part in (f"137:carrier:{secret}", _said(told))]
            expected = hashlib.md5(f"{ours[0]}:abc:{ours[1]}".encode()).hexdigest()
            assert f'response="{expected}"' in told.header("Authorization")
            contact = re.search(r"<(sip:[^>]+)>", told.header("Contact"))[1]
            assert secret not in kamailio.log()

            with Peer("127.0.0.6", free_port()) as elsewhere:  # such a carrier has many addresses
                known = Call(elsewhere, kamailio.address, contact)
                assert known.ask("INVITE").text.startswith("SIP/2.0 200")
                unknown = Call(elsewhere, kamailio.address, f"sip:137@{settings.sip_proxy}")
                assert unknown.ask("INVITE", timeout=0.7) is None
                assert known.ask("BYE").text.startswith("SIP/2.0 200")
                forged = Call(elsewhere, kamailio.address, f"sip:137@127.0.0.1:{node.port}")
                forged.within(["Route: <sip:{}:{};lr;told=1>".format(*kamailio.address)])
                assert forged.ask("BYE", timeout=0.7) is None
            other = Call(spare, kamailio.address, f"sip:02191000137@{settings.sip_proxy}")
            assert other.ask("INVITE").text.startswith("SIP/2.0 200")
            other.ask("BYE")
            assert len(node.of("BYE")) == 2
            came = [(invite.user, invite.header("X-Hotline-Trunk")) for invite in node.of("INVITE")]
            assert came == [("137", word("main", settings)), ("02191000137", word("spare", settings))]

            with Peer(
                "127.0.0.6", free_port()
            ) as elsewhere:  # in a flood that bears both carriers' addresses
                for _ in range(800):
                    elsewhere.send(f"OPTIONS sip:100@{settings.sip_proxy} SIP/2.0\n\n", kamailio.address)
                for _ in range(60):
                    Call(spare, kamailio.address, f"sip:137@{settings.sip_proxy}").begin()
                known = Call(elsewhere, kamailio.address, contact)
                assert known.ask("INVITE").text.startswith("SIP/2.0 200")
                assert known.ask("BYE").text.startswith("SIP/2.0 200")


def _said(register: Request) -> str:
    return "REGISTER:" + re.search(r'uri="([^"]+)"', register.header("Authorization"))[1]
