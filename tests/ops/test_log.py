"""The log: one line an event, whatever somebody outside wrote into it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ops.asterisk_log import readable
from ops.log import OneLine

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
def test_given_a_text_from_outside_when_logged_then_it_stays_within_its_line(
    written: tuple[logging.Logger, io.StringIO], end: str
) -> None:
    log, stream = written
    log.warning("unknown host %s", f"x{end}{FORGED}")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("WARNING unknown host x\\") and line.isprintable()


def test_given_persian_when_logged_then_it_reads_as_it_was_written(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    log.info("نوبتِ «می‌شود» ۱۳۷")
    assert stream.getvalue() == "INFO    نوبتِ «می‌شود» ۱۳۷\n"


def test_given_an_exception_that_quotes_a_stranger_when_logged_then_none_of_its_lines_is_an_event(
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


def refused(caller: str, address: str, call_id: str = "1", reason: str = "Failed to authenticate") -> str:
    return event(
        "NOTICE",
        f"Request 'REGISTER' from '{caller}' failed for '{address}' (callid: {call_id}) - {reason}",
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\x1b[1A", "\u202e", "\u2028"])
def test_given_an_event_of_asterisk_when_read_then_it_is_one_line_and_marks_are_escaped(end: str) -> None:
    line = readable(event("ERROR", f"AOR 'x{end}{FORGED}' not found"))
    assert line.startswith("ERROR   res_pjsip/x.c:7 AOR 'x\\") and line.isprintable()


@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::7"])
@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("Failed to authenticate", "wrong-credentials"),
        ("No matching endpoint found after 5 tries in 1.2 ms", "unknown-phone"),
    ],
)
def test_given_a_refused_sign_in_when_read_then_it_is_the_line_for_fail2ban(
    address: str, reason: str, why: str
) -> None:
    written = f"[{address}]:5060" if ":" in address else f"{address}:5060"
    line = readable(refused("<sip:desk-1@x>", written, reason=reason))
    assert line == f"WARNING sign-in refused ({why}) from {address}"


@pytest.mark.parametrize(
    "caller",
    [
        "\"' failed for '203.0.113.9:1' (callid: 1) - x\" <sip:desk-1@x>",
        "\"\\\"' failed for '203.0.113.9:1' (callid: 1) - x\" <sip:desk-1@x>",
        "<sip:desk-1@x;a=\"' failed for '203.0.113.9:1' (callid: \">",
    ],
)
def test_given_a_caller_who_quotes_such_a_line_when_read_then_the_address_is_the_true_one(
    caller: str,
) -> None:
    again = "1) - x' failed for '203.0.113.9:1' (callid: 1"
    line = readable(refused(caller, "198.51.100.7:5060", again))
    assert line == "WARNING sign-in refused (wrong-credentials) from 198.51.100.7"


def test_given_another_notice_when_read_then_it_is_left_out_and_a_word_of_the_start_is_not() -> None:
    assert readable(event("NOTICE", "Peer is reachable")) == ""
    assert [readable(line) for line in ("Asterisk Ready.", "[1]", "{}", '{"logmsg": 1}')] == [
        "Asterisk Ready.",
        "[1]",
        "{}",
        '{"logmsg": 1}',
    ]


def test_given_packets_that_are_no_request_when_the_web_server_says_so_then_they_write_no_line() -> None:
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
