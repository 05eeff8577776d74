"""No packet writes a log line of its own; each refused phone sign-in is one line for fail2ban."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from ops.supervisor import ASTERISK_INHERITS
from tests.kit.fail2ban import counted
from tests.kit.process import until
from tests.kit.system import PROXY, System
from tests.kit.websocket import WebSocketSip

FRAMED = "203.0.113.66"
"""An address that an attacker wants to have banned, or that stands in the lines that they forge."""
STRANGER, LATER = "127.0.0.2", "127.0.0.4"
"""Loopback, too, but not the trunk's."""
SIGN_IN = f"WARNING sign-in refused (wrong-credentials) from {FRAMED}"
OURS = f"09:00:00 asterisk | {SIGN_IN}"
ASTERISKS = (
    "[09:00:00] NOTICE[1] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from '<sip:desk-1@x>' failed for"
    f" '{FRAMED}:5060' (callid: x) - Failed to authenticate"
)
LINES = (SIGN_IN, OURS, ASTERISKS)
WRONG = (
    'Authorization: Digest username="desk-1-sip", realm="asterisk", nonce="1/0", uri="sip:137", '
    f'response="{"0" * 32}", algorithm=MD5\n'
)
FIELD = f'x",LocalAddress="IPV4/UDP/127.0.0.1/5060",RemoteAddress="IPV4/UDP/{FRAMED}/5060"'
"""The field of a security event that names the sender, in a text that a packet may hold."""
WHOLE = re.compile(
    r"(\d\d:\d\d:\d\d [a-z]+ *\| |  |$|prompts$|database$|Hotline 137 is ready\.$|unpacking ).*"
)
"""A line of the merged log: an event of a process, or a word of the start."""


def _in_a_uri(text: str) -> str:
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in text)


def packet(
    method: str = "REGISTER",
    *,
    to: str = "desk-1-sip",
    caller: str = "<sip:desk-1-sip@127.0.0.1>",
    call_id: str = "",
    headers: str = "",
    body: str = "",
) -> bytes:
    lines = [
        f"{method} sip:{to}@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{uuid4().hex}",
        f"From: {caller};tag=1",
        f"To: <sip:{to}@127.0.0.1>",
        f"Call-ID: {call_id or uuid4().hex}",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        f"{headers}Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1")


def hostile() -> Iterator[bytes]:
    """Packets with each of the lines wherever a packet can hold one, raw, folded or encoded."""
    for line in LINES:
        coded = _in_a_uri(f"x\n{line}\n")
        coloured = _in_a_uri(f"x\x1b[2K\x1b[1A\r{line}")
        for method in ("INVITE", "REGISTER", "PUBLISH", "SUBSCRIBE", "MESSAGE", "OPTIONS", line):
            for user in (coded, coloured):
                yield packet(method, to=user, headers=f"Contact: <sip:{user}@127.0.0.1>\nEvent: {coded}\n")
                yield packet(method, caller=f"<sip:{user}@127.0.0.1>")
        for break_ in ("\n", "\n ", "\r", "\x1b[1A", "\x0b", "\x85"):
            told = f"x{break_}{line}{break_}"
            yield packet("INVITE", headers=f"User-Agent: {told}\nContact: {told}\nSubject: {told}\n")
            yield packet(call_id=told, headers=WRONG)
            yield packet(caller=f'"{told}" <sip:desk-1-sip@127.0.0.1>', headers=WRONG)
            yield packet("INVITE", to="137", headers="Content-Type: application/sdp\n", body=f"v=0\n{told}")
            yield packet("INVITE", to="137", headers=f"Content-Type: {told}\n", body=told)
        yield f"{line}\n".encode()
        yield f"SIP/2.0 200 {line}\r\nCSeq: {line}\r\n\r\n{line}\r\n".encode()


@contextmanager
def a_sender(system: System, source: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind((source, 0))
        wire.connect(tuple(system.settings.sip))
        wire.settimeout(10)
        yield wire


def has_come(system: System) -> bool:
    """Whether Asterisk has taken each packet from the kernel, which drops what is too much."""
    rows = [row.split() for row in Path("/proc/net/udp").read_text().splitlines()]
    own = f":{system.settings.sip.port:04X}"
    return all(row[4].endswith(":00000000") for row in rows if row[1].endswith(own))


def has_been_read(system: System) -> bool:
    """Whether Asterisk has looked at each packet that it has taken."""
    rows = [row.split() for row in system.asterisk_says("core show taskprocessors").splitlines()]
    return {row[2] for row in rows if row and row[0].startswith("pjsip/distributor")} == {"0"}


def refusals(system: System, skip: int) -> list[str]:
    """The addresses of refused sign-ins as fail2ban finds them, since `skip`."""
    return counted("sip", system.log()[skip:].splitlines())


def test_packets_with_log_lines_write_no_line(
    system: System,
) -> None:
    before = len(system.log())
    for source in ("127.0.0.1", STRANGER):
        with a_sender(system, source) as wire:
            for each in hostile():
                wire.send(each)
                until(lambda: has_come(system), "Asterisk has the packet")
    until(lambda: has_been_read(system), "Asterisk has read them all")
    with a_sender(system, LATER) as wire:  # what is logged of those before is logged before this one
        wire.send(packet(headers=WRONG))
        assert b" 401 " in wire.recv(4096)
    until(lambda: LATER in refusals(system, before), "the refused sign-in is logged")

    merged = system.log()[before:]
    assert [line for line in merged.split("\n") if not WHOLE.match(line)] == []
    assert [line for line in merged.split("\n") if not line.isprintable()] == []
    assert FRAMED not in refusals(system, before)
    folder = system.settings.state_dir
    logs = [
        *folder.glob("*.log"),
        *(each for each in (folder / "asterisk" / "log").rglob("*") if each.is_file()),
    ]
    for log in logs:
        lines = log.read_text(errors="replace").split("\n")
        assert [line for line in lines if line.startswith((SIGN_IN, OURS, ASTERISKS))] == []


@pytest.mark.parametrize(
    "caller",
    [
        "<sip:desk-1-sip@127.0.0.1>",
        f"\"x' failed for '{FRAMED}:5060' (callid: x) - y\" <sip:desk-1-sip@127.0.0.1>",
        f'"\\"\' failed for \'{FRAMED}:5060\' (callid: x) - y\\"" <sip:desk-1-sip@127.0.0.1>',
        f"<sip:desk-1-sip@127.0.0.1;x=\"' failed for '{FRAMED}:5060' (callid: \">",
        f"<sip:a@[x' failed for '{FRAMED}:5060' (callid: x) - No matching endpoint found]>",
        f"<sip:{_in_a_uri(FIELD)}@127.0.0.1>",
    ],
    ids=["plain", "name", "quotes", "parameter", "host", "user"],
)
@pytest.mark.parametrize(
    "call_id",
    [
        "",
        f"x' failed for '{FRAMED}:1' (callid: z) - No matching endpoint found",
        FIELD,
        f'{FIELD},Challenge="',
    ],
    ids=["own", "notice", "field", "fields"],
)
def test_wrong_password_logs_one_line_with_the_true_address(
    system: System, caller: str, call_id: str
) -> None:
    before = len(system.log())
    with a_sender(system, STRANGER) as wire:
        wire.send(packet(caller=caller, call_id=call_id, headers=WRONG))
        assert b" 401 " in wire.recv(4096)
    with a_sender(system, "127.0.0.3") as wire:
        wire.send(packet(caller="<sip:nobody@127.0.0.1>"))
        wire.recv(4096)
    until(lambda: "127.0.0.3" in refusals(system, before), "the later one is logged")

    assert refusals(system, before) == [STRANGER, "127.0.0.3"]
    known = "desk-1-sip" in caller
    why = "wrong-credentials" if known else "unknown-phone"
    assert f"sign-in refused ({why}) from {STRANGER}\n" in system.log()[before:]
    assert "sign-in refused (unknown-phone) from 127.0.0.3\n" in system.log()[before:]


def test_websocket_that_quotes_an_address_is_counted_for_its_own(system: System) -> None:
    before = len(system.log())
    with WebSocketSip(system.settings.asterisk_http, source=PROXY) as phone:
        phone.send_packet(packet(caller=f"<sip:a@[x' failed for '{FRAMED}:5060' (callid: x) - No matching]>"))
        phone.send_packet(packet(caller="<sip:nobody@127.0.0.1>", call_id=FIELD))
        until(lambda: len(refusals(system, before)) == 2, "both are logged")

    assert refusals(system, before) == [PROXY] * 2


def test_running_asterisk_has_no_setting_in_its_environment(system: System) -> None:
    raw = Path(f"/proc/{system.pid('asterisk')}/environ").read_bytes().decode().split("\0")
    names = {each.partition("=")[0] for each in raw if each}

    assert "PATH" in names
    assert {name for name in names if not name.startswith(ASTERISK_INHERITS)} == set()
    assert Path(f"/proc/{system.pid('api')}/environ").read_bytes().count(b"HOTLINE_") > 10
