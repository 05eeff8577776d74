"""docker-compose.scale.yml, running: what its phones and desks need on this machine; how its parts die."""

import json
import re
import shutil
import time
from contextlib import suppress
from typing import Self

import httpx
from sqlalchemy.exc import DBAPIError

from db.engine import connect, reading
from db.models import Desk, Round
from hotline.nodes import administration
from tests.kit.compose import Compose
from tests.kit.docker_engine import Engine
from tests.kit.official import Official
from tests.kit.operator import ROOM
from tests.kit.phone import Account, Phone
from tests.kit.ports import free_port
from tests.kit.process import folder_in_memory, until
from tests.kit.system import System, settings_of

NODES = {
    "one": ("asterisk", "ivr", "dialer"),
    "two": ("asterisk-two", "ivr-two", "dialer-two"),
}
SERVERS = ("pg1", "pg2")
_PHONE_AGAIN_S = 2.0


class Project(Compose):
    """Both files, on ports and a network of its own."""

    def __init__(self, docker: Engine, **settings: str) -> None:
        super().__init__(
            docker,
            COMPOSE_FILE="docker-compose.yml:docker-compose.scale.yml",
            HOTLINE_WEBSOCKET_PORT_TWO=str(free_port()),
            HOTLINE_RTP_PORTS="10000-10199",  # of the nodes' own addresses
            HOTLINE_MAX_CALLS="20",
            HOTLINE_CALLS_AT_ONCE="10",
            HOTLINE_DESKS="20",
            HOTLINE_SECOND_FACTOR_ROLES="",
            **settings,
        )
        self.network = self.subnet.rpartition(".")[0]
        self.environment["HOTLINE_NETWORK"] = self.network
        self.gateway = f"{self.network}.1"
        """This machine, as the containers see it."""

    def kill(self, *services: str) -> None:
        """They are gone at once, and stay away."""
        self("kill", *services)

    def crash(self, service: str) -> None:
        """It dies by itself: the engine starts it again."""
        with suppress(AssertionError):  # whoever asked for it dies with it
            self("exec", "-T", service, "sh", "-c", "kill -9 -1")

    def start(self, *services: str) -> None:
        """Start them again."""
        self("start", *services)

    def roles(self) -> dict[str, str]:
        """Return the role of each PostgreSQL by Patroni."""
        ask = ("patronictl", "-c", "/tmp/patroni.yml", "list", "--format", "json")
        for name in SERVERS:
            with suppress(AssertionError, ValueError):  # it is dead, or not yet there
                found = json.loads(self("exec", "-T", name, *ask))
                return {each["Member"]: each["Role"] for each in found if each["State"] in _WORKS}
        return {}

    def is_whole(self) -> bool:
        """Whether every commit is on both."""
        return sorted(self.roles().values()) == ["Leader", "Sync Standby"]


_WORKS = ("running", "streaming")


class Scale(System):
    """The running project as the tests know a system: its engine, its settings, rounds and desks.

    What is dialled is Kamailio.
    """

    def __init__(self, docker: Engine) -> None:
        self.trunk_port = free_port()
        self._numbers = iter(range(1, 10_000))
        self._said = {
            "HOTLINE_RING_SECONDS": "10",
            "HOTLINE_ANSWER_SECONDS": "2",
            "HOTLINE_RETRY_SECONDS": "0",
            "HOTLINE_QUIET_HOURS": "00:00-00:00",
            "HOTLINE_CALLS_PER_NUMBER": "100",
            "HOTLINE_CALLS_PER_HOUR": "10000",
            "HOTLINE_CALLS_PER_DAY": "10000",
        }
        self.project = Project(docker, **self._said)
        self.phones_at = self.project.gateway
        self.project.environment["HOTLINE_SAMPLE_TRUNK"] = (
            f"{self.phones_at}:{self.trunk_port} {self.phones_at}"
        )

    def __enter__(self) -> Self:
        self._folder = folder_in_memory("hotline-scale-", 1 << 28)
        try:
            self.project.build()
            self.project.up()
            inside = ("exec", "-T", "api", "cat")
            (self._folder / "secret").write_text(self.project(*inside, "/var/lib/hotline137/secret"))
            ca = self._folder / "ca.crt"
            ca.write_text(self.project(*inside, "/run/database-key/ca.crt"))
            (self._folder / "prompts").mkdir()
            self.project("cp", "api:/var/lib/hotline137/prompts/fa", self._folder / "prompts")
            password = self.project(*inside, "/run/database-key/pgpass").split(":", 4)[4].split()[0]
            hosts = ",".join(f"{self.project.network}.{last}" for last in (24, 25))
            self.settings = settings_of(
                self._said
                | {
                    "HOTLINE_STATE_DIR": str(self._folder),
                    "HOTLINE_SIP": f"{self.project.network}.10:5060",
                    "HOTLINE_DATABASE_URL": f"postgresql+psycopg://hotline:{password}@/hotline"
                    f"?host={hosts}&port=5432,5432&sslmode=verify-full&sslrootcert={ca}",
                }
            )
            self.engine = connect(self.settings.database)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
        self.project("down", "--volumes", "--rmi", "all", "--remove-orphans")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Caddy's."""
        return f"http://127.0.0.1:{self.project.environment['HOTLINE_HTTP_PORT']}"

    def states(self) -> dict[str, str]:
        """Each node's, as its people see it."""
        with reading(self.engine) as session:
            return {each.name: each.state for each in administration.list_all(session)}

    def taken(self, node: str) -> int:
        """How many calls the node's Asterisk has had."""
        config = "/var/lib/hotline137" + {"one": "", "two": "/nodes/two"}[node]
        said = self.project(
            *("exec", "-T", NODES[node][0], "asterisk", "-C", f"{config}/asterisk/etc/asterisk.conf"),
            *("-rx", "core show calls"),
        )
        found = re.search(r"(\d+) calls? processed", said)
        assert found, said
        return int(found[1])

    def kill_node(self, name: str) -> str:
        """Its power goes; gives the address that it had."""
        self.project.kill(*NODES[name])
        return f"{self.project.network}.{11 if name == 'one' else 12}"


class FarOfficial(Official):
    """An official whose SIP phone goes to the node on which their round lives, as a page's does by itself."""

    system: Scale

    def __enter__(self) -> "FarOfficial":
        self.desk = self.system.operator()
        account = Account(*self.desk.account_at(self._server()))
        self.phone = Phone(account=account, host=self.system.phones_at)
        self.phone.__enter__()
        self._begin()
        return self

    def phone_there(self) -> bool:
        """Whether the phone is in its room, where its round lives; if not it dials where the API says."""
        try:
            with reading(self.system.engine) as session:
                desk = session.get_one(Desk, self.desk.desk)
                round_ = desk.round_id and session.get(Round, desk.round_id)
                if desk.phone_connected and (not round_ or round_.node in (None, desk.node)):
                    return True
            if time.monotonic() - self._dialled_at > _PHONE_AGAIN_S:
                self._dialled_at = time.monotonic()
                self.phone.hangup()
                self.phone.dial(f"sip:{ROOM}@{self._server()}")
        except (DBAPIError, httpx.HTTPError):
            pass
        return False

    def _server(self) -> str:
        said = self.desk.http.post("/desk/phone/account")
        return str(said.raise_for_status().json()["server"])

    def next_talk(self, since: float, timeout: float) -> float:
        """When the first conversation began since then."""
        found: list[float] = []

        def begun() -> bool:
            found[:] = [talk.since for talk in list(self.talks) if talk.since > since]
            return bool(found)

        until(begun, "the round goes on", timeout, every=0.1)
        return found[0]
