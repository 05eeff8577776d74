"""The first minute of an hour in which 50,000 register: who is lost, and what grows.

The mayor's round fills like this: many register at first, and half as many a quarter of an hour later. The
first minute is the worst, and real calls play it. Memory, database and log are measured before and after it.
"""

import math
import os
from pathlib import Path

from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.footprint import OURS, mb, pids
from tests.kit.load import Load, Pressed
from tests.kit.performance import measured
from tests.kit.system import System

IN_ALL = 50_000
HALVES_S = 900.0
SECONDS = sized(60, 1)
RATE = sized(math.ceil(IN_ALL * (1 - 0.5 ** (60 / HALVES_S)) / (1 - 0.5 ** (3600 / HALVES_S)) / 60), 3)
KEYS = [Pressed(sized(300, 1_000), "1"), *(Pressed(sized(300, 400), key) for key in "13#")]
HANGUP_MS = sized(2_500, 2_000)
"""The callers know the keys: as many listeners would be more sound than two cores carry (bench/callers.py).
"""


def _size_mb(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 2**20


def _grown(system: System) -> dict[str, float]:
    """Return megabytes of each."""
    return {
        **{name: mb(pid) for name, pid in pids(system).items()},
        "kept on the disk": _size_mb(system.settings.state_dir),
    }


def main() -> None:
    """Print the callers' results, and the growth."""
    print(
        f"{RATE} calls a second for {SECONDS} s, {os.cpu_count()} cores that sipp shares, "
        f"load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    with System(HOTLINE_MAX_CALLS=str(sized(2000, 60))) as system, system.only_round() as round_id:
        numbers = [system.number() for _ in range(RATE * SECONDS)]
        before = _grown(system)
        with Load(str(system.settings.sip), numbers, rate=RATE, keys=KEYS, hangup_after_ms=HANGUP_MS) as load:
            done = load.wait(SECONDS + 120)
        rows, after = len(system.registrations(round_id)), _grown(system)
    lost = len(numbers) - rows
    must_hold(not lost, f"each of {len(numbers)} callers registers: {done}, {rows}")
    print(f"{len(numbers)} called, {rows} registered, {done.failed} calls failed; megabytes:")
    for name, value in after.items():
        print(f"{name:<20}{before[name]:>8.1f}{value:>8.1f}{value - before[name]:>+8.1f}")
    ours = sum(after[name] - before[name] for name in OURS)
    disk = after["kept on the disk"] - before["kept on the disk"]
    measured("an-hour", lost, f"{lost} of {len(numbers)}; memory {ours:+.0f} MB, disk {disk:+.0f} MB")


if __name__ == "__main__":
    brief.play(main)
