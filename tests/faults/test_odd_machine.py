"""Faults of a machine, not of a process: its disk is full, its database hangs or is gone."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.faults import broken_round
from tests.faults.breaking import BY_ITSELF, DATABASE, DATABASE_CUT, DATABASE_ENDS, DATABASE_FROZEN, Breakable
from tests.kit.process import slowness
from tests.kit.small_disk import full, small_disk

SEED = int(os.environ.get("FAULTS_SEED", "137"))
BACK_S = 15.0
"""From the moment the machine is well again until all work, where nothing else is to do."""
_DISK_MB = 400
"""The prompts, and room for what a round writes."""
FULL, _FULL_S = "disk-full", 10.0

pytestmark = pytest.mark.timeout(240)


def _play(target: Breakable, kind: str) -> None:
    played = broken_round.play(target, SEED, citizens=6, callers=3, faults=1, kinds=[kind], amid_calls=True)

    assert played.all_wrongs() == [], f"FAULTS_SEED={SEED}"
    [fault] = [each for each in played.faults if each.kind != BY_ITSELF]
    assert fault.calls, "a citizen was on the line"
    assert fault.recovered_s and fault.recovered_s <= BACK_S * slowness(), str(fault)


@pytest.mark.parametrize("kind", [DATABASE_FROZEN, DATABASE_ENDS, DATABASE_CUT])
def test_failed_postgresql_loses_and_doubles_nobody(breakable_with_postgres: Breakable, kind: str) -> None:
    _play(breakable_with_postgres, kind)


def test_recurring_database_outage_breaks_no_rule(
    breakable_with_postgres: Breakable,
) -> None:
    played = broken_round.play(breakable_with_postgres, SEED, rounds=2, citizens=4, faults=3, kinds=DATABASE)

    assert played.all_wrongs() == [], f"FAULTS_SEED={SEED}: {', '.join(map(str, played.faults))}"


@pytest.fixture
def on_a_small_disk() -> Iterator[Breakable]:
    """A fast system whose state, database, voices and log are on a disk that can be full."""
    with small_disk(_DISK_MB) as folder:

        def fill() -> None:
            with full(folder):
                time.sleep(_FULL_S)

        with broken_round.breakable(folder=folder, odd={FULL: fill}) as target:
            yield target


def test_full_disk_loses_and_doubles_nobody(
    on_a_small_disk: Breakable,
) -> None:
    _play(on_a_small_disk, FULL)
