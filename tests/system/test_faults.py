"""Whatever breaks in a live round, and whenever: outcomes are true, nobody is called twice, all heals."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.kit import broken
from tests.kit.faults import CUT, TRAPS
from tests.kit.proxy import Proxy
from tests.kit.system import System

SEED = int(os.environ.get("FAULTS_SEED", random.randrange(1_000_000)))
"""Another one each time; the failing one is shown, and may be given again."""


@pytest.fixture(scope="module")
def breakable() -> Iterator[tuple[System, Proxy]]:
    """A system of its own that may be broken."""
    with broken.breakable() as both:
        yield both


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "kinds", [("asterisk", "ivr", "api"), ("dialer", CUT, *TRAPS)], ids=["whole-parts", "the-dialers-line"]
)
def test_given_a_live_round_when_parts_break_at_random_moments_then_outcomes_are_true_and_nobody_called_twice(
    breakable: tuple[System, Proxy], kinds: tuple[str, ...]
) -> None:
    played = broken.play(*breakable, SEED, citizens=5, faults=3, kinds=kinds)

    assert played.wrongs == [], f"FAULTS_SEED={SEED}: {played.faults}"
