"""How every process of ours logs: one line an event, on standard output, no personal data."""

import logging
import sys


def set_up() -> None:
    """Log from INFO on to standard output; the supervisor adds the time and the process's name."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(levelname)-7s %(message)s", force=True
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
