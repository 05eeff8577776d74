"""PostgreSQL under Patroni, with etcd, as the samples in ops/postgresql say: on this machine's free ports.

Their certificates are those that ops/postgresql/certificates.sh makes.
"""

import json
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import psutil

from tests.kit.ports import free_port
from tests.kit.postgres import binary, stands_still, unprivileged
from tests.kit.process import Program, folder_in_memory, need, until

SAMPLES = Path(__file__).parents[2] / "ops" / "postgresql"
ETCDS, SERVERS = ("etcd1", "etcd2", "etcd3"), ("pg1", "pg2")
ROLES = {"superuser": ("postgres", "change-me-1"), "replication": ("replicator", "change-me-2")}
_READY_S = 90.0


class Cluster:
    """Three etcd, and two PostgreSQL of which one is the primary."""

    def __init__(self, *, ttl: int | None = None) -> None:
        """`ttl`: for so many seconds a primary may be silent; None: as the sample says."""
        self._ttl = ttl
        self._folder = folder_in_memory("patroni-")
        self._user = unprivileged()
        self._ports: dict[str, int] = {}
        self._running: dict[str, Program] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            (self._folder / "sockets").mkdir()
            certificates(self.tls, *ETCDS, *SERVERS)
            for each in (self._folder, self._folder / "sockets", self.tls, *self.tls.rglob("*")):
                self._give(each)
            for name in ETCDS:
                self._start_etcd(name)
            for name in SERVERS:
                self.start(name)
            until(self.is_whole, "a primary, and a synchronous standby", _READY_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in SERVERS:
            self.kill(name)
        for each in self._running.values():
            each.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def tls(self) -> Path:
        """Return the folder of certificates.sh: one for each machine, and `ca`."""
        return self._folder / "tls"

    @property
    def ports(self) -> str:
        """Return the ports of PostgreSQL, as libpq takes them."""
        return ",".join(str(self._port(name, 5432)) for name in SERVERS)

    def url(self, database: str) -> str:
        """Return the URL of both servers."""
        user = "postgresql+psycopg://postgres:change-me-1"
        checked = f"sslmode=verify-full&sslrootcert={self.tls / 'ca' / 'ca.crt'}"
        return f"{user}@/{database}?host=127.0.0.1,127.0.0.1&port={self.ports}&{checked}"

    def address(self, name: str, port: int) -> tuple[str, int]:
        """Return the address here of that machine's port."""
        return "127.0.0.1", self._port(name, port)

    def trusting(self, name: str = "") -> ssl.SSLContext:
        """Return the context of a client that trusts the city's CA and shows that machine's certificate, if
        any.
        """
        context = ssl.create_default_context(cafile=self.tls / "ca" / "ca.crt")
        if name:
            context.load_cert_chain(self.tls / name / "machine.crt", self.tls / name / "machine.key")
        return context

    def primary(self) -> str:
        """The name of the one that Patroni holds for it; "" while there is none."""
        return next((name for name, role in self._roles().items() if role == "leader"), "")

    def is_whole(self) -> bool:
        """Whether every commit is on both."""
        return sorted(self._roles().values()) == ["leader", "sync_standby"]

    def start(self, name: str) -> None:
        """Start a PostgreSQL, by its Patroni."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        self._give(folder)
        changes = {
            "/var/lib/postgresql/.pgpass-patroni": str(folder / "pgpass"),
            "/var/lib/postgresql/hotline": str(folder / "data"),
            "/usr/lib/postgresql/17/bin": str(Path(binary("postgres")).parent),
            "/var/run/postgresql": str(self._folder / "sockets"),
            "/etc/patroni/tls": str(self.tls / name),
            "mode: required": "mode: 'off'",
            "local all postgres peer": "local all all trust",
        }
        if self._ttl is not None:
            changes["ttl: 20"] = f"ttl: {self._ttl}"
        file = self._folder / f"{name}.yml"
        file.write_text(self._here((SAMPLES / "patroni.yml").read_text(), "pg1", name, changes))
        self._run(name, [need("patroni", "patroni"), file])

    def kill(self, name: str) -> None:
        """The machine dies: PostgreSQL and its Patroni are gone at once."""
        if name in self._running:
            dead = self._processes(name)
            for each in dead:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            self._running.pop(name).stop(signal.SIGKILL)
            psutil.wait_procs(dead, timeout=10)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """The machine hangs: nothing of it moves, and its kernel still takes what comes."""
        with ExitStack() as still:
            for pid in (self._running[name].pid, self._postmaster(name)):
                still.enter_context(stands_still(pid))
            yield

    def kill_etcd(self, name: str) -> None:
        """One of three."""
        self._running.pop(name).stop(signal.SIGKILL)

    def start_etcd(self, name: str) -> None:
        """Back, with what it had."""
        self._start_etcd(name)

    def switch_over(self) -> None:
        """Switch over as an administrator does."""
        command = [need("patronictl", "patroni"), "-c", self._folder / "pg1.yml", "switchover", "hotline137"]
        subprocess.run([*command, "--primary", self.primary(), "--force"], check=True, capture_output=True)

    def _start_etcd(self, name: str) -> None:
        text = (SAMPLES / "etcd.env").read_text().replace("0.0.0.0", "etcd1.city.example")
        text = self._here(text, "etcd1", name, {"/etc/etcd/tls": str(self.tls / name)})
        lines = [line.partition("=") for line in text.splitlines() if line.startswith("ETCD_")]
        env = {key: value for key, _, value in lines} | {"ETCD_DATA_DIR": str(self._folder / name)}
        self._run(name, [need("etcd", "etcd-server"), "--unsafe-no-fsync"], **env)

    def _run(self, name: str, command: list[Any], **more: str) -> None:
        log = self._folder / f"{name}.log"
        env = {"HOME": str(self._folder)} | more  # libpq looks there for certificates
        self._running[name] = Program(command, folder=self._folder, log=log, user=self._user, env=env)

    def _give(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user)

    def _here(self, text: str, sample: str, name: str, changes: dict[str, str]) -> str:
        """A sample of one machine, for another one, which is this machine."""
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        kept = "ETCD_INITIAL_CLUSTER="
        lines = [each if each.startswith(kept) else each.replace(sample, name) for each in text.splitlines()]
        text = "\n".join(lines)
        for host in (*ETCDS, *SERVERS):
            for port in (2379, 2380, 8008, 5432):
                text = text.replace(f"{host}.city.example:{port}", f"127.0.0.1:{self._port(host, port)}")
        assert "city.example" not in text
        return text

    def _port(self, host: str, port: int) -> int:
        return self._ports.setdefault(f"{host}:{port}", free_port())

    def _roles(self) -> dict[str, str]:
        for name in SERVERS:
            with suppress(OSError, ValueError):
                url = f"https://127.0.0.1:{self._port(name, 8008)}/cluster"
                with urlopen(url, timeout=2, context=self.trusting(name)) as answer:
                    members = json.load(answer)["members"]
                return {each["name"]: each["role"] for each in members if each["state"] in _WORKS}
        return {}

    def _postmaster(self, name: str) -> int:
        return int((self._folder / name / "data" / "postmaster.pid").read_text().split("\n")[0])

    def _processes(self, name: str) -> list[psutil.Process]:
        found = [psutil.Process(self._running[name].pid)] if self._running[name].alive() else []
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            found.append(psutil.Process(self._postmaster(name)))
        return [*found, *(child for each in found for child in each.children(recursive=True))]


def certificates(folder: Path, *machines: str) -> None:
    """Make the certificates as a city does."""
    subprocess.run([SAMPLES / "certificates.sh", folder, *machines], check=True, capture_output=True)


_WORKS = ("running", "streaming")
