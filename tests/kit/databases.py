"""On which databases a test runs: both where it is about what they keep, one elsewhere."""

import pytest


@pytest.fixture(name="backend", params=["sqlite", "postgresql"])
def on_both(request: pytest.FixtureRequest) -> str:
    """The kind of database; each test that uses one runs on both."""
    kind: str = request.param
    return kind


@pytest.fixture(name="backend")
def on_one(request: pytest.FixtureRequest) -> str:
    """What both databases keep is shown in tests/hotline/: here one is enough, or the one a test names."""
    kind: str = getattr(request, "param", "sqlite")
    return kind
