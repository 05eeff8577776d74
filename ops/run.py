"""`hotline137 run`: set everything up, then keep it running."""

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial

from addresses import Address
from db.engine import connect, writing
from db.migrate import upgrade
from dialplan.render import render
from ops import asterisk, asterisk_log, first_visit, sample
from ops.console import core_works
from ops.supervisor import Program, Supervisor
from prompts.render import build
from settings import Settings

_READY_S = 60.0
PROCESS = ["-m", "ops.process"]
"""What each of our processes is started with, before its name."""


class CannotRun(Exception):
    """Something is missing or in the way; the text says what to do."""


def say(text: str) -> None:
    """Show progress at once, each line whole: unbuffered, its end would be a write of its own."""
    print(f"{text}\n", end="", flush=True)


def run(settings: Settings) -> None:
    """Set up, run everything in the foreground until Ctrl-C. Raises CannotRun, NoAsterisk."""
    with _only_one(settings):
        accounts = prepare(settings)
        _ports_free(settings)
        found = asterisk.get(settings, say)
        if concern := found.concern():
            say(concern)
        config = render(settings, modules=found.modules, data=found.data)
        running = settings.state_dir / "asterisk"
        for stale in ("asterisk.pid", "asterisk.ctl"):
            (running / stale).unlink(missing_ok=True)
        ours = [sys.executable, "-u", *PROCESS]
        works = partial(core_works, running / "asterisk.ctl")
        programs = [Program("asterisk", found.argv(config), works, asterisk_log.readable)]
        programs += [Program(name, [*ours, name]) for name in ("ivr", "dialer", "clerk", "api")]
        supervisor = Supervisor(programs, say, settings.log)
        asyncio.run(supervisor.run(lambda: _when_ready(settings, supervisor, accounts)))


def prepare(settings: Settings) -> list[sample.Account]:
    """Prompts, database, sample data. Returns the sample accounts if they were made just now."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    say("prompts")
    build(settings)
    say("database")
    engine = connect(settings.database)
    upgrade(engine)
    accounts: list[sample.Account] = []
    if settings.sample:
        with writing(engine) as session:
            accounts = sample.fill(session, settings.of_city, trial=settings.browser_phone)
    engine.dispose()
    return accounts


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with (settings.state_dir / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"{settings.state_dir} is in use: hotline137 runs there already") from None
        yield


def _ports_free(settings: Settings) -> None:
    addresses = {
        "HOTLINE_HTTP": (settings.http, socket.SOCK_STREAM),
        "HOTLINE_ASTERISK_HTTP": (settings.asterisk_http, socket.SOCK_STREAM),
        "HOTLINE_AGI": (settings.agi, socket.SOCK_STREAM),
        "HOTLINE_AMI": (settings.ami, socket.SOCK_STREAM),
        "HOTLINE_SIP": (settings.sip, socket.SOCK_DGRAM),
    }
    for name, (address, kind) in addresses.items():
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                probe.bind(address)
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise CannotRun(f"{name}={address}: {reason}. Set {name} to another address.") from None


def _when_ready(settings: Settings, supervisor: Supervisor, accounts: list[sample.Account]) -> None:
    began = time.monotonic()
    health: dict[str, str] = {}
    while not supervisor.stopping and time.monotonic() - began < _READY_S:
        health = _ready(settings.http)
        if set(health.values()) == {"up"}:
            say(_welcome(settings, accounts))
            return
        time.sleep(0.2)
    if not supervisor.stopping:
        say(f"not ready after {_READY_S:.0f} s: {health or 'the API does not answer'}; see the log above")


def _ready(address: Address) -> dict[str, str]:
    url = f"http://{address}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError):
            return dict(json.load(error))
    except OSError:
        pass
    return {}


def _welcome(settings: Settings, accounts: list[sample.Account]) -> str:
    lines = ["", "Hotline 137 is ready.", f"  desk:   http://{settings.http}/"]
    if settings.browser_phone:
        lines.append(f"  phone:  http://{settings.http}/phone   (a citizen's phone in the browser: dial 137)")
    lines.append(f"  SIP:    137@{settings.sip} (UDP)")
    lines.append(f"  API:    http://{settings.http}/api/docs")
    if accounts:
        lines.append("  accounts made just now; the passwords are shown this once:")
        lines += [f"    {a.username:<10} {a.password}   {a.what}" for a in accounts]
    lines += first_visit.lines(settings)
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
