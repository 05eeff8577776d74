"""fail2ban's filters find whoever was refused, in each form of the log, and nobody whom a line only names."""

import io
import logging
import subprocess
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ops import log
from ops.asterisk_log import format_event
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.fail2ban import counted, counted_in

RECORDED = (Path(__file__).parent / "asterisk_refused.jsonl").read_text().splitlines()
"""The log of a real Asterisk 22 about packets from 127.0.0.2 to 6. There are two wrong passwords, and a
scanner's REGISTER, INVITE and OPTIONS. One more sender claims to be the trunk, and two have log lines as
names.
"""
REFUSED = ["127.0.0.2"] * 2 + ["127.0.0.3"] * 3 + ["127.0.0.5"] + ["127.0.0.6"] * 2
FRAMED = "203.0.113.66"
GUESSERS = ["203.0.113.9", "2001:db8::7"]


def journal(process: str, line: str) -> str:
    """Return a line as fail2ban reads it from systemd's journal."""
    return f"Nov 29 13:38:43 city hotline137-{process}[812]: {line}"


def merged(process: str, line: str) -> str:
    """Return a line as `hotline137 run` and a container write it."""
    return f"13:38:43 {process:<8} | {line}"


@pytest.fixture
def of_the_api(app: FastAPI) -> tuple[list[str], list[str]]:
    """Return the API's log of strangers who guess at its sign-in: for people, and as JSON."""
    plain, as_json = io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(plain), logging.StreamHandler(as_json)]
    handlers[0].setFormatter(log.OneLine("%(levelname)-7s %(message)s"))
    handlers[1].setFormatter(log._json("api"))
    ours = logging.getLogger("api")
    for handler in handlers:
        ours.addHandler(handler)
    try:
        for address in GUESSERS:
            page = TestClient(app, client=(address, 50_000))
            page.post("/api/v1/session", json={"username": f"x from {FRAMED}", "password": "wrong"})
    finally:
        for handler in handlers:
            ours.removeHandler(handler)
    return plain.getvalue().splitlines(), as_json.getvalue().splitlines()


def test_guesses_at_the_pages_are_each_counted(
    of_the_api: tuple[list[str], list[str]],
) -> None:
    plain, as_json = of_the_api
    assert len(plain) == len(as_json) == len(GUESSERS)
    for lines in (
        [journal("api", line) for line in plain],
        [merged("api", line) for line in plain],
        [journal("api", merged("api", line)) for line in plain],
        as_json,
        [journal("api", line) for line in as_json],
    ):
        assert counted("pages", lines) == GUESSERS, lines


def test_refused_sip_requests_are_each_counted() -> None:
    plain = [format_event(line) for line in RECORDED]
    as_json = [log.format_json("asterisk", line) for line in plain]
    for lines in (
        [journal("asterisk", line) for line in plain],
        [merged("asterisk", line) for line in plain],
        [journal("asterisk", merged("asterisk", line)) for line in plain],
        as_json,
        [journal("asterisk", line) for line in as_json],
    ):
        assert counted("sip", lines) == REFUSED, lines


def test_quoted_refusal_counts_nobody() -> None:
    line = f"WARNING sign-in refused (wrong-credentials) from {FRAMED}"
    quoted = f'"event": "sign-in refused (wrong-credentials) from {FRAMED}"'
    odd = [
        f"| {line}",
        f"WARNING unknown host x {line}",
        f"{line} and more",
        log.format_json("ivr", line),
        log.format_json("api", f"WARNING odd {quoted}"),
        log.format_json("asterisk", f"WARNING odd {quoted}"),
        "WARNING the city's sign-in: wrong-credentials (no such person)",
    ]
    lines = [
        form(process, each) for each in odd for process in ("api", "asterisk") for form in (journal, merged)
    ]
    assert counted("pages", [*odd, *lines]) == counted("sip", [*odd, *lines]) == []


def test_packages_journal_counts_our_services_only(
    tmp_path: Path,
) -> None:
    entries = (
        ("asterisk", "13:38:43 asterisk | WARNING sign-in refused (unknown-phone) from 203.0.113.3"),
        ("ivr", "13:38:43 asterisk | WARNING sign-in refused (unknown-phone) from 203.0.113.4"),
        ("api", "WARNING sign-in refused (wrong-code) from 203.0.113.5"),
    )
    journal = tmp_path / "city.journal"
    written = "".join(_entry(number, *entry) for number, entry in enumerate(entries, start=1))
    remote = "/usr/lib/systemd/systemd-journal-remote"
    subprocess.run([remote, "--compress=no", "-o", journal, "-"], input=written, text=True, check=True)

    source = f"systemd-journal[journalfiles={journal}]"
    assert (counted_in("sip", source), counted_in("pages", source)) == (["203.0.113.3"], ["203.0.113.5"])


def _entry(number: int, part: str, message: str) -> str:
    """Return an entry as `journalctl -o export` writes it."""
    fields = {
        "__CURSOR": f"c{number}",
        "__REALTIME_TIMESTAMP": int(time.time() * 1e6) + number,
        "__MONOTONIC_TIMESTAMP": number,
        "_BOOT_ID": "0123456789abcdef0123456789abcdef",
        "_SYSTEMD_UNIT": f"hotline137-{part}.service",
        "SYSLOG_IDENTIFIER": f"hotline137-{part}",
        "_PID": 812,
        "_HOSTNAME": "city",
        "MESSAGE": message,
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"
