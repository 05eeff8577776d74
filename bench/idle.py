"""The cost of one installation while nobody calls, and how soon after its start it answers.

Every process of `hotline137 run` is measured apart. The figures are its CPU time over a minute and its own
memory (PSS, which counts shared memory in parts). A second measurement has a control room open in a browser.
Asterisk and PostgreSQL are shown, but not counted. The start uses a state folder with prompts and a database,
and ends when a caller hears the first sound.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from db.models import Role
from tests.kit import brief
from tests.kit.brief import BRIEF, must_hold, sized
from tests.kit.browser import browser, person
from tests.kit.footprint import OURS, cpu_s, mb
from tests.kit.footprint import pids as pids_of
from tests.kit.listener import HANG_UP, Listener, Moment, openings
from tests.kit.operator import PASSWORD
from tests.kit.performance import measured
from tests.kit.postgres import Postgres
from tests.kit.system import System

SETTLES_S, MEASURED_S = sized((20.0, 60.0), (0.5, 0.5))
STARTS = sized(3, 1)
PATIENCE_S = 60.0
GOAL_CPU, GOAL_MB, GOAL_START_S = 3.0, 400.0, 5.0


def _percent(pids: Mapping[str, int]) -> dict[str, float]:
    before, began = cpu_s(pids), time.monotonic()
    time.sleep(MEASURED_S)  # the measured time
    seconds = time.monotonic() - began
    return {name: 100 * (after - before[name]) / seconds for name, after in cpu_s(pids).items()}


def _tell(what: str, row: str, of: Mapping[str, float], unit: str, goal: float) -> None:
    ours = sum(of[name] for name in OURS)
    measured(row, ours, ", ".join(f"{name} {of[name]:.3g}" for name in OURS))
    each = "  ".join(f"{name} {value:.2f}" for name, value in of.items())
    print(f"{what:<34}{ours:>8.2f} {unit:<5} goal: at most {goal:g}   ({each})", flush=True)


@contextmanager
def _open_page(system: System) -> Iterator[None]:
    with browser() as chromium, person(chromium) as supervisor:
        who = {"username": system.operator(Role.SUPERVISOR).username, "password": PASSWORD}
        assert supervisor.request.post(f"{system.url}/api/v1/session", data=who).ok
        page = supervisor.new_page()
        page.goto(f"{system.url}/control")
        page.get_by_test_id("sign-out").wait_for()
        yield


def _until_a_clip(moment: Moment) -> str | None:
    return HANG_UP if moment.clip else None


def _heard_after_s(system: System) -> float:
    """Return seconds from a start until a caller hears something."""
    known = openings(system.settings.prompts_dir / "fa")
    began = time.monotonic()
    system.restart()
    while time.monotonic() - began < PATIENCE_S:
        if not system.answers_calls():
            time.sleep(0.02)  # Asterisk does not report that it answers, so it is polled
            continue
        caller = Listener(tuple(system.settings.sip), system.number(), known, _until_a_clip)
        caller.start()
        caller.join(PATIENCE_S)
        if caller.heard.clips:
            ago = time.time() - caller.heard.answered_at - caller.heard.clips[0][0]
            return time.monotonic() - began - ago
    return math.inf


def _costs(database: str, environment: Mapping[str, str]) -> None:
    with System(**environment) as system:
        name = database.lower()
        starts = sorted(_heard_after_s(system) for _ in range(STARTS))
        must_hold(starts[-1] < PATIENCE_S, "a caller hears something after a start")
        measured(f"start-{name}", starts[len(starts) // 2])
        print(
            f"{f'{database}: start to first sound':<34}{starts[len(starts) // 2]:>8.2f} s     "
            f"goal: at most {GOAL_START_S:g}   (median of {STARTS}, worst {starts[-1]:.2f})",
            flush=True,
        )
        system.wait_healthy(PATIENCE_S)
        pids = pids_of(system)
        time.sleep(SETTLES_S)  # work left over from the start counts for the start
        _tell(f"{database}, no page: CPU", f"idle-{name}", _percent(pids), "%", GOAL_CPU)
        _tell(
            f"{database}: PSS",
            f"memory-{name}",
            {each: mb(pid) for each, pid in pids.items()},
            "MB",
            GOAL_MB,
        )
        with _open_page(system):
            time.sleep(SETTLES_S)  # the cost of opening a page counts for the opening
            _tell(f"{database}, a page open: CPU", f"idle-page-{name}", _percent(pids), "%", GOAL_CPU)


def main() -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores, load of the machine before: {os.getloadavg()[0]:.1f}")
    _costs("SQLite", {})
    if BRIEF:  # PostgreSQL changes nothing here, and a start of the whole system takes long
        return
    with Postgres() as server:
        _costs("PostgreSQL", {"HOTLINE_DATABASE_URL": server.create_database("idle")})


if __name__ == "__main__":
    brief.play(main)
