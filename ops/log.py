"""Logs of our processes: one line an event, on standard output, for people or as JSON, no personal data."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal

Form = Literal["console", "json"]
_LEVELS = ("debug", "info", "warning", "error", "critical")
_CALL = re.compile(r"(?P<call>[a-z]+(?:-[a-z]+)*-[0-9a-f]{32}|[0-9]{10}\.[0-9]+): (?P<rest>.+)", re.DOTALL)
"""Prefix of an event of one call: our token, which is the channel's id, or Asterisk's own id."""


class OneLine(logging.Formatter):
    """Formatter that escapes characters by which outsiders could end a line or turn its direction.

    A traceback's lines begin with a bar, so that none looks like an event.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the event's line."""
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Return the lines of the traceback."""
        return "\n".join(f"| {escape(line)}" for line in super().formatException(ei).split("\n"))


def escape(text: str) -> str:
    """Return the text with every unprintable character escaped as in Python."""
    return "".join(each if each.isprintable() or each == "\u200c" else ascii(each)[1:-1] for each in text)


def set_up(process: str = "", form: Form = "console") -> None:
    """Log to standard output from INFO on, for people or as a JSON object for each event.

    For people the supervisor adds the time and the process's name.
    """
    shown = logging.StreamHandler(sys.stdout)
    shown.setFormatter(OneLine("%(levelname)-7s %(message)s") if form == "console" else _json(process))
    logging.basicConfig(level=logging.INFO, handlers=[shown], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_ours)


def _json(process: str) -> logging.Formatter:
    import structlog  # imported here: the log of Asterisk's container has only Python
    from structlog.stdlib import ProcessorFormatter, add_log_level

    def named(_logger: object, _method: str, event: Any) -> Any:
        return {"process": process, **_of_a_call(str(event.pop("event"))), **event}

    return ProcessorFormatter(
        foreign_pre_chain=[add_log_level, structlog.processors.TimeStamper("iso", key="time")],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            named,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _of_a_call(event: str) -> dict[str, str]:
    found = _CALL.fullmatch(event)
    return {"call": found["call"], "event": found["rest"]} if found else {"event": event}


def format_json(process: str, line: str) -> str:
    """Return the JSON object of a process's line; our own JSON is returned unchanged."""
    if line.startswith("{"):
        try:
            if json.loads(line)["process"] == process:
                return line
        except (ValueError, KeyError):
            pass
    level, _, rest = line.partition(" ")
    known = level.lower() in _LEVELS
    event = {
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": level.lower() if known else "info",
        "process": process,
        **_of_a_call(rest.strip() if known else line),
    }
    return json.dumps(event, ensure_ascii=False)


def _is_ours(record: logging.LogRecord) -> bool:
    """Return False for an event that outsiders can cause at will, and that says nothing about them."""
    return record.getMessage() != "Invalid HTTP request received."
