"""How every process of ours logs: one line an event, on standard output, no personal data."""

import logging
import sys
from typing import Any


class OneLine(logging.Formatter):
    """What somebody outside wrote can neither end a line nor turn its direction: such characters are escaped.

    A traceback's lines begin with a bar, so that none is taken for an event.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The event's line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """The lines of its traceback."""
        return "\n".join(f"| {escaped(line)}" for line in super().formatException(ei).split("\n"))


def escaped(text: str) -> str:
    """The text with every character that is not printable written as Python writes it."""
    return "".join(each if each.isprintable() or each == "\u200c" else ascii(each)[1:-1] for each in text)


def set_up() -> None:
    """Log from INFO on to standard output; the supervisor adds the time and the process's name."""
    shown = logging.StreamHandler(sys.stdout)
    shown.setFormatter(OneLine("%(levelname)-7s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[shown], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_ours)


def _is_ours(record: logging.LogRecord) -> bool:
    """Not what anybody outside can have written as often as they like, and that says nothing of them."""
    return record.getMessage() != "Invalid HTTP request received."
