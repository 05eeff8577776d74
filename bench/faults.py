"""Rounds in which parts break at random moments: kill -9 of any process, the manager's line cut.

`faults.py [ROUNDS [FIRST_SEED]]`: 8 citizens and 3 faults a round. `make faults` plays 200, which take about
an hour and a half; without arguments 5 are played. Ends with 1 if anything was wrong in any of them.
"""

import sys
from collections import Counter

from tests.kit import broken

ROUNDS = 5


def main() -> None:
    """Play, print each round and the sum."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    kinds: Counter[str] = Counter()
    bad = 0
    with broken.breakable() as (system, proxy):
        for seed in range(first, first + rounds):
            played = broken.play(system, proxy, seed)
            kinds.update(fault.partition(" ")[0] for fault in played.faults)
            bad += bool(played.wrongs)
            print(f"seed {seed}: {', '.join(played.faults)}; {played.seconds:.0f} s", flush=True)
            for wrong in played.wrongs:
                print(f"  WRONG: {wrong}", flush=True)
    print(f"{rounds} rounds, {kinds.total()} faults ({dict(kinds)}), {bad} rounds with anything wrong")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
