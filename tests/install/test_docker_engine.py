"""The tests' own Docker engine, beside another one, and after its tests were killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.kit.docker_engine import Engine, docker_engine
from tests.kit.process import until

_WITHOUT = ("unshare", "--mount", "sh", "-c")
_REST = ' && exec "$@"'

_HELD = """
import sys
from tests.kit.docker_engine import docker_engine
with docker_engine(("trixie",)) as engine:
    print(engine.environment["DOCKER_HOST"], engine.network, flush=True)
    sys.stdin.read()
"""


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _processes(folder: Path) -> list[int]:
    found = psutil.process_iter(["pid", "cmdline"])
    return [each.info["pid"] for each in found if str(folder) in " ".join(each.info["cmdline"] or ())]


def _networks() -> list[str]:
    return [line.split()[3] for line in _run("ip", "-o", "-4", "address").splitlines()]


def _control_groups(container: str) -> list[Path]:
    top = Path("/sys/fs/cgroup")
    return [*top.glob(f"*/{container}"), *top.glob(f"*/*/{container}")]


def test_killed_test_run_leaves_nothing_of_its_engine() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        host, network = run.stdout.readline().split()
        folder = Path(host.removeprefix("unix://")).parent
        assert _processes(folder) and f"{network}.0.1/24" in _networks()
        assert f"-s {network}.0.0/16" in _run("iptables-save")

        run.send_signal(signal.SIGKILL)

        until(lambda: not folder.exists() and not _processes(folder), "all of it is removed", 90)
    assert f"{network}.0.1/24" not in _networks()
    assert network not in _run("iptables-save")


def test_killed_parent_leaves_nothing_after_the_next_engine() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        host, network = run.stdout.readline().split()
        folder = Path(host.removeprefix("unix://")).parent
        [parent] = psutil.Process(run.pid).children()
        sleeps = ("run", "--detach", "debian:trixie-slim", "sleep", "999")
        container = _run("docker", "--host", host, *sleeps).strip()
        assert _control_groups(container)

        parent.kill()

        until(lambda: not _processes(folder), "all its processes end", 30)
        run.kill()
    with docker_engine(()):
        assert not folder.exists() and not _control_groups(container)
        assert _run("iptables-save").count(f"-s {network}.0.0/16 ! ") <= 1
    assert network not in _run("iptables-save")


def test_second_engine_has_addresses_of_its_own(docker: Engine) -> None:
    with docker_engine(()) as other:
        ours = [_addresses(engine) for engine in (docker, other)]

        assert docker.network != other.network
        assert ours == [f"{docker.network}.0.0/24", f"{other.network}.0.0/24"]
    assert _addresses(docker) == ours[0]  # the end of one is not the end of the other


def _addresses(engine: Engine) -> str:
    asked = ("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    done = subprocess.run(
        asked, check=True, env=os.environ | engine.environment, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("without", "named"),
    [
        (("setpriv", "--reuid=65534", "--clear-groups"), "root"),
        (("setpriv", "--bounding-set=-sys_admin"), "control groups|right to make a bridge"),
        (("setpriv", "--bounding-set=-net_admin"), "the right to change the packet filter"),
        (
            (*_WITHOUT, f"umount --recursive /sys/fs/cgroup{_REST}", "sh"),
            "control groups that may be written",
        ),
        (
            (
                *_WITHOUT,
                "export TMPDIR=/mnt; "
                f"for each in /dev/shm /mnt; do mount -t tmpfs -o size=64m none $each; done{_REST}",
                "sh",
            ),
            r"8 GB for images in /mnt \(0.1 are free\)",
        ),
        (("unshare", "--net"), "a container here reads no packages"),
    ],
    ids=["root", "sys_admin", "net_admin", "control groups", "room", "network"],
)
def test_lack_of_a_machine_is_named_in_one_line(docker: Engine, without: tuple[str, ...], named: str) -> None:
    """`docker` has made the images, so that the machine without a network has them."""
    said = _run(*without, sys.executable, "-m", "tests.kit.docker_engine")

    [line] = said.splitlines()
    assert re.search(named, line), line
