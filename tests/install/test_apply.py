"""A typo and a wrong change on a machine with the package: 137 goes on and says why."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.docker_engine import Engine
from tests.kit.installed import Machine, machine
from tests.kit.process import until

SERVICES = ("asterisk", "ivr", "dialer", "scheduler", "api")
FILE = "/etc/hotline137/hotline.env"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def server(docker: Engine, package_of: Callable[[str], Path]) -> Iterator[Machine]:
    """A machine on which the package is installed and works."""
    with machine(docker, "trixie") as made:
        made.put(package_of("trixie"), "/root/hotline137.deb")
        made("apt-get install -y --no-install-recommends /root/hotline137.deb < /dev/null")
        until(lambda: _is_well(made), "all is up", 120, every=1)
        yield made


@pytest.fixture(autouse=True)
def settings(server: Machine) -> Iterator[None]:
    """The file as it was, after each test."""
    server(f"cp -p {FILE} /root/kept.env")
    yield
    server(f"cp -p /root/kept.env {FILE}; systemctl restart hotline137.target")
    until(lambda: _is_well(server), "all is up again", 120, every=1)


def _is_well(server: Machine) -> bool:
    asked = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8137/readyz').status)"
    return server(f'python3 -c "{asked}" || true').strip().endswith("200")


def _processes(server: Machine) -> list[str]:
    return [server(f"systemctl show -P MainPID hotline137-{each}").strip() for each in SERVICES]


def _write(server: Machine, line: str) -> None:
    server(f"echo '{line}' >> {FILE}")


def _apply(server: Machine) -> str:
    """Return the output of the command, with its exit code as the last line."""
    return server("(hotline137 apply < /dev/null; echo $?)")


def test_restart_with_a_typo_goes_on_and_the_journal_says_why(server: Machine) -> None:
    _write(server, "HOTLINE_DESKS=many")

    server("systemctl restart hotline137.target")

    until(lambda: _is_well(server), "all is up", 120, every=1)
    said = server("journalctl -u hotline137-prepare -o cat -n 40 --no-pager")
    assert "REFUSED settings" in said and "HOTLINE_DESKS" in said
    assert "HOTLINE_DESKS" in server("hotline137 doctor --json || true")


def test_killed_process_returns_while_the_file_is_half_edited(server: Machine) -> None:
    _write(server, "HOTLINE_DESKS=many")
    killed = _processes(server)[1]
    server(f"kill -KILL {killed}")

    until(lambda: _processes(server)[1] not in (killed, "0"), "another ivr", 60)
    until(lambda: _is_well(server), "all is up", 60, every=1)


def test_apply_of_a_typo_touches_nothing(server: Machine) -> None:
    before = _processes(server)
    _write(server, "HOTLINE_DESKS=many")

    said = _apply(server)

    assert "HOTLINE_DESKS" in said and said.split()[-1] == "2"
    assert _processes(server) == before


def test_apply_of_a_change_leaves_asterisk_running(server: Machine) -> None:
    before = _processes(server)
    _write(server, "HOTLINE_DESKS=9")

    said = _apply(server)

    assert "HOTLINE_DESKS: not set → 9" in said and said.split()[-1] == "0", said
    after = _processes(server)
    assert after[0] == before[0] and not {*after[1:]} & {*before[1:]}
    assert json.loads(server("cat /var/lib/hotline137/settings/in-force/values.json"))["desks"] == "9"
    assert "nothing has changed" in _apply(server)


def test_apply_of_what_does_not_work_goes_back(server: Machine) -> None:
    _write(server, "HOTLINE_AGI=192.0.2.1:4573")  # no address of this machine

    said = _apply(server)

    assert "not well" in said and "in force again" in said and said.split()[-1] == "1", said
    until(lambda: _is_well(server), "all is up", 60, every=1)
    assert "192.0.2.1" in server(f"cat {FILE}")
    server("systemctl restart hotline137.target")
    until(lambda: _is_well(server), "all is up", 120, every=1)
    assert "did not work" in server("journalctl -u hotline137-prepare -o cat -n 40 --no-pager")
