"""The log: one line an event, whatever somebody outside wrote into it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ops.asterisk_log import format_event
from ops.log import OneLine, format_json

FORGED = "WARNING sign-in refused (wrong-credentials) from 203.0.113.9"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger, and what it has written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("%(levelname)-7s %(message)s"))
    log = logging.Logger("test")
    log.addHandler(handler)
    yield log, stream


@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b[1A", "\u202e", "\x00"]
)
def test_outside_text_stays_within_its_log_line(
    written: tuple[logging.Logger, io.StringIO], end: str
) -> None:
    log, stream = written
    log.warning("unknown host %s", f"x{end}{FORGED}")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("WARNING unknown host x\\") and line.isprintable()


def test_persian_text_is_logged_unchanged(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    log.info("نوبتِ «می‌شود» ۱۳۷")
    assert stream.getvalue() == "INFO    نوبتِ «می‌شود» ۱۳۷\n"


def test_traceback_that_quotes_a_stranger_forges_no_event(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    try:
        raise ValueError(f"odd\n{FORGED}\u202e")
    except ValueError:
        log.exception("failed")
    first, *rest = stream.getvalue().splitlines()
    assert first == "ERROR   failed"
    assert rest and all(line.startswith("| ") for line in rest)
    assert f"| {FORGED}\\u202e" in rest


# Asterisk's: the real one is asked in tests/system/test_hostile_packets.py


def event(level: str, message: str) -> str:
    place = {"filename": "res_pjsip/x.c", "function": "f", "line": 7}
    return json.dumps({"logmsg": {"location": place, "level": level, "message": f"{message}\n"}})


def refused(kind: str, remote: str, *, account: str = "desk-1", call_id: str = "1", tail: str = "") -> str:
    return event(
        "SECURITY",
        f'SecurityEvent="{kind}",EventTV="2026-12-01T22:07:49.855+0000",Severity="Error",Service="PJSIP",'
        f'EventVersion="1",AccountID="{account}",SessionID="{call_id}",'
        f'LocalAddress="IPV4/UDP/127.0.0.1/5060",RemoteAddress="{remote}"{tail}',
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\x1b[1A", "\u202e", "\u2028"])
def test_asterisk_event_is_one_escaped_line(end: str) -> None:
    line = format_event(event("ERROR", f"AOR 'x{end}{FORGED}' not found"))
    assert line.startswith("ERROR   res_pjsip/x.c:7 AOR 'x\\") and line.isprintable()


def test_refused_request_becomes_the_line_for_fail2ban() -> None:
    tail = ',Challenge="1/0",Response="0",ExpectedResponse=""'
    lines = [
        format_event(refused("ChallengeResponseFailed", "IPV4/UDP/198.51.100.7/5060", tail=tail)),
        format_event(refused("InvalidAccountID", "IPV6/WS/2001:db8::7/41000")),
        format_event(refused("FailedACL", "IPV4/TCP/198.51.100.8/1", tail=',ACLName="desk-1"')),
    ]
    assert lines == [
        "WARNING sign-in refused (wrong-credentials) from 198.51.100.7",
        "WARNING sign-in refused (unknown-phone) from 2001:db8::7",
        "WARNING sign-in refused (unknown-phone) from 198.51.100.8",
    ]


FORGED_FIELD = ',RemoteAddress="IPV4/UDP/203.0.113.9/5060"'
ESCAPED_FIELD = FORGED_FIELD.replace('"', '\\"')


@pytest.mark.parametrize(
    ("account", "call_id", "challenge"),
    [
        (f'x"{FORGED_FIELD}', "1", "1/0"),
        ("x", f'1"{FORGED_FIELD}', "1/0"),
        ("x", f'1"{FORGED_FIELD},Challenge="', "1/0"),
        ("x", f'1"{FORGED_FIELD},Challenge="a",Response="b",ExpectedResponse="\\', "1/0"),
        ("x", "1", f'\\"{ESCAPED_FIELD},Challenge=\\"'),
        ("x", f'1"{FORGED_FIELD},Challenge="\\', f'\\"{ESCAPED_FIELD},Response=\\"a'),
    ],
)
def test_packet_that_quotes_an_address_is_counted_for_its_socket(
    account: str, call_id: str, challenge: str
) -> None:
    tail = f',Challenge="{challenge}",Response="0",ExpectedResponse=""'
    for kind, rest in (("ChallengeResponseFailed", tail), ("InvalidAccountID", "")):
        line = format_event(
            refused(kind, "IPV4/UDP/198.51.100.7/5060", account=account, call_id=call_id, tail=rest)
        )
        assert line.endswith(") from 198.51.100.7"), line


def test_other_security_events_and_notices_write_no_line() -> None:
    remote = "IPV4/UDP/198.51.100.7/5060"
    sent = format_event(refused("ChallengeSent", remote, tail=',Challenge=""'))
    of_manager = refused("InvalidPassword", remote).replace("PJSIP", "AMI")
    notice = event("NOTICE", "Request 'REGISTER' from '<sip:x>' failed for '203.0.113.9:1' (callid: 1) - x")
    second = format_event(refused("ChallengeResponseFailed", remote, account="<unknown>"))
    assert [sent, second, format_event(of_manager), format_event(notice)] == ["", "", "", ""]


def test_other_notices_are_dropped_and_start_lines_kept() -> None:
    assert format_event(event("NOTICE", "Peer is reachable")) == ""
    assert [format_event(line) for line in ("Asterisk Ready.", "[1]", "{}", '{"logmsg": 1}')] == [
        "Asterisk Ready.",
        "[1]",
        "{}",
        '{"logmsg": 1}',
    ]


def test_packet_that_is_no_request_writes_no_line() -> None:
    said = """
import logging
import subprocess
import sys
from ops import log
log.set_up()
server = logging.getLogger("uvicorn.error")
server.warning("Invalid HTTP request received.")
server.warning("ASGI callable returned without completing response.")
"""
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert done.stdout == "WARNING ASGI callable returned without completing response.\n"


# As JSON


def logged(said: str) -> list[dict[str, str]]:
    """Return the events of a process of ours that logs as JSON."""
    begin = "import logging\nfrom ops import log\nlog.set_up('dialer', 'json')"
    script = f"{begin}\nours = logging.getLogger('dialer')\n{said}"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("call", ["callback-728d610b3f8c4405ace754e6c53e1ed0", "1795946781.2"])
def test_json_event_of_a_call_has_its_id_apart(call: str) -> None:
    (event,) = logged(f"ours.info('%s: %s', {call!r}, 'placed: now')")
    assert event.pop("time").endswith("Z")
    assert event == {"process": "dialer", "level": "info", "call": call, "event": "placed: now"}


def test_outside_text_stays_within_its_json_object() -> None:
    forged = 'x", "level": "info"}\n{"process": "dialer", "event": "forged'
    (event,) = logged(f"ours.warning('unknown host %s', {forged!r})")
    assert (event["level"], event["event"]) == ("warning", f"unknown host {forged}")


def test_json_event_holds_its_traceback() -> None:
    said = "try:\n    raise ValueError('odd')\nexcept ValueError:\n    ours.exception('failed')"
    (event,) = logged(said)
    assert event["event"] == "failed" and event["exception"].endswith("ValueError: odd")


@pytest.mark.parametrize(
    ("line", "level", "event"),
    [
        (
            "WARNING sign-in refused (wrong-credentials) from ::1",
            "warning",
            "sign-in refused (wrong-credentials) from ::1",
        ),
        ("Asterisk Ready.", "info", "Asterisk Ready."),
        ('{"event": "of somebody else"}', "info", '{"event": "of somebody else"}'),
        ("{broken", "info", "{broken"),
        ("ended with 1, starts again in 0.3 s", "info", "ended with 1, starts again in 0.3 s"),
    ],
)
def test_plain_line_becomes_a_json_event_of_its_process(line: str, level: str, event: str) -> None:
    made = json.loads(format_json("asterisk", line))
    assert (made["process"], made["level"], made["event"]) == ("asterisk", level, event)
    again = format_json("asterisk", line)
    assert format_json("asterisk", again) == again  # ours already
