"""Command hotline137 apply: put changed settings in force, and take them back if the system does not work.

Run as root, on a machine with the package (ops/deb/hotline137); containers have `docker compose up`.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import typer

from ops.terminal import fail, load_settings
from settings import Settings, last_good

_OURS = tuple(f"hotline137-{name}" for name in ("ivr", "dialer", "scheduler", "api"))
_PREPARE, _TABLES, _ASTERISK = "hotline137-prepare", "hotline137-tables", "hotline137-asterisk"
_AT_ASTERISKS_START = {
    *("sip", "sip_tls", "sip_tls_certificate", "sip_tls_key", "public_address"),
    *("asterisk_http", "ami", "rtp_ports"),
}
"""Settings that a running Asterisk does not take in: its ports, addresses and certificate."""
_WORKS = "the system"
_PATIENCE_S, _STEADY_S = 60, 15
"""Seconds until the system must work again, and for how long it must then go on."""


def apply_settings() -> None:
    """Check the settings, show what changes, restart what needs it; go back if it does not work.

    Calls go on, unless a port or an address of Asterisk changes.
    """
    if os.geteuid() or not shutil.which("systemctl"):
        raise fail("this is for root on a machine with the package; containers: docker compose up -d")
    settings = load_settings()
    changes = last_good.list_changes(settings)
    if not changes and not last_good.is_taken_back(settings):
        typer.echo("nothing has changed since the settings in force were read")
        return
    typer.echo("\n".join(changes))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a lost terminal must not leave it half done
    before = last_good.load_last(settings.state_dir)
    units = [*_OURS, *([_ASTERISK] if before and _needs_asterisk(settings, before[0]) else [])]
    well = _list_well(before[0] if before else settings)
    worked = _WORKS in well
    last_good.allow_again(settings.state_dir)
    _restart(units)
    if last_good.list_changes(settings):
        raise fail(f"refused, and nothing has changed: journalctl -u {_PREPARE} says why")
    typer.echo(f"in force; watching whether it works, for {_PATIENCE_S} s at most")
    lost = _watch(settings, {*well, _WORKS})
    if not lost:
        typer.echo("it works")
        return
    typer.secho(f"not well: {', '.join(sorted(lost))}", fg="red", err=True)
    if before is None or not worked or not last_good.take_back(settings.state_dir):
        raise fail(
            "it did not work before, either: these settings stay; hotline137 doctor says what is wrong"
        )
    _restart(units)
    lost = _watch(before[0], well)
    raise fail(
        "the settings before are in force again; those in the files are not, until they change or you apply"
        " them again" + (f". Still not well: {', '.join(sorted(lost))}" if lost else "")
    )


def _needs_asterisk(new: Settings, old: Settings) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in _AT_ASTERISKS_START)


def _restart(units: Iterable[str]) -> None:
    """Prepare with the settings as written, then start the units anew. Raises Exit."""
    prepared = [("reload" if _is_active(unit) else "restart", unit) for unit in (_PREPARE, _TABLES)]
    for command in (*prepared, ("reset-failed", *units), ("restart", *units)):
        asked = ["timeout", str(2 * _PATIENCE_S), "systemctl", *command]  # a start waits for its database
        done = subprocess.run(asked, check=False, capture_output=True, text=True)
        if done.returncode and command[0] != "reset-failed":
            typer.secho(
                f"systemctl {' '.join(command)}: {done.stderr.strip() or 'no answer in time'}",
                fg="red",
                err=True,
            )


def _is_active(unit: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "-q", unit], check=False).returncode == 0


def _watch(settings: Settings, well: set[str]) -> set[str]:
    """Return what worked before and does not now; empty as soon as all has worked for a while."""
    end = time.monotonic() + _PATIENCE_S
    since = None
    while True:
        lost = well - _list_well(settings)
        at = time.monotonic()
        since = None if lost else since or at
        if since and at - since >= _STEADY_S:
            return set()
        if at >= end and since is None:
            return lost
        time.sleep(1)


def _list_well(settings: Settings) -> set[str]:
    """Return the parts that /healthz calls up, and _WORKS if all are that calls need."""
    asking = HTTPConnection(*settings.http, timeout=5)
    with suppress(OSError, HTTPException, ValueError):
        asking.request("GET", "/healthz")
        answer = asking.getresponse()
        up = {name for name, state in json.loads(answer.read()).items() if state == "up"}
        return up | ({_WORKS} if answer.status == 200 else set())
    return set()
