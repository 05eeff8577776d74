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
        argv = [need("fail2ban-regex", "fail2ban"), "--out", "ip", written.name]
        done = subprocess.run(
            [*argv, _FILTERS / f"hotline137-{name}.conf"], capture_output=True, text=True, check=False
        )
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout.split()
