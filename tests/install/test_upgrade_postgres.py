"""A database of one major version of PostgreSQL comes onto the next: every row, and the old one kept."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.kit.compose import Compose
from tests.kit.docker_engine import Engine
from tests.kit.system import PROJECT

pytestmark = pytest.mark.timeout(1500)

NEXT = {"DATABASE": "debian:sid-slim", "POSTGRES_MAJOR": "18"}
"""The first release of Debian that has it; the one before is what docker-compose.yml names."""


@pytest.fixture(scope="module")
def compose(docker: Engine) -> Iterator[Compose]:
    """A project that runs on the version before, gone without a trace afterwards."""
    compose = Compose(docker)
    try:
        compose.build()
        compose.up()
        yield compose
    finally:
        compose.environment |= NEXT
        compose("down", "--volumes", "--rmi", "all", "--remove-orphans")


def upgraded(compose: Compose, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as whoever runs the machine gives it."""
    return subprocess.run(
        ["ops/upgrade-postgres.sh", *arguments],
        check=False,
        cwd=PROJECT,
        env=compose.environment | {"COMPOSE_PROJECT_NAME": compose.project, "COMPOSE_ENV_FILES": os.devnull},
        capture_output=True,
        text=True,
    )


def rows(compose: Compose) -> str:
    """Return the rows of the database, with its version."""
    asked = "show server_version; select id, kind from officials order by id; select username from users"
    psql = ("psql", "-h", "/tmp", "-U", "postgres", "-d", "hotline", "-Atc", asked)
    return compose("exec", "-T", "database", *psql)


def test_data_of_postgresql_17_waits_for_the_upgrade_command(
    compose: Compose,
) -> None:
    before, operator = rows(compose), ("operator1", compose.password_of("operator1"))
    compose.environment |= NEXT

    compose("build", "database")
    with pytest.raises(AssertionError, match=r"run ops/upgrade-postgres\.sh"):
        compose.up()
    done = upgraded(compose)
    assert done.returncode == 0, done.stdout + done.stderr
    after = rows(compose)

    assert before.startswith("17.") and after.startswith("18.")
    assert after.splitlines()[1:] == before.splitlines()[1:] and len(before.splitlines()) > 5
    assert compose.registrations(*operator) == []  # the application works with it
    assert "is there already" in upgraded(compose).stdout
    volume = ("exec", "-T", "database", "ls", "/var/lib/database")
    assert compose(*volume).split() == ["17", "18", "from-17.counts"]
    assert upgraded(compose, "--delete-old").returncode == 0
    assert compose(*volume).split() == ["18"]
