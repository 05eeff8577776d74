"""A process that says whether it leads: `python -m tests.kit.leading STATE_DIR DATABASE_URL`."""

import sys
import time

from dialer.leader import create_leadership
from settings import load


def main(state_dir: str, database: str) -> None:
    """Print `leads` or `follows` whenever it changes, for ever."""
    lead = create_leadership(load(_env_file=None, state_dir=state_dir, database_url=database))
    said = ""
    while True:
        now = "leads" if lead.leads() else "follows"
        if now != said:
            sys.stdout.write(f"{now}\n")
            sys.stdout.flush()
            said = now
        time.sleep(0.05)  # the dialer's own rhythm


if __name__ == "__main__":
    main(*sys.argv[1:])
