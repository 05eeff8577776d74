"""A PostgreSQL server for the test run: its own folder, a free port, gone afterwards. Root is fine too."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Self

import psutil
import psycopg

from tests.kit.ports import free_port
from tests.kit.process import Program, ProgramError, folder_in_memory, need

_SAFE = ("fsync", "synchronous_commit", "full_page_writes")


class Postgres:
    """A server that forgets safety for speed. `create_database` gives the URL of a fresh database.

    `options` beside its own; what it `follows` makes it a standby. `safe`: on the disk, as a city's is.
    """

    def __init__(self, *, follows: Self | None = None, safe: bool = False, **options: object) -> None:
        self.port = free_port()
        safely: dict[str, object] = dict.fromkeys(_SAFE, "on") if safe else {}
        self._follows, self._more = follows, safely | options
        self._user = unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-")) if safe else folder_in_memory("pg-")
        # The kernel ends it with the thread that started it, so that must not be a thread of some test's.
        self._starter = ThreadPoolExecutor(1)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database `postgres`."""
        return self._url("postgres")

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database, dropping an old one of that name; its URL.

        `template` may be any database nobody is connected to: migrate one once, then copy it for each test.
        """
        with psycopg.connect(self._url("postgres", "postgresql"), autocommit=True) as admin:
            drop, create = 'DROP DATABASE IF EXISTS "{}" WITH (FORCE)', 'CREATE DATABASE "{}" TEMPLATE "{}"'
            admin.execute(drop.format(name).encode())
            admin.execute(create.format(name, template).encode())
        return self._url(name)

    def kill(self) -> None:
        """The server dies at once and all connections with it."""
        backends = psutil.Process(self._program.pid).children(recursive=True)
        self._program.stop(signal.SIGKILL)
        psutil.wait_procs(backends, timeout=10)  # until then they hold its memory, and no new one starts

    def stop(self) -> None:
        """The server is shut down as its administrator does it: every session ends."""
        self._program.stop(signal.SIGINT, patience=30)

    def frozen(self) -> AbstractContextManager[None]:
        """Within it all of the server's processes stand still: connections stay, and nobody answers."""
        return stands_still(self._program.pid)

    def end_connections(self) -> None:
        """Every session ends; the server stays."""
        with psycopg.connect(self._url("postgres", "postgresql"), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            )

    def start(self) -> None:
        """Start the server (again) and wait until it takes connections."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",
            "logging_collector": "off",
            "autovacuum": "off",  # tests.kit.reused_database does it
            "wal_level": "minimal",
            "max_wal_senders": 0,
            **self._more,
        }
        settings = [f"--{name}={value}" for name, value in options.items()]
        self._program = self._run([binary("postgres"), "-D", self._folder / "data", *settings])
        self._program.ready(self._answers)

    def __enter__(self) -> Self:
        try:
            if self._user:
                shutil.chown(self._folder, self._user)
            made = self._run(self._copied() if self._follows else self._made())
            if made.wait(60):
                raise ProgramError(f"{made.name}: {made.last_words()}")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_program"):
            self._program.stop(signal.SIGQUIT)
        self._starter.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _made(self) -> list[str | Path]:
        command: list[str | Path] = [binary("initdb"), "-D", self._folder / "data", "-U", "postgres"]
        return [*command, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"]

    def _copied(self) -> list[str | Path]:
        assert self._follows
        command: list[str | Path] = [binary("pg_basebackup"), "-D", self._folder / "data", "--no-sync"]
        source = ["-h", "127.0.0.1", "-p", str(self._follows.port), "-U", "postgres"]
        return [*command, *source, "--write-recovery-conf", "--checkpoint=fast"]

    def _run(self, command: list[str | Path]) -> Program:
        log = self._folder / "log"
        start = partial(Program, command, folder=self._folder, log=log, user=self._user, death="QUIT")
        return self._starter.submit(start).result()

    def _url(self, database: str, scheme: str = "postgresql+psycopg") -> str:
        return f"{scheme}://postgres@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres", "postgresql"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def stands_still(pid: int) -> Iterator[None]:
    """Within it the process and all that it has started are stopped."""
    first = psutil.Process(pid)
    first.suspend()  # it starts no others
    stopped = [first, *first.children(recursive=True)]
    for each in stopped[1:]:
        with suppress(psutil.NoSuchProcess):
            each.suspend()
    try:
        yield
    finally:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.resume()


def binary(name: str) -> str:
    """A server program of the newest installed version: Debian keeps them off the PATH."""
    homes = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(homes, key=lambda path: float(path.parent.parent.name), default=None)
    return str(newest) if newest else need(name, "postgresql")


def unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: who runs it instead."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
