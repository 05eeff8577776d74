"""Reads take no more statements than they must, and a write is one transaction all the same."""

from datetime import timedelta

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, insert, select, text, update

from db import events
from db.engine import core, glance, now, reading, writing
from db.models import Heartbeat
from db.peeks import ago, as_utc, peek, poke
from tests.kit.databases import in_both

on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
_ASK = text("SELECT 1")


def _status(connection: object) -> TransactionStatus:
    driver = connection.connection.driver_connection  # type: ignore[attr-defined]
    status: TransactionStatus = driver.info.transaction_status
    return status


@on_postgresql
def test_read_on_postgresql_opens_no_transaction(
    engine: Engine,
) -> None:
    with reading(engine) as session:
        core(session).execute(_ASK)
        assert _status(core(session)) is TransactionStatus.IDLE
    with glance(engine) as connection:
        connection.execute(_ASK)
        assert _status(connection) is TransactionStatus.IDLE


@on_postgresql
def test_write_after_reads_is_one_transaction(
    engine: Engine,
) -> None:
    for _ in range(2):
        with reading(engine) as session:
            core(session).execute(_ASK)
        assert peek(engine, "SELECT 1") == 1
        with writing(engine) as session:
            core(session).execute(_ASK)
            assert _status(core(session)) is TransactionStatus.INTRANS
        with reading(engine, one_moment=True) as session:
            core(session).execute(_ASK)
            assert _status(core(session)) is TransactionStatus.INTRANS


@in_both
def test_write_after_a_failed_peek_is_one_transaction(
    engine: Engine,
) -> None:
    with pytest.raises(Exception, match="nowhere"):
        peek(engine, "SELECT 1 FROM nowhere")
    before = events.peek_last_id(engine)
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        events.timetable_changed(session, "rule")
        raise ZeroDivisionError
    assert events.peek_last_id(engine) == before


@in_both
def test_past_moment_comes_from_the_database_clock(engine: Engine) -> None:
    with reading(engine) as session:
        before = now(session)
        itself = session.scalar(select(ago()))
    long_ago, soon = (as_utc(peek(engine, select(ago(timedelta(hours=hours))))) for hours in (2, -1))
    assert itself is not None
    assert abs(as_utc(itself) - before) < timedelta(minutes=1)
    assert abs(before - long_ago - timedelta(hours=2)) < timedelta(minutes=1)
    assert abs(soon - before - timedelta(hours=1)) < timedelta(minutes=1)


@in_both
def test_written_time_compares_with_the_database_clock(
    engine: Engine,
) -> None:
    poke(engine, insert(Heartbeat).values(process="one", at=ago(timedelta(minutes=1)), fresh_s=6))
    for before, found in ((0, "one"), (0.5, "one"), (1.5, None)):
        older = select(Heartbeat.process).where(Heartbeat.at < ago(timedelta(minutes=before)))
        assert peek(engine, older) == found
    with reading(engine) as session:
        written = session.get_one(Heartbeat, "one").at
        assert timedelta(seconds=59) < now(session) - written < timedelta(minutes=2)


@in_both
def test_two_poked_statements_are_one_transaction(
    engine: Engine,
) -> None:
    one = insert(Heartbeat).values(process="one", at=ago(), fresh_s=6)
    longer = update(Heartbeat).where(Heartbeat.process == "one").values(fresh_s=7)
    with pytest.raises(Exception, match=r"(?i)unique"):
        poke(engine, one, one)
    assert peek(engine, "SELECT count(*) FROM heartbeats") == 0
    assert poke(engine, longer) == 0
    assert poke(engine, one, longer) == 1
    with writing(engine) as session:
        assert session.get_one(Heartbeat, "one").fresh_s == 7
