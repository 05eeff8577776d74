"""Many rounds in which parts break at random moments, and the figures of all.

`python -m tests.faults.night [ROUNDS [FIRST_SEED]]`, as `make faults-night` runs it. Four rounds of eight run
at once, hit by five faults. One half runs on SQLite, one on PostgreSQL. Ends with 1 if any figure is not 0.
"""

import sys
import time
from collections import Counter
from contextlib import ExitStack

from tests.faults import broken_round
from tests.faults.breaking import Fault
from tests.faults.broken_round import FIGURES, Broken
from tests.kit.postgres import Postgres

ROUNDS = 200
_AT_ONCE = 4
_FAULTS = 5


def main() -> None:
    """Play, print what was broken and what is wrong after it, then the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began, played = time.monotonic(), []
    for half, on_postgres in ((rounds - rounds // 2, False), (rounds // 2, True)):
        with ExitStack() as stack:
            postgres = stack.enter_context(Postgres()) if on_postgres else None
            target = stack.enter_context(broken_round.breakable(postgres))
            for first in range(0, half, _AT_ONCE):
                some = min(_AT_ONCE, half - first)
                broken = broken_round.play(target, seed, rounds=some, faults=_FAULTS)
                played.append(broken)
                seed += 1
                what = ", ".join(map(str, broken.faults))
                print(f"seed {broken.seed}: {what}; {broken.seconds:.0f} s", flush=True)
                for wrong in broken.all_wrongs():
                    print(f"  WRONG: {wrong}", flush=True)
    print(summary(rounds, played, time.monotonic() - began))
    sys.exit(any(broken.all_wrongs() for broken in played))


def summary(rounds: int, played: list[Broken], seconds: float) -> str:
    """The figures, one a line."""
    faults = [fault for broken in played for fault in broken.faults]
    kinds = Counter(fault.kind for fault in faults)
    head = f"{rounds} rounds in {seconds / 60:.0f} minutes, {len(faults)} faults: "
    lines = [head + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())]
    lines += [f"{figure}: {sum(len(b.wrongs[figure]) for b in played)}" for figure in FIGURES]
    return "\n".join([*lines, f"longest recovery: {_longest(faults)}"])


def _longest(faults: list[Fault]) -> str:
    slowest = max(faults, key=lambda fault: fault.recovered_s or float("inf"), default=None)
    return str(slowest) if slowest else "-"


if __name__ == "__main__":
    main()
