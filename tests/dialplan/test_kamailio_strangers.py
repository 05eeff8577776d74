"""Forged, odd or excessive packets at the real Kamailio: nobody behind it receives them."""

import hashlib
import re
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dialplan.kamailio import make_proxy_text
from settings import load
from tests.kit.kamailio import Kamailio
from tests.kit.ports import free_port
from tests.kit.process import in_time, until
from tests.kit.proxied import (
    CARRIER,
    PER_SECOND,
    STRANGER,
    MakeCall,
    Place,
    make,
    node_of,
    out_of,
    place,
    running,
)
from tests.kit.sip import Request, Response
from tests.kit.sip_peer import Call, Node, Peer, headers

__all__ = ["make", "place", "running"]


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
def test_forged_packet_with_a_nodes_address_reaches_nobody(place: Place, make: MakeCall, what: str):
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
                carrier=place.settings.trunks[0].host,
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


def test_forged_packet_with_the_carriers_address_reaches_no_node(place: Place, make: MakeCall):
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


def test_hijacked_node_dials_allowed_numbers_at_a_limited_rate(
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


CALLED, CALLER = "98123456", "989131234567"
"""The numbers of the odd packets and of the call (tests.kit.sip_peer), as they may stand in the log."""

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
    "INVITE sip:00{called}@{victim} SIP/2.0\nVia: SIP/2.0/UDP {here};branch=z9hG4bKb\n"
    "Route: <sip:{proxy};lr>\nFrom: <sip:137@x>;tag=1\nTo: <sip:137@x>;tag=2\nCall-ID: 3\nCSeq: 1 INVITE\n"
    "Max-Forwards: 70\nContact: <sip:{here}>\nContent-Length: 0\n\n",
]


@pytest.mark.parametrize("sender", ["a stranger", "the carrier"])
def test_odd_packets_are_neither_forwarded_nor_logged(place: Place, make: MakeCall, sender: str):
    peer = place.stranger if sender == "a stranger" else place.carrier
    victim = Peer(STRANGER, free_port())
    with victim:
        values = {
            "proxy": place.settings.sip_proxy,
            "here": f"{peer.host}:{peer.port}",
            "victim": f"{victim.host}:{victim.port}",
            "called": CALLED,
        }
        for odd in ODD:
            peer.send(odd.format(**values), place.kamailio.address)
        assert make().status == "200"
        assert not victim.requests and not victim.answers
    assert len(place.one.of("INVITE")) + len(place.two.of("INVITE")) == 1
    assert "WRITTEN" not in place.kamailio.log()
    for number in (CALLED, CALLER):
        assert number not in place.kamailio.log()


def test_scanner_is_refused_and_a_stranger_gets_no_answer(place: Place, make: MakeCall):
    target = f"sip:100@{place.settings.sip_proxy}"
    scanner = Call(place.carrier, place.kamailio.address, target, more=["User-Agent: friendly-scanner"])
    assert scanner.ask("INVITE").text.startswith("SIP/2.0 403")
    stranger = Call(place.stranger, place.kamailio.address, target)
    assert stranger.ask("INVITE", timeout=0.7) is None
    assert not place.one.of("INVITE") + place.two.of("INVITE")
    assert make(more=["User-Agent: eyeBeam release 1102q"]).status == "200"  # a citizen's telephone


def test_flood_of_a_stranger_delays_no_call_of_the_carrier(place: Place, make: MakeCall):
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


def test_metrics_port_forwards_nothing_but_metrics(place: Place, make: MakeCall):
    port = place.settings.sip_proxy_metrics
    invite = (
        f"INVITE sip:137@{place.settings.sip_proxy} SIP/2.0\r\n"
        f"Via: SIP/2.0/TCP {CARRIER}:{place.carrier.port};branch=z9hG4bK1\r\nMax-Forwards: 9\r\n"
        f"From: <sip:1@{CARRIER}>;tag=1\r\nTo: <sip:137@{place.settings.sip_proxy}>\r\n"
        f"Call-ID: over-tcp\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    )
    with ExitStack() as stack:
        for sent in (invite, "", "GET /metr", "\x00" * 2000, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"):
            source = (CARRIER, 0) if sent == invite else ("127.0.0.1", 0)
            wire = stack.enter_context(socket.create_connection((port.host, port.port), 5, source))
            wire.sendall(sent.encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 404")
        by_udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        by_udp.settimeout(0.5)
        by_udp.sendto(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", tuple(place.settings.sip_proxy))
        with pytest.raises(TimeoutError):
            by_udp.recv(2048)
        assert make().status == "200"
        assert set(place.turned_away()) == {"rate", "full", "nobody"}
    invites = place.one.of("INVITE") + place.two.of("INVITE")
    assert len(invites) == 1 and invites[0].call_id != "over-tcp"


def test_call_ends_while_the_rate_limit_refuses_others(place: Place, make: MakeCall):
    kept, before = make(), place.turned_away()
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
    told = place.turned_away()
    assert told == before | {"rate": told["rate"]}
    assert told["rate"] - before["rate"] >= len(turned), "who asks once more is told so once more"
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


def test_carrier_by_registration_is_known_by_its_contact_alone(
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
            assert came == [
                ("137", make_proxy_text("main", settings)),
                ("02191000137", make_proxy_text("spare", settings)),
            ]

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
