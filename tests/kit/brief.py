"""A bench in brief: all that it does, at sizes so small that its figures mean nothing.

`tests/bench` plays each bench of bench/ like this, so that none rots. A bench names each of its sizes by
`sized`. It says by `must_hold` what tiny sizes cannot excuse, and is run by `play`.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import TimeoutExpired
from typing import NamedTuple, TypeVar

from tests.kit.process import Program

BRIEF = bool(os.environ.get("BENCH_BRIEF"))
LAST_LINE = "brief: no figure counts"
_PROJECT = Path(__file__).parent.parent.parent
_LONGEST_S = 150.0
_STARTS_A_SYSTEM = re.compile(r"^from tests\.kit\.(system|simulated_round) import", re.M)

T = TypeVar("T")


def sized(full: T, brief: T) -> T:
    """A size that a bench works with: the one that is measured, or the one that is only played."""
    return brief if BRIEF else full


def must_hold(holds: bool, what: str) -> None:
    """In brief nothing is lost for want of speed: what does not hold has rotted. In full the table tells."""
    if BRIEF and not holds:
        raise AssertionError(f"even in brief: {what}")


def play(main: Callable[[], int | None]) -> None:
    """Run the bench and leave with its code; in brief a goal that is missed is none."""
    code = main()
    if BRIEF:
        sys.stdout.write(f"{LAST_LINE}\n")
    sys.exit(0 if BRIEF else code)


class Played(NamedTuple):
    """The result of a bench; no code if it did not end."""

    code: int | None
    printed: list[str]


def benches(*, with_system: bool) -> list[Path]:
    """Return the benches that start a whole system, or the others."""
    there = sorted((_PROJECT / "bench").glob("*.py"))
    return [bench for bench in there if bool(_STARTS_A_SYSTEM.search(bench.read_text())) == with_system]


def played(bench: Path, folder: Path) -> Played:
    """Play a bench in brief, as `make bench` runs it; `folder` is for what it prints."""
    log = folder / "printed"
    env = {"PYTHONPATH": ".", "BENCH_BRIEF": "1"}
    with Program([sys.executable, bench], folder=_PROJECT, log=log, env=env) as program:
        try:
            code = program.wait(_LONGEST_S)
        except TimeoutExpired:
            code = None
    return Played(code, log.read_text(errors="replace").splitlines())
