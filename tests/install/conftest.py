"""Fixtures of whole installations: an engine, a package of each release, and a system's desk."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import pytest

from tests.kit.docker_engine import Engine, docker_engine, list_missing
from tests.kit.installed import built
from tests.kit.running import desk

__all__ = ["desk"]


def pytest_configure(config: pytest.Config) -> None:
    """End a run with workers before they start, where no engine can run. Raises UsageError."""
    if getattr(config.option, "numprocesses", None):
        _demand_engine()


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the run before its first test where no engine can run that a test needs. Raises UsageError."""
    needed = any("docker" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly and not hasattr(session.config, "workerinput"):
        _demand_engine()


def _demand_engine() -> None:
    if missing := list_missing():
        raise pytest.UsageError(f"no Docker engine can run here; this machine lacks: {', '.join(missing)}")


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same in each of its workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def _locked(path: Path, how: int) -> Iterator[IO[str]]:
    with path.open("a+") as file:
        fcntl.flock(file, how)
        file.seek(0)
        yield file


@pytest.fixture(scope="session")
def package_of(of_all_workers: Path) -> Callable[[str], Path]:
    """Build the Debian package for a release, once for all workers."""

    def package(suite: str) -> Path:
        with _locked(of_all_workers / f"package-{suite}", fcntl.LOCK_EX) as made:
            if not (path := made.read()):
                (of_all_workers / suite).mkdir(exist_ok=True)
                path = str(built("ops/deb/build.sh", suite, of_all_workers / suite))
                made.write(path)
        return Path(path)

    return package


@pytest.fixture(scope="session")
def docker(of_all_workers: Path) -> Iterator[Engine]:
    """An engine for all workers: the second one that builds an image finds it built.

    The worker that needs it first starts it, and ends it after all others.
    """
    running, users = of_all_workers / "engine", of_all_workers / "engine-users"
    with ExitStack() as stack:
        with _locked(running, fcntl.LOCK_EX) as file:
            if said := file.read():
                engine = Engine(**json.loads(said))
                stack.enter_context(_locked(users, fcntl.LOCK_SH))
            else:
                engine = stack.enter_context(docker_engine())
                stack.callback(_wait_for_others, running, users)
                file.write(json.dumps(asdict(engine)))
        yield engine


def _wait_for_others(running: Path, users: Path) -> None:
    with _locked(running, fcntl.LOCK_EX) as file, _locked(users, fcntl.LOCK_EX):
        file.truncate(0)
