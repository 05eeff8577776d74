"""Registrations per second by two nodes on one PostgreSQL against one node: the cost of several nodes.

Both times the same number of citizens call, on the same cores, with the same keys at the same moments. Half
of them call each of the two nodes.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.load import Done, Load, Pressed
from tests.kit.performance import measured
from tests.kit.postgres import Postgres
from tests.kit.system import System
from tests.kit.two_nodes import two_nodes

RATE, SECONDS = sized((40, 30), (4, 1))
KEYS = [Pressed(sized(300, 1_000), "1"), *(Pressed(sized(300, 400), key) for key in "13#")]
HANGUP_MS = sized(500, 2_000)
LASTS = (sum(pressed.after_ms for pressed in KEYS) + HANGUP_MS) / 1000
GOAL = 0.9


def _calls(system: System, numbers: Sequence[str], rate: float) -> Done:
    with Load(str(system.settings.sip), numbers, rate=rate, keys=KEYS, hangup_after_ms=HANGUP_MS) as load:
        return load.wait(SECONDS + 120)


def _row(what: str, called: Sequence[System]) -> float:
    """Measure one line of the table: registrations a second."""
    numbers = [called[0].number() for _ in range(RATE * SECONDS)]
    with called[0].only_round() as round_id, ThreadPoolExecutor(len(called)) as pool:
        calls = [
            pool.submit(_calls, node, numbers[n :: len(called)], RATE / len(called))
            for n, node in enumerate(called)
        ]
        done = [call.result() for call in calls]
        rows = len(called[0].registrations(round_id))
    failed = sum(each.failed for each in done)
    must_hold(
        not failed and rows == len(numbers), f"each of {len(numbers)} callers registers: {done}, {rows}"
    )
    per_second = rows / (max(each.seconds for each in done) - LASTS)
    print(f"{what:<12}{per_second:>14.1f}{rows:>12}{failed:>8}", flush=True)
    return per_second


def main() -> int:
    """Print the table; return 1 if it misses the goal."""
    print(
        f"{RATE} calls a second in all, {os.cpu_count()} cores that sipp and PostgreSQL share, "
        f"load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':<12}{'registered/s':>14}{'registered':>12}{'failed':>8}   goal: at least {GOAL} of one")
    room = {"HOTLINE_MAX_CALLS": str(sized(1000, 60))}
    with Postgres() as server:
        with System(HOTLINE_DATABASE_URL=server.create_database("alone"), **room) as alone:
            one = _row("one node", [alone])
        with two_nodes(server, **room) as nodes:
            two = _row("two nodes", nodes[:2])
    print(f"two nodes : one: {two / one:.2f}")
    measured("registrations-nodes", two / one, f"{two:.1f}/s", f"{one:.1f}/s")
    return 0 if two / one >= GOAL else 1


if __name__ == "__main__":
    brief.play(main)
