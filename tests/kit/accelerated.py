"""`python -m tests.kit.accelerated …` is `hotline137 …` in a world that runs ACCELERATED times faster.

Asterisk and the phones know only the real time, so the test shortens everything else by that factor. Pacing
thinks in seconds of real conversations, so its input is stretched before it decides. ACCELERATED_AMI, where
set, is the address of Asterisk's manager interface for the dialer: a proxy. ACCELERATED_CLOCK, where set,
says how far the clocks of our processes are off (tests.kit.clock). ASTERISKS_CLOCK does so for Asterisk's.
"""

import os
import sys
from pathlib import Path

from ops import hang_timeouts, hotline137, process, supervise
from tests.kit.clock import faked

NAME = "tests.kit.accelerated"
IDLE_S = 4.0
"""The watchdog's timeout; its processes report once a second that they work."""


def main() -> None:
    """Run the command; the processes it starts are accelerated, too."""
    if sys.argv[1] == "process":
        run(sys.argv[2])
        return
    if sys.argv[1] == "keep":
        if "ACCELERATED_AMI" in os.environ:  # elsewhere nothing hangs: who is only slow must not be killed
            hang_timeouts.IDLE_S, hang_timeouts._GOOD_LIFE_S = IDLE_S, 2 * IDLE_S
        supervise.main()
        return
    import ops.run

    if clock := os.environ.pop("ASTERISKS_CLOCK", ""):
        shift_asterisk(Path(clock))
    ops.run.PROCESS, ops.run.KEEPER = ["-m", NAME, "process"], ["-m", NAME, "keep"]
    hotline137.main()


def run(name: str) -> None:
    """One process."""
    if clock := os.environ.pop("ACCELERATED_CLOCK", ""):
        command = [sys.executable, "-u", "-m", NAME, "process", name]
        os.execve(sys.executable, command, os.environ | faked(Path(clock)))
    if name == "dialer":
        accelerate_dialer()
    process.run(name)


def shift_asterisk(clock: Path) -> None:
    """Start Asterisk with this clock."""
    from ops.asterisk import Asterisk

    as_it_was = Asterisk.argv
    variables = [f"{name}={value}" for name, value in faked(clock).items()]
    Asterisk.argv = lambda self, config: ["env", *variables, *as_it_was(self, config)]  # type: ignore[method-assign]


def accelerate_dialer() -> None:
    """It looks more often, believes that seconds are longer, and finds Asterisk where a test says."""
    from dialer import polling
    from hotline.callbacks import round_statistics

    speed = float(os.environ["ACCELERATED"])
    polling.POLL_S = max(polling.POLL_S / speed, 0.02)
    polling.REST_S = polling.EMPTY_S = polling.CALM_S  # a second is minutes here
    as_it_was = round_statistics._seconds
    round_statistics._seconds = lambda start, end: speed * as_it_was(start, end)
    if proxy := os.environ.get("ACCELERATED_AMI"):
        os.environ["HOTLINE_AMI"] = proxy


if __name__ == "__main__":
    main()
