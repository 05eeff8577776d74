"""hotline137 doctor, of a database that is not as it should be."""

import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from db.engine import now, writing
from db.models import Desk, Event, LedgerEntry, TrustedTime
from db.states import Fact
from ops.doctor import stored
from settings import Settings
from tests.factories import SECOND
from tests.kit.databases import in_both
from tests.kit.postgres import Postgres
from tests.kit.process import in_time
from tests.ops.doctor.examined import PASSWORD, Told, answering


@in_both
def test_tables_of_another_version_are_reported_with_the_remedy(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    told = Told("--json")
    assert told.code == 2 and "tables are of another version" in told.bad()["database"][1]


@in_both
def test_database_that_refuses_writes_is_a_fault(engine: Engine) -> None:
    refuses = {
        "sqlite": "CREATE TRIGGER no_more BEFORE INSERT ON heartbeats BEGIN SELECT RAISE(FAIL, 'full'); END",
        "postgresql": "ALTER TABLE heartbeats ADD CONSTRAINT no_more CHECK (process <> 'doctor')",
    }
    with writing(engine) as session:
        session.execute(text(refuses[engine.dialect.name]))
    assert "takes nothing" in Told("--json").bad()["database"][1]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_stopped_postgresql_is_reported_in_seconds(engine: Engine, postgres: Postgres) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    postgres.kill()
    try:
        began = time.monotonic()
        told = Told("--json")
        assert in_time(time.monotonic() - began, 12)
    finally:
        postgres.start()
    assert told.code == 2 and told.bad()["database"][0] == "fault"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("asked_before", [True, False])
def test_postgresql_out_of_connections_is_reported_as_such(
    engine: Engine, here: Settings, monkeypatch: pytest.MonkeyPatch, asked_before: bool
) -> None:
    admin, name = here.database.replace("+psycopg", "").rpartition("/")[::2]
    role = f"few_{name}"
    with psycopg.connect(f"{admin}/{name}", autocommit=True) as owner:
        owner.execute(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT {int(asked_before)}'.encode())
        owner.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"'.encode())
        try:
            theirs = make_url(here.database).set(username=role).render_as_string(hide_password=False)
            monkeypatch.setenv("HOTLINE_DATABASE_URL", theirs)
            bad = Told("--json").bad()
        finally:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (role,)
            )
            owner.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'.encode())
    said = {where for where, (state, what) in bad.items() if "too many connections" in what}
    assert said and (asked_before or "database" in said)
    assert not any("could not be looked at" in what for _, what in bad.values())


def test_database_that_never_replies_does_not_hang_the_doctor(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", f"postgresql+psycopg://u:{PASSWORD}@{here.trunks[0].host}/x")
    with answering(here.trunks[0].host, None):
        began = time.monotonic()
        told = Told("--json")
        assert in_time(time.monotonic() - began, 12)
    assert told.code == 2 and told.bad()["database"][0] == "fault"
    assert PASSWORD not in told.text


def test_clock_set_back_is_reported(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Event(at=now(session) + 90 * SECOND, kind="round", what="made"))
    found = Told("--json").bad()["clock"]
    assert found[0] == "fault" and "it was set back" in found[1]


@pytest.mark.parametrize(("seconds", "state"), [(5, "warning"), (60, "fault"), (-60, "fault")])
def test_clock_difference_to_the_database_is_measured(
    monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    monkeypatch.setattr(stored, "now", lambda session: now(session) + seconds * SECOND)
    found = Told("--json").bad()["clock"]
    assert found[0] == state and "from the database's" in found[1]


def test_clock_that_leapt_is_told_with_its_end(engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        until = at + 600 * SECOND
        session.add(TrustedTime(id=1, at=at - 3600 * SECOND, boot="b", ticks=1.0, doubted_until=until))
    found = Told("--json").bad()["clock"]
    assert found[0] == "warning" and f"nothing is closed or deleted until {until:%H:%M} UTC" in found[1]


@in_both
def test_ledger_dated_ahead_is_a_warning_with_its_start(engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        for number, ahead in enumerate((0, 0, 730, 730), 1):
            row = {"fact": Fact.REGISTERED, "details": "{}", "digest": str(number)}
            session.add(LedgerEntry(id=number, at=at + timedelta(days=ahead), **row))
    state, said = Told("--json").bad()["ledger"]
    until = at + timedelta(days=730)
    assert state == "warning"
    assert f"since {at:%Y-%m-%d %H:%M} UTC (entry 3)" in said and f"up to {until:%Y-%m-%d %H:%M} UTC" in said


@in_both
def test_sip_phone_without_a_key_is_a_fault(engine: Engine) -> None:
    with writing(engine) as session:
        session.add_all(
            [
                Desk(id=2, phone="sip"),
                Desk(id=3, phone="sip", sip_key="00000001"),
                Desk(id=4, phone="browser"),
            ]
        )
    state, said = Told("--json").bad()["desks"]
    assert state == "fault" and "phone of desk 2 has no key" in said
