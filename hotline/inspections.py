"""Results of slow checks, in a file of the state folder: the scheduler makes them, and /metrics shows them.

Prometheus must not wait until another server answers, or until a whole ledger is read.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from settings import Settings

_FILE = "inspections.json"


class Inspections(NamedTuple):
    """The last result of each check; times are seconds since 1970."""

    certificates: Mapping[str, float] = {}
    """The end of each certificate, by its setting's name; 0: browsers or carriers do not believe it."""
    ledger_at: float = 0
    """The last check of the ledger; 0: there was none."""
    ledger_problems: int = 0


def read(settings: Settings) -> Inspections:
    """Return the results; empty ones if there are none yet, or if the file is invalid."""
    try:
        said = json.loads((settings.state_dir / _FILE).read_text())
        ends = {str(name): float(end) for name, end in said["certificates"].items()}
        return Inspections(ends, float(said["ledger_at"]), int(said["ledger_problems"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Inspections()


def write(settings: Settings, **found: object) -> None:
    """Replace these results, and keep the others. A full disk keeps all the old ones."""
    path = settings.state_dir / _FILE
    part = path.with_suffix(".part")
    with suppress(OSError):
        part.write_text(json.dumps(read(settings)._replace(**found)._asdict()) + "\n")  # type: ignore[arg-type]
        part.rename(path)
