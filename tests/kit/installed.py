"""A machine of its own, with systemd as its first process, on which a package is installed: a container."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.docker_engine import Engine, make_image
from tests.kit.ports import free_port, free_range
from tests.kit.process import until
from tests.kit.system import SHARED

_ROOT = Path(__file__).parents[2]
_BASE = "systemd,systemd-sysv,dbus,util-linux,procps,openssh-client,iproute2"
"""The packages of every server; neither Python nor anything else of ours."""


def built(script: str, suite: str, folder: Path, **environment: str) -> Path:
    """Return what ops/deb/build.sh or ops/bundle/build.sh makes for that release, fast instead of small.

    The package carries the Asterisk that all tests of this checkout share.
    """
    ours = {"OUT": str(folder), "LEVEL": "1", "ASTERISK_ROOT": str(SHARED / "asterisk-root")}
    done = subprocess.run(
        [script, suite],
        check=False,
        cwd=_ROOT,
        env=os.environ | ours | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.splitlines()[-1])


class Machine:
    """A running one; its ports for phones and browsers are published on this machine's loopback."""

    def __init__(self, engine: Engine, suite: str, *, offline: bool = False) -> None:
        """`offline`: no route leads out of it; who asks it something is answered."""
        self.suite, self._offline = suite, offline
        self.sip, self.http, self.rtp = free_port(), free_port(), free_range(20)
        self.network = f"{engine.network}.0.0/24"
        """From where whoever dials a published port is seen to come."""
        self._engine = engine
        self._name = f"hotline137-{suite}-{os.getpid()}"

    def docker(self, *arguments: str | Path) -> str:
        """Run docker; its output, or a failure that shows it."""
        done = subprocess.run(
            ["docker", *arguments],
            check=False,
            env=os.environ | self._engine.environment,
            capture_output=True,
        )
        said, failed = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}:\n{said[-6000:]}\n{failed[-6000:]}"
        return said

    def __call__(self, command: str) -> str:
        """Return the output of a shell as root without a terminal. Raise with the output on failure."""
        return self.docker(
            "exec", "-e", "DEBIAN_FRONTEND=readline", self._name, "sh", "-c", f"{command} 2>&1"
        )

    def put(self, file: Path, to: str) -> None:
        """Copy a file to it."""
        self.docker("cp", file, f"{self._name}:{to}")

    def fetch(self, path: str, to: Path) -> None:
        """Copy a file or folder from it."""
        self.docker("cp", f"{self._name}:{path}", to)

    def start(self) -> None:
        """Make it of its release's own packages, and wait until systemd has booted."""
        image = f"hotline137-machine:{self.suite}"
        make_image(self._engine.environment, self.suite, image, include=_BASE)
        published = (f"{self.sip}:{self.sip}/udp", f"{self.http}:8137", f"{self.rtp}:{self.rtp}/udp")
        ports = [word for each in published for word in ("-p", f"127.0.0.1:{each}")]
        self.docker(
            *("run", "--detach", "--name", self._name, "--privileged", "--cgroupns=private"),
            *("--tmpfs", "/run", "--tmpfs", "/run/lock", *ports, image, "/sbin/init"),
        )
        until(lambda: self("systemctl is-system-running || true").strip() in _BOOTED, "it has booted", 60)
        self("ip route del default" if self._offline else "apt-get update -qq")

    def stop(self) -> None:
        """Leave nothing of it."""
        self.docker("rm", "--force", "--volumes", self._name)


_BOOTED = ("running", "degraded")
"""A container has no kernel modules to load: of all that has failed here, nothing is ours."""


@contextmanager
def machine(engine: Engine, suite: str, *, offline: bool = False) -> Iterator[Machine]:
    """One of this release of Debian, gone without a trace afterwards."""
    made = Machine(engine, suite, offline=offline)
    try:
        made.start()
        yield made
    finally:
        made.stop()
