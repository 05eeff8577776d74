"""`python -m ops.supervise FD`: keep all processes working; `hotline137 run` becomes this after the setup.

The setup needs a hundred megabytes of libraries. This process stays for months, and does without them.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from ops import asterisk_log
from ops.console import check_node
from ops.log import Form
from ops.supervisor import ASTERISK_INHERITS, Program, Supervisor

_READY_S = 60.0


@dataclass(frozen=True)
class Plan:
    """Processes to keep, and the words when they are ready."""

    programs: Sequence[tuple[str, Sequence[str]]]
    """Name and command line of each process."""
    console: str
    """Path of Asterisk's console, for its check."""
    log: Form
    host: str
    port: int
    """Port of the API."""
    welcome: str


def say(text: str) -> None:
    """Print a line at once, in one write; unbuffered, `print` would write the line's end separately."""
    print(f"{text}\n", end="", flush=True)


def become(plan: Plan, command: Sequence[str]) -> None:
    """Replace this process by this program, started by `command`: nothing else of the process remains."""
    written = os.memfd_create("plan", 0)  # inherited; its passwords are on no command line
    with open(written, "w", closefd=False) as file:
        json.dump(asdict(plan), file)
    os.execv(sys.executable, [sys.executable, "-u", *command, str(written)])  # noqa: S606


def main() -> None:
    """Run until told to stop."""
    with open(int(sys.argv[-1])) as file:
        file.seek(0)
        plan = Plan(**json.load(file))
    keep(plan)


def keep(plan: Plan) -> None:
    """Keep all processes, and print the welcome when they are ready."""
    asked = partial(check_node, Path(plan.console))
    programs = [
        Program(name, argv, asked, asterisk_log.format_event, inherits=ASTERISK_INHERITS)
        if name == "asterisk"
        else Program(name, argv)
        for name, argv in plan.programs
    ]
    supervisor = Supervisor(programs, say, plan.log)
    asyncio.run(supervisor.run(lambda: _when_ready(plan, supervisor)))


def _when_ready(plan: Plan, supervisor: Supervisor) -> None:
    began = time.monotonic()
    health: dict[str, str] = {}
    while not supervisor.stopping and time.monotonic() - began < _READY_S:
        health = _health(plan)
        if set(health.values()) == {"up"}:
            say(plan.welcome)
            return
        time.sleep(0.2)
    if not supervisor.stopping:
        say(f"not ready after {_READY_S:.0f} s: {health or 'the API does not answer'}; see the log above")


def _health(plan: Plan) -> dict[str, str]:
    asking = HTTPConnection(plan.host, plan.port, timeout=2)
    with contextlib.closing(asking), contextlib.suppress(OSError, HTTPException, ValueError):
        asking.request("GET", "/readyz")
        return dict(json.load(asking.getresponse()))
    return {}


if __name__ == "__main__":
    main()
