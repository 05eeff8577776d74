"""On which databases a test runs: both where it is about what they keep, one elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from db.engine import writing


@pytest.fixture(name="backend", params=["sqlite", "postgresql"])
def on_both(request: pytest.FixtureRequest) -> str:
    """The kind of database; each test that uses one runs on both."""
    kind: str = request.param
    return kind


@pytest.fixture(name="backend")
def on_one(request: pytest.FixtureRequest) -> str:
    """What each database keeps in its own way is shown elsewhere: here one is enough, or the named one."""
    kind: str = getattr(request, "param", "sqlite")
    return kind


in_both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
"""In a file whose tests run on one: what many do at one moment, which each keeps apart in its way; what the
database itself refuses; and whoever is alone in asking PostgreSQL something.
"""


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Somebody else lets nobody write to SQLite meanwhile."""
    with writing(engine) as session:
        session.connection()  # only now it begins
        yield
