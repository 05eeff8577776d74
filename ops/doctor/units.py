"""Check of the units of systemd, where the package brought them."""

import shutil
import subprocess
from collections.abc import Iterator

from ops.doctor.findings import LATE_S, Finding, Known, fail, report_ok, warn

_UNITS = tuple(
    f"hotline137-{name}.service"
    for name in ("prepare", "tables", "asterisk", "ivr", "dialer", "scheduler", "api")
)
_ASKED = "Id,LoadState,ActiveState,SubState,Result,StatusText"
_LINES = 5
"""Last lines of a failed unit's journal."""


def check_units(_: Known) -> Iterator[Finding]:
    """Name each unit that failed or starts anew, with its last lines; nothing without our units."""
    if not shutil.which("systemctl"):
        return
    found = [each for each in map(_parse, _run("systemctl", "show", f"--property={_ASKED}", *_UNITS)) if each]
    installed = [each for each in found if each.get("LoadState") == "loaded"]
    well = bool(installed)
    for each in installed:
        name, state = each["Id"].removesuffix(".service"), each["ActiveState"]
        if state == "failed" or (each["SubState"] == "auto-restart" and each["Result"] != "success"):
            well = False
            said = f"{name} failed ({each['Result']}); it said last: {_read_last_lines(name)}"
            yield fail(
                "systemd", said, f"journalctl -u {name}; docs/operate/night.md; systemctl restart {name}"
            )
        elif state == "activating" and each.get("StatusText"):
            well = False
            yield warn("systemd", f"{name} is starting: {each['StatusText']}", f"journalctl -u {name}")
    if well:
        yield report_ok("systemd", "no unit failed")


def _parse(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, equals, value in pairs if equals}


def _read_last_lines(unit: str) -> str:
    lines = "\n\n".join(
        _run("journalctl", "-u", unit, "-n", str(_LINES), "-o", "cat", "--no-pager")
    ).splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.startswith("-- ")]
    return " | ".join(said) or "nothing that we may read (ask as root)"


def _run(*command: str) -> list[str]:
    """Return the blocks of a program's output; none if it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LATE_S)
    return done.stdout.split("\n\n") if done.returncode == 0 else []
