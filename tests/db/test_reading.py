"""Connections that reading, writing and the raw fast path share."""

from datetime import timedelta

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, insert, select, text, type_coerce
from sqlalchemy.orm import Session

from db import events
from db.engine import ago, now, reading, writing
from db.models import Heartbeat, UtcDateTime
from db.raw import fetch_value
from tests.kit.databases import in_both

on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
_ASK = text("SELECT 1")


def _status_after_query(session: Session) -> TransactionStatus:
    session.execute(_ASK)
    driver = session.connection().connection.driver_connection
    status: TransactionStatus = driver.info.transaction_status  # type: ignore[union-attr]
    return status


@on_postgresql
def test_reading_begins_no_transaction(engine: Engine) -> None:
    with reading(engine) as session:
        assert _status_after_query(session) is TransactionStatus.IDLE


@on_postgresql
def test_writing_after_reading_is_one_transaction(engine: Engine) -> None:
    for _ in range(2):
        with reading(engine) as session:
            session.execute(_ASK)
        assert fetch_value(engine, "SELECT 1") == 1
        with writing(engine) as session:
            assert _status_after_query(session) is TransactionStatus.INTRANS
        with reading(engine, one_moment=True) as session:
            assert _status_after_query(session) is TransactionStatus.INTRANS


@in_both
def test_failed_raw_query_leaves_a_usable_connection(engine: Engine) -> None:
    with pytest.raises(Exception, match="nowhere"):
        fetch_value(engine, "SELECT 1 FROM nowhere")
    before = events.fetch_last_id(engine)
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        events.append_timetable(session, "rule")
        raise ZeroDivisionError
    assert events.fetch_last_id(engine) == before


@in_both
def test_raw_query_without_a_row_returns_none(engine: Engine) -> None:
    assert fetch_value(engine, select(Heartbeat.process)) is None
    with writing(engine) as session:
        session.execute(insert(Heartbeat).values(process="one", at=now(session), fresh_s=6))
    assert fetch_value(engine, select(Heartbeat.process)) == "one"


@in_both
def test_ago_is_the_time_of_the_databases_clock(engine: Engine) -> None:
    with reading(engine) as session:
        for hours in (0, 2, -1):
            before = timedelta(hours=hours)
            found = session.scalars(select(type_coerce(ago(before), UtcDateTime()))).one()
            assert abs(found - (now(session) - before)) < timedelta(minutes=1)


@in_both
def test_time_written_by_ago_compares_with_the_clock(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(insert(Heartbeat).values(process="one", at=ago(timedelta(minutes=1)), fresh_s=6))
    for before, found in ((0, "one"), (0.5, "one"), (1.5, None)):
        older = select(Heartbeat.process).where(Heartbeat.at < ago(timedelta(minutes=before)))
        assert fetch_value(engine, older) == found
    with reading(engine) as session:
        written = session.get_one(Heartbeat, "one").at
        assert timedelta(seconds=59) < now(session) - written < timedelta(minutes=2)
