"""Faults, each by name, on the real system, with callbacks under way.

`system` and `desk` are those of tests/system: real speed, a desk and its SIP phone. A fault that a person
hears belongs there. `breakable` is a system with a fast clock for retries and pacing, and a proxy before its
manager interface. `broken_round.play` plays a whole round on it while `breaking.Faults` breaks parts.
tests.kit.round_checks judges the round by what the phones saw. `system` is started once for each test
process. `breakable` is started for each file: it polls so often that it costs a sixth of a core when idle.

`test_mixed_faults.py` plays a mixed selection in every `make test-all`, and `make faults` plays that alone.
`make faults-night` plays 200 rounds in one go, with the figures (night.py). A new kind of fault needs its
name in breaking.py, and a test here that shows it alone. Keep each test under 20 s; real minutes belong to
the night.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import broken_round
from tests.faults.breaking import Breakable
from tests.kit.postgres import Postgres
from tests.kit.running import desk, mark, pytest_runtest_teardown, system, tone

__all__ = ["desk", "pytest_runtest_teardown", "system", "tone"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder drive the whole system."""
    mark(items, Path(__file__).parent)


@pytest.fixture(scope="module")
def breakable() -> Iterator[Breakable]:
    """A fast system on SQLite that may be broken in any way."""
    with broken_round.breakable() as breakable:
        yield breakable


@pytest.fixture(scope="module")
def breakable_with_postgres() -> Iterator[Breakable]:
    """The same on PostgreSQL."""
    with Postgres() as postgres, broken_round.breakable(postgres) as breakable:
        yield breakable
