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
    """Return one database for a file whose differences are shown elsewhere, or the named one."""
    kind: str = getattr(request, "param", "sqlite")
    return kind


in_both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
"""Marks a file on both databases whose tests otherwise run on one. It is for concurrency, for the database's
own refusals, and for statements of PostgreSQL alone.
"""


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Somebody else lets nobody write to SQLite meanwhile."""
    with writing(engine) as session:
        session.connection()  # only now it begins
        yield
