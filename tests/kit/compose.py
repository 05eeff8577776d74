"""`docker compose up` of this checkout: a project of its own name, ports and network."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import httpx

from tests.kit.docker_engine import Engine
from tests.kit.ports import free_port, free_range
from tests.kit.system import PROJECT

PIDS = """
import pathlib, sys
for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        words = line.read_bytes().decode().split("\\0")[:-1]
    except OSError:  # it has just ended
        continue
    if words == sys.argv[1:]:
        print(line.parent.name)
"""
"""Asked inside a container: whose command line is exactly this? Never the one that asks."""
_BUILDS = 3
_AWAY = re.compile(r"Unable to connect|Failed to fetch|ConnectTimeout|ReadTimeout|ETIMEDOUT|ECONNREFUSED")
"""Words of apt, pip and npm about a registry that is away."""
_WORKERS = 8
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_NETWORKS = itertools.cycle(range(1 + _WORKER % _WORKERS, 128, _WORKERS))
"""The third number of a project's addresses; the engine's bridge has 0. Workers that share it have others."""


class Compose:
    """A project of its own name, ports and network; nothing of the machine's own settings reaches it."""

    def __init__(self, docker: Engine, **settings: str) -> None:
        self.project = f"hotline137-test-{os.getpid()}"
        self.sip, self._http = free_port(), free_port()
        self.subnet = f"{docker.network}.{next(_NETWORKS)}.0/28"
        own = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
        self.environment = (
            own
            | docker.environment
            | {
                "HOTLINE_SIP_PORT": str(self.sip),
                "HOTLINE_HTTP_PORT": str(self._http),
                "HOTLINE_WEBSOCKET_PORT": str(free_port()),
                "HOTLINE_RTP_PORTS": str(free_range(20)),
                "HOTLINE_MAX_CALLS": "4",
                "HOTLINE_CALLS_AT_ONCE": "2",
                "HOTLINE_DESKS": "4",
                "HOTLINE_SAMPLE": "1",
                "HOTLINE_BROWSER_PHONE": "1",  # a trial, whose accounts keep the passwords they are given
                "HOTLINE_SUBNET": self.subnet,
                "BUILD": "abc1234",
            }
            | settings
        )

    def docker(self, *arguments: str | Path) -> str:
        """Run docker; its output, or a failure that shows it."""
        done = subprocess.run(
            ["docker", *arguments],
            check=False,
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        said = f"{' '.join(map(str, arguments))}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        assert done.returncode == 0, said
        return done.stdout

    def __call__(self, *arguments: str | Path) -> str:
        """Run docker compose."""
        return self.docker("compose", "--env-file", os.devnull, "-p", self.project, *arguments)

    def build(self) -> None:
        """Build the images. While a registry is away the build is tried again, three times in all."""
        for tried in range(1, _BUILDS + 1):
            try:
                self("build")
                return
            except AssertionError as error:
                if tried == _BUILDS or not _AWAY.search(str(error)):
                    raise

    def up(self) -> None:
        """Start everything and wait until every healthcheck is content."""
        try:
            self("up", "--detach", "--wait")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self('logs', '--no-color', '--tail', '50')}") from None

    def password_of(self, username: str) -> str:
        """The password that was shown when the sample accounts were made."""
        log = self("logs", "--no-log-prefix", "prepare")
        found = re.search(rf"{username} +(\S+)", log)
        assert found, log
        return found[1]

    def registrations(self, username: str, password: str) -> list[dict[str, object]]:
        """The mayor's line, as the desk's page gets it."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self._http}/api/v1", timeout=60) as api:
            signed_in = api.post("/session", json={"username": username, "password": password})
            signed_in.raise_for_status()
            return list(api.get("/rounds/1/registrations").raise_for_status().json()["items"])

    def works(self, service: str) -> bool:
        """Whether /healthz says so, with all that an insider sees."""
        try:
            return bool(httpx.get(f"http://127.0.0.1:{self._http}/healthz").json().get(service) == "up")
        except httpx.HTTPError:
            return False

    def kept(self, service: str) -> str:
        """The id of the process that the container's parent keeps; empty while there is none."""
        [container] = json.loads(self.docker("inspect", self("ps", "--quiet", service).strip()))
        command = container["Config"]["Cmd"]
        kept = command[command.index("ops.process_parent") + 2 :]
        return self("exec", "-T", service, "python3", "-c", PIDS, *kept).strip()

    def containers(self) -> list[dict]:
        """Return docker's description of every container of the project."""
        ids = self("ps", "--all", "--quiet").split()
        return list(json.loads(self.docker("inspect", *ids))) if ids else []
