"""`python -m tests.kit.accelerated …` is `hotline137 …` in a world that runs ACCELERATED times faster.

Asterisk and the phones know no other time than the real one, so everything in the test is shorter by that
factor. Pacing thinks in seconds of real conversations: what it is shown is stretched before it decides.
ACCELERATED_AMI, where set, is where the dialer finds Asterisk's manager interface: through a proxy.
"""

import os
import sys

import dialer.dialer
import ops.run
from hotline import experience
from ops.cli import app

NAME = "tests.kit.accelerated"


def main() -> None:
    """Run the command; the processes it starts are accelerated, too."""
    ops.run.ENTRY = NAME
    if sys.argv[1:] == ["process", "dialer"]:
        speed = float(os.environ["ACCELERATED"])
        dialer.dialer.POLL_S = max(dialer.dialer.POLL_S / speed, 0.02)
        as_it_was = experience._seconds
        experience._seconds = lambda start, end: speed * as_it_was(start, end)
        if proxy := os.environ.get("ACCELERATED_AMI"):
            os.environ["HOTLINE_AMI"] = proxy
    app()


if __name__ == "__main__":
    main()
