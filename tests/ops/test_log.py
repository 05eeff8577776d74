"""The log: one line an event, whatever somebody outside wrote into it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ops.asterisk_log import readable
from ops.log import OneLine, as_json

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


# As JSON


def logged(said: str) -> list[dict[str, str]]:
    """What a process of ours that logs as JSON writes."""
    begin = "import logging\nfrom ops import log\nlog.set_up('dialer', 'json')"
    script = f"{begin}\nours = logging.getLogger('dialer')\n{said}"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("call", ["callback-728d610b3f8c4405ace754e6c53e1ed0", "1795946781.2"])
def test_given_an_event_of_a_call_when_logged_as_json_then_the_calls_id_stands_by_itself(call: str) -> None:
    (event,) = logged(f"ours.info('%s: %s', {call!r}, 'placed: now')")
    assert event.pop("time").endswith("Z")
    assert event == {"process": "dialer", "level": "info", "call": call, "event": "placed: now"}


def test_given_a_text_from_outside_when_logged_as_json_then_it_is_one_object_with_nothing_of_its_own() -> (
    None
):
    forged = 'x", "level": "info"}\n{"process": "dialer", "event": "forged'
    (event,) = logged(f"ours.warning('unknown host %s', {forged!r})")
    assert (event["level"], event["event"]) == ("warning", f"unknown host {forged}")


def test_given_an_exception_when_logged_as_json_then_its_traceback_is_in_the_same_object() -> None:
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
def test_given_a_line_that_is_no_json_of_ours_when_kept_as_json_then_it_is_an_event_of_its_process(
    line: str, level: str, event: str
) -> None:
    made = json.loads(as_json("asterisk", line))
    assert (made["process"], made["level"], made["event"]) == ("asterisk", level, event)
    again = as_json("asterisk", line)
    assert as_json("asterisk", again) == again  # ours already
