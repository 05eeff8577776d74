"""fail2ban's own reading of our log, by our filters."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.kit.process import need

_FILTERS = Path(__file__).parents[2] / "ops" / "fail2ban" / "filter.d"


def counted(name: Literal["pages", "sip"], lines: Sequence[str]) -> list[str]:
    """The addresses that fail2ban would count, in the order of their lines."""
    with tempfile.NamedTemporaryFile("w", suffix=".log") as written:
        written.write("".join(f"{line}\n" for line in lines))
        written.flush()
        return counted_in(name, written.name)


def counted_in(name: Literal["pages", "sip"], source: str) -> list[str]:
    """The same, of a file or a `systemd-journal[…]`."""
    argv = [need("fail2ban-regex", "fail2ban"), "--out", "ip", source, _FILTERS / f"hotline137-{name}.conf"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "ERROR" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.stdout.split()
