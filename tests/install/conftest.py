"""What the tests of whole installations share: one Docker engine, and a system's desk."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.kit.docker_engine import Engine, docker_engine, list_missing
from tests.kit.installed import built
from tests.kit.running import desk

__all__ = ["desk"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the run before its first test where no engine can run that a test needs. Raises UsageError."""
    needed = any("docker" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly and (missing := list_missing()):
        raise pytest.UsageError(f"no Docker engine can run here; this machine lacks: {', '.join(missing)}")


@pytest.fixture(scope="session")
def package_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build the Debian package for a release, once for all files."""
    return cache(lambda suite: built("ops/deb/build.sh", suite, tmp_path_factory.mktemp(suite)))


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """An engine for all files: the second one that builds an image finds it built."""
    with docker_engine() as engine:
        yield engine
