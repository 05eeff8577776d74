"""Any fault at any moment of live rounds: nobody is lost or called twice, all heals."""

import os

import pytest

from tests.faults import broken_round
from tests.faults.breaking import CUT, STOPS, TRAPS, Breakable

SEED = int(os.environ.get("FAULTS_SEED", "476958"))
"""The same each time, so that red means a change; the night plays others. With this one the api is stopped
while it has hardly begun."""

pytestmark = pytest.mark.timeout(240)


def _play(target: Breakable, kinds: tuple[str, ...]) -> None:
    played = broken_round.play(target, SEED, rounds=2, citizens=4, faults=3, kinds=kinds)

    assert played.all_wrongs() == [], f"FAULTS_SEED={SEED}: {', '.join(map(str, played.faults))}"


@pytest.mark.parametrize(
    "kinds",
    [("asterisk", "ivr", "api", "scheduler"), STOPS, ("dialer", CUT, *TRAPS)],
    ids=["killed", "hung", "the-dialers-line"],
)
def test_random_faults_in_live_rounds_break_no_rule(breakable: Breakable, kinds: tuple[str, ...]) -> None:
    _play(breakable, kinds)
