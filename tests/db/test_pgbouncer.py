"""pgBouncer in session mode, as our sample has it: rules, events and the dialer's lock go by it."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from db import events
from db.engine import connect, reading, writing
from dialer.leader import LeaderOfAll, depose, is_led_by
from hotline.line import registration
from tests.factories import a_number, a_round
from tests.kit.ports import free_port
from tests.kit.postgres import unprivileged
from tests.kit.process import Program, folder_in_memory, need, until

SAMPLE = Path(__file__).parents[2] / "ops" / "postgresql" / "pgbouncer.ini"

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@pytest.fixture
def bounced(database: str) -> Iterator[str]:
    """The database's address at pgBouncer."""
    _, _, server = database.partition("@127.0.0.1:")
    port, _, name = server.partition("/")
    mine, folder, user = free_port(), folder_in_memory("pgbouncer-"), unprivileged()
    text = SAMPLE.read_text()
    for old, new in {
        "host=pg1.city.example port=5432 dbname=hotline": f"host=127.0.0.1 port={port} dbname={name}",
        "pgbouncer.city.example": "127.0.0.1",
        "listen_port = 6432": f"listen_port = {mine}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "hotline = host": "hotline = user=postgres host",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "pgbouncer.ini").write_text(text)
    if user:
        for own in (folder, folder / "pgbouncer.ini"):
            shutil.chown(own, user)
    command = [need("pgbouncer", "pgbouncer"), folder / "pgbouncer.ini"]
    program = Program(command, folder=folder, log=folder / "log", user=user)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{mine}/hotline"

    def answers() -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
            return True
        return False

    try:
        program.ready(answers)
        yield url
    finally:
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_given_pgbouncer_when_registered_read_and_led_then_all_is_as_without_it(
    bounced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    engine = connect(bounced)
    with writing(engine) as session:
        round_id = a_round(session).id
    before = events.peek_last_id(engine)
    with writing(engine) as session:
        told = registration.register(session, round_id=round_id, number=a_number())
    assert told.ticket and events.peek_last_id(engine) > before

    first, second = LeaderOfAll(bounced, "one"), LeaderOfAll(bounced, "two")
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
