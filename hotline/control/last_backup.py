"""When the last backup was made, as whoever makes it writes into the state folder."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = "backup.json"
"""{"at": "2026-01-01T02:00:00+00:00", "path": "…", "ok": true}; none: there never was one."""
_LONGEST = 1 << 16


@dataclass(frozen=True)
class LastBackup:
    """The last time that one was tried, and whether it is whole."""

    at: datetime
    ok: bool
    path: str = ""


def read(state_dir: Path) -> LastBackup | None:
    """None: never, or the file says nothing that can be understood."""
    try:
        with (state_dir / FILE).open("rb") as file:
            said = json.loads(file.read(_LONGEST))
        at = datetime.fromisoformat(said["at"])
        zoned = at if at.tzinfo else at.replace(tzinfo=UTC)
        return LastBackup(zoned.astimezone(UTC), said["ok"] is True, str(said.get("path") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
