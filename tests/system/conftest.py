"""A running system for the tests of this folder; each test makes its own round, numbers and desks."""

from pathlib import Path

import pytest

from tests.kit.running import desk, mark, pytest_runtest_teardown, system, tone

__all__ = ["desk", "pytest_runtest_teardown", "system", "tone"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder drive the whole system."""
    mark(items, Path(__file__).parent)
