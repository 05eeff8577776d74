"""CPU time of one complete registration call: our Python against Asterisk.

A caller registers by two keys. The quick one hangs up during the ticket number. The slow one hears the ticket
number twice, and the place in the line. The keys are sipp's, by SIP INFO, and nobody sends sound.
"""

import math
import os
import time

import psutil

from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.load import Load, Pressed
from tests.kit.performance import measured
from tests.kit.system import System

CALLS = sized(100, 3)
RATE = 5
KEYS = [Pressed(800, "1"), Pressed(800, "1")]
CALLERS = sized({"hurried, 8 s": 6_000, "listens, 28 s": 26_000}, {"listens a moment": 8_000})
IDLE_S = sized(5.0, 0.5)
GOAL = 0.25


def _cpu(system: System) -> dict[str, float]:
    return {name: sum(psutil.Process(system.pid(name)).cpu_times()[:2]) for name in ("ivr", "asterisk")}


def _idle(system: System) -> dict[str, float]:
    """Return seconds of CPU that each process takes in one second without calls."""
    before = _cpu(system)
    time.sleep(IDLE_S)  # the measured time
    return {name: (after - before[name]) / IDLE_S for name, after in _cpu(system).items()}


def _calls(system: System, hangup_after_ms: int) -> dict[str, float]:
    numbers = [system.number() for _ in range(CALLS)]
    idle, before, began = _idle(system), _cpu(system), time.monotonic()
    with (
        system.only_round() as round_id,
        Load(
            str(system.settings.sip), numbers, rate=RATE, keys=KEYS, hangup_after_ms=hangup_after_ms
        ) as load,
    ):
        done = load.wait(CALLS / RATE + 60)
        registered = len(system.registrations(round_id))
    time.sleep(1)  # cleaning up after the last call counts for the calls
    seconds, after = time.monotonic() - began, _cpu(system)
    if done.failed or registered < CALLS:
        print(f"  {done.failed} calls failed, {registered} of {CALLS} registered")
    must_hold(not done.failed and registered == CALLS, f"{CALLS} callers register: {done}, {registered}")
    return {name: (after[name] - before[name] - idle[name] * seconds) / CALLS for name in after}


def main() -> None:
    """Print the table."""
    print(
        f"CPU of one registration call ({CALLS} calls, {RATE} a second, {os.cpu_count()} cores, "
        f"load of the machine before: {os.getloadavg()[0]:.1f})"
    )
    print(f"{'caller':<16}{'ivr ms':>9}{'Asterisk ms':>13}{'ratio':>8}   goal: at most {GOAL}")
    with System(HOTLINE_MAX_CALLS=str(sized(500, 60)), HOTLINE_ANSWER_SECONDS="6") as system:
        for caller, hangup_after_ms in CALLERS.items():
            cost = _calls(system, hangup_after_ms)
            ratio = cost["ivr"] / (cost["asterisk"] or math.nan)
            measured(
                f"call-{caller.split(',')[0].split()[0]}",
                ratio,
                f"{cost['ivr'] * 1e3:.1f} ms",
                f"{cost['asterisk'] * 1e3:.1f} ms",
            )
            print(
                f"{caller:<16}{cost['ivr'] * 1e3:>9.1f}{cost['asterisk'] * 1e3:>13.1f}{ratio:>8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    brief.play(main)
