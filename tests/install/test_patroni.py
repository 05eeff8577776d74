"""Registrations by the rules and by the API while PostgreSQL fails over.

Patroni and three etcd run by the samples that we ship, and so do all our processes.
"""

import json
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import httpx
import psycopg
import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import DBAPIError

from api.my.signed_in import ACCESS
from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import CitizenSession
from hotline import heartbeats
from hotline.citizens import sessions
from settings import Settings, load
from settings.addresses import Address
from tests.factories import a_number, a_round
from tests.kit.patroni import ETCDS, ROLES, SERVERS, Cluster, certificates
from tests.kit.ports import free_port
from tests.kit.process import Program, slowness, until
from tests.kit.registering import Callers
from tests.kit.served import served

pytestmark = pytest.mark.timeout(600)

RECOVERED_S = 30.0
_PEOPLE = 4_000
_WHOLE_S = 120.0
_OTHERS = ("ivr", "dialer", "scheduler")
_ADDRESSES = ("http", "agi", "ami", "sip", "asterisk_http")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        url = running.url("postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True, target_session_attrs="read-write") as admin:
            admin.execute("CREATE DATABASE hotline TEMPLATE template0")
        yield running


def asked(cluster: Cluster, machine: str, port: int, path: str, context: ssl.SSLContext | None) -> str:
    """Return the answer; "" if nobody answers. Without `context` the request is in the clear."""
    host, here = cluster.address(machine, port)
    scheme = "https" if context else "http"
    try:
        with urlopen(f"{scheme}://{host}:{here}{path}", timeout=10, context=context) as answer:
            return str(answer.read().decode())
    except (OSError, HTTPException):
        return ""


@pytest.mark.parametrize(
    ("machine", "port", "path", "knows"),
    [
        ("etcd2", 2379, "/health", "health"),
        ("etcd2", 2380, "/members", "clientURLs"),
        ("pg2", 8008, "/cluster", "members"),
    ],
)
def test_cluster_port_without_a_city_certificate_is_silent(
    cluster: Cluster, tmp_path: Path, machine: str, port: int, path: str, knows: str
) -> None:
    certificates(tmp_path / "elsewhere", "pg1")
    strange, theirs = cluster.trusting(), tmp_path / "elsewhere" / "pg1"
    strange.load_cert_chain(theirs / "machine.crt", theirs / "machine.key")

    answers = [asked(cluster, machine, port, path, each) for each in (None, cluster.trusting(), strange)]

    assert answers == ["", "", ""]
    assert knows in json.dumps(json.loads(asked(cluster, machine, port, path, cluster.trusting("pg1"))))


@pytest.mark.parametrize("role", ROLES)
def test_password_in_the_clear_or_to_another_server_is_refused(
    cluster: Cluster, tmp_path: Path, role: str
) -> None:
    certificates(tmp_path / "elsewhere", "pg1")
    user, password = ROLES[role]
    ours, others = cluster.tls / "ca" / "ca.crt", tmp_path / "elsewhere" / "ca" / "ca.crt"

    def session(server: str, **how: object) -> bool:
        host, port = cluster.address(server, 5432)
        replication = {"replication": "database"} if role == "replication" else {}
        given = {"host": host, "hostaddr": host, "port": port, "user": user, "password": password, **how}
        with psycopg.connect(dbname="postgres", **given, **replication) as made:
            return made.pgconn.ssl_in_use

    for server in SERVERS:
        assert session(server, sslmode="verify-full", sslrootcert=ours)
        for words, how in (
            ("no encryption", {"sslmode": "disable"}),
            ("verify failed", {"sslmode": "verify-full", "sslrootcert": others}),
            ("does not match", {"sslmode": "verify-full", "sslrootcert": ours, "host": "pg9.city.example"}),
        ):
            with pytest.raises(psycopg.OperationalError, match=words):
                session(server, **how)


def test_standby_replicates_over_tls(cluster: Cluster) -> None:
    with psycopg.connect(
        cluster.url("postgres").replace("+psycopg", ""), target_session_attrs="read-write"
    ) as admin:
        found = admin.execute("SELECT usename, ssl FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)")

        assert found.fetchall() == [("replicator", True)]


def _signed_in(number: str, at: datetime) -> dict[str, object]:
    until_ = at + timedelta(hours=1)
    return {
        **{"id": sessions._hash(number)[:32], "number": number, "agent": "", "created_at": at},
        **{"access_hash": sessions._hash(f"of{number}"), "access_until": until_},
        **{"refresh_hash": sessions._hash(f"again {number}"), "rotated_at": at, "expires_at": until_},
    }


@contextmanager
def working(settings: Settings, folder: Path) -> Iterator[None]:
    """Our other processes, without anybody who would start one anew; there is no Asterisk."""
    names = ("state_dir", "database_url", "agi", "ami", "sip", "http", "asterisk_http")
    env = {f"HOTLINE_{name.upper()}": str(getattr(settings, name)) for name in names} | {
        "HOTLINE_ENV_FILE": ""
    }
    with ExitStack() as running:
        for name in _OTHERS:
            command = [sys.executable, "-m", "ops.process", name]
            running.enter_context(Program(command, folder=ROOT, log=folder / name, env=env))
        yield


def work_goes_on(engine: Engine) -> bool:
    """Whether each of them has said so within some seconds."""
    with suppress(DBAPIError), reading(engine) as session:
        return all(heartbeats.is_alive(session, name) for name in _OTHERS)
    return False


def by_the_api(url: str, round_id: int, people: list[str]) -> Callable[[], tuple[str, str] | None]:
    """Citizens who take a place in their browsers, each until the API says that they have it."""
    client = httpx.Client(base_url=url, timeout=20.0)
    left = iter(people)
    asking = [next(left)]

    def ask() -> tuple[str, str] | None:
        number = asking[0]
        try:
            answer = client.post(
                "/api/v1/my/places", json={"round_id": round_id}, headers={"Cookie": f"{ACCESS}=of{number}"}
            )
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            assert answer.json()["code"] == "database-unavailable"
            return None
        assert answer.status_code in (200, 201), answer.text
        asking[0] = next(left)
        return number, answer.json()["ticket"]

    return ask


def test_failover_of_any_kind_loses_no_registration(cluster: Cluster, tmp_path: Path) -> None:
    engine = connect(cluster.url("hotline"))
    upgrade(engine)
    people = [a_number() for _ in range(_PEOPLE)]
    with writing(engine) as session:
        round_id, at = a_round(session).id, now(session)
        session.execute(insert(CitizenSession), [_signed_in(number, at) for number in people])
    settings = load(
        **{"_env_file": None, "state_dir": tmp_path / "state"},
        **{
            name: Address("127.0.0.1", free_port()) for name in ("http", "agi", "ami", "sip", "asterisk_http")
        },
        database_url=cluster.url("hotline"),
    )
    pauses: dict[str, float] = {}
    with (
        served(settings) as url,
        working(settings, tmp_path),
        Callers(engine, round_id, way=by_the_api(url, round_id, people)) as callers,
    ):
        until(lambda: work_goes_on(engine), "all work", _WHOLE_S)

        def during(what: str, since: float) -> None:
            callers.go_on(2 * RECOVERED_S)
            pauses[what] = callers.longest_pause(since)
            until(lambda: work_goes_on(engine), f"all work after this: {what}", RECOVERED_S * slowness())

        since = time.monotonic()
        cluster.kill_etcd(ETCDS[0])
        time.sleep(5)  # longer than a turn of Patroni's
        during("etcd member killed", since)
        cluster.start_etcd(ETCDS[0])

        since = time.monotonic()
        cluster.switch_over()
        during("switchover", since)
        until(cluster.is_whole, "both are there after a switchover", _WHOLE_S)

        dead, since = cluster.primary(), time.monotonic()
        cluster.kill(dead)
        during("primary killed", since)
        cluster.start(dead)
        until(cluster.is_whole, "both are there after a death", _WHOLE_S)

        hung, since = cluster.primary(), time.monotonic()
        with cluster.frozen(hung):
            during("primary hung", since)
        until(cluster.is_whole, "both are there after a rest", _WHOLE_S)
        assert cluster.primary() != hung
        callers.go_on(RECOVERED_S)
        callers.assert_nothing_is_lost()
    engine.dispose()
    assert pauses["etcd member killed"] < 5, pauses
    assert max(pauses.values()) <= RECOVERED_S * slowness(), pauses
