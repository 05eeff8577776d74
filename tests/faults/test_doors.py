"""Doors on the real system: browsers and strangers get in only where they may."""

import socket
import time
from contextlib import ExitStack, suppress

import httpx
import pytest

from api.server import allow_files
from tests.kit.process import slowness
from tests.kit.system import System
from tests.kit.websocket import WebSocketSip

MANY = 1000
SESSIONS = 1500
FLOOD = "127.0.0.2"
SDP = "\r\n".join(
    [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"),
        *("m=audio 40000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", ""),
    ]
)


@pytest.mark.parametrize("user", ["137", "+983100000137", "s"])
@pytest.mark.parametrize(
    ("via", "contact"),
    [
        ("WS", ""),
        ("UDP", ""),
        ("UDP", "<sip:09131234567@127.0.0.1:5060>"),
        ("UDP", "<tel:+989131234567>"),
    ],
)
def test_websocket_at_a_trunk_address_is_no_citizen(
    system: System, user: str, via: str, contact: str
) -> None:
    """Only calls at the SIP port are the trunk's, whatever the caller writes."""
    assert "127.0.0.1" in system.settings.trunks[0].allowed
    with WebSocketSip(system.settings.asterisk_http) as browser:
        for caller in ("09131234567", "trunk"):
            status = browser.request("INVITE", user=user, caller=caller, via=via, contact=contact, body=SDP)
            assert status in (400, 403, 416)


def test_websocket_as_the_trunk_is_refused_any_method(
    system: System,
) -> None:
    refused = {"REGISTER": 404, "MESSAGE": 501, "SUBSCRIBE": 603, "PUBLISH": 489, "NOTIFY": 501, "REFER": 501}
    with WebSocketSip(system.settings.asterisk_http) as browser:
        for method, status in refused.items():
            assert browser.request(method, user="trunk", caller="trunk") == status, method


def test_thousand_idle_connections_delay_no_new_one(
    system: System,
) -> None:
    allow_files()
    with ExitStack() as closing:
        for door in (system.settings.http, system.settings.asterisk_http):
            for _ in range(MANY):
                client = closing.enter_context(socket.socket())
                client.bind((FLOOD, 0))
                client.connect(tuple(door))
        assert min(_seconds_to_be_served(system) for _ in range(3)) < slowness()


def test_strangers_with_one_sip_request_each_leave_desks_room(system: System) -> None:
    allow_files()
    with ExitStack() as closing:
        for _ in range(SESSIONS):
            with suppress(ConnectionRefusedError):
                stranger = WebSocketSip(system.settings.asterisk_http, source=FLOOD)
                closing.enter_context(stranger).request("OPTIONS", user="137", caller="desk-1")
        with WebSocketSip(system.settings.asterisk_http) as desk:
            assert desk.request("OPTIONS", user="137", caller="desk-1") == 401


@pytest.mark.parametrize(
    ("source", "path", "status"),
    [
        *((FLOOD, path, b"403") for path in ("/ws", "/WS", "//ws", "/ws?x", "/")),
        *(("127.0.0.1", path, b"404") for path in ("ws", "http://137/ws", "/httpstatus")),
    ],
)
def test_refused_path_closes_the_connection(system: System, source: str, path: str, status: bytes) -> None:
    """Also where the path lacks the slash that the restriction asks for."""
    with socket.create_connection(system.settings.asterisk_http, 30, (source, 0)) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: 137\r\n\r\n".encode())
        with wire.makefile("rb") as answer:
            assert status in answer.readline()
            assert b"Connection: close\r\n" in answer.read()


def _seconds_to_be_served(system: System) -> float:
    with httpx.Client(base_url=system.url, timeout=30) as page:
        began = time.monotonic()
        assert page.get("/public/number").status_code == 200
        with WebSocketSip(system.settings.asterisk_http) as desk:
            assert desk.request("OPTIONS", user="137", caller="desk-1") == 401  # its password is asked for
        return time.monotonic() - began
