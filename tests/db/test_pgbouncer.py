"""pgBouncer in session mode, as our sample has it: rules, events and the dialer's lock go by it, by TLS."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from db import events
from db.engine import connect, reading, writing
from dialer.leader import LeaderOfAll, depose, is_led_by
from hotline.line import registration
from tests.factories import a_number, a_round
from tests.kit.patroni import certificates
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres, unprivileged
from tests.kit.process import Program, folder_in_memory, need, until

SAMPLE = Path(__file__).parents[2] / "ops" / "postgresql" / "pgbouncer.ini"

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


SERVER, BOUNCER = "pg1.city.example", "pgbouncer.city.example"


def alter(postgres: Postgres, *changes: str) -> None:
    """Change how the server is set up; whoever connects from now on finds it so."""
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as server:
        for each in changes:
            server.execute(f"ALTER SYSTEM {each}".encode())
        server.execute("SELECT pg_reload_conf()")


@contextmanager
def by_tls(postgres: Postgres, folder: Path) -> Iterator[None]:
    """Within it the server has this certificate, and shows it to whoever asks for TLS."""
    options = {"ssl": "on", "ssl_cert_file": folder / "machine.crt", "ssl_key_file": folder / "machine.key"}
    alter(postgres, *(f"SET {name} = '{value}'" for name, value in options.items()))
    try:
        yield
    finally:
        alter(postgres, *(f"RESET {name}" for name in options))


class Bounced(NamedTuple):
    """A pgBouncer before the database."""

    url: str
    said: Path


@pytest.fixture
def bounced(database: str, postgres: Postgres) -> Iterator[Bounced]:
    """Run pgBouncer with the sample's configuration."""
    name = database.rpartition("/")[2]
    mine, folder, user = free_port(), folder_in_memory("pgbouncer-"), unprivileged()
    tls = folder / "tls"
    certificates(tls, f"{SERVER},127.0.0.1", f"{BOUNCER},127.0.0.1")
    text = SAMPLE.read_text()
    for old, new in {
        f"host={SERVER} port=5432 dbname=hotline": f"host=127.0.0.1 port={postgres.port} dbname={name}",
        f"listen_addr = {BOUNCER}": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {mine}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "hotline = host": "hotline = user=postgres host",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        "/etc/pgbouncer/tls": str(tls / BOUNCER),
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "pgbouncer.ini").write_text(text)
    if user:
        for own in (folder, *folder.rglob("*")):
            shutil.chown(own, user)
    command = [need("pgbouncer", "pgbouncer"), folder / "pgbouncer.ini"]
    checked = f"sslmode=verify-full&sslrootcert={tls / 'ca' / 'ca.crt'}"
    url = f"postgresql+psycopg://postgres@127.0.0.1:{mine}/hotline?{checked}"

    def answers() -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
            return True
        return False

    program = Program(command, folder=folder, log=folder / "log", user=user)
    try:
        with by_tls(postgres, tls / SERVER):
            program.ready(answers)
            yield Bounced(url, program.log)
    finally:
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_pgbouncer_keeps_registration_reading_and_leadership(
    bounced: Bounced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    engine = connect(bounced.url)
    with writing(engine) as session:
        round_id = a_round(session).id
    before = events.fetch_last_id(engine)
    with writing(engine) as session:
        told = registration.register(session, round_id=round_id, number=a_number())
    assert told.ticket and events.fetch_last_id(engine) > before

    first, second = LeaderOfAll(bounced.url, "one"), LeaderOfAll(bounced.url, "two")
    assert [(first.leads(), second.leads()) for _ in range(3)] == [(True, False)] * 3
    first.close()
    until(second.leads, "the lock is free")
    with reading(engine) as session:
        assert (is_led_by(session, "one"), is_led_by(session, "two")) == (False, True)
    with writing(engine) as session:
        depose(session, "two")
    until(first.leads, "its session has ended")
    assert not second.leads()
    first.close()
    engine.dispose()


def test_pgbouncer_speaks_tls_to_clients_and_server_only(bounced: Bounced, postgres: Postgres) -> None:
    url = bounced.url.replace("+psycopg", "")
    with pytest.raises(psycopg.OperationalError, match="SSL required"):
        psycopg.connect(url.partition("?")[0], sslmode="disable").close()
    with psycopg.connect(url) as wire:
        assert wire.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)

    alter(postgres, "SET ssl = off")
    postgres.end_connections()
    with closing(psycopg.connect(url)) as wire:
        wire.pgconn.send_query(b"SELECT 1")
        until(lambda: "server refused SSL" in bounced.said.read_text(), "it does not speak with that one")
