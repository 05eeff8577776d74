"""What only reads asks no more than it must, and what writes is one transaction all the same."""

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, text

from db import events
from db.engine import core, glance, peek, reading, writing
from tests.kit.databases import in_both

on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
_ASK = text("SELECT 1")


def _status(connection: object) -> TransactionStatus:
    driver = connection.connection.driver_connection  # type: ignore[attr-defined]
    status: TransactionStatus = driver.info.transaction_status
    return status


@on_postgresql
def test_given_postgresql_when_something_is_read_then_no_transaction_is_begun_or_ended_for_it(
    engine: Engine,
) -> None:
    with reading(engine) as session:
        core(session).execute(_ASK)
        assert _status(core(session)) is TransactionStatus.IDLE
    with glance(engine) as connection:
        connection.execute(_ASK)
        assert _status(connection) is TransactionStatus.IDLE


@on_postgresql
def test_given_connections_that_have_read_when_something_is_written_then_it_is_one_transaction(
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
def test_given_a_question_that_fails_when_peeked_then_its_connection_writes_whole_transactions_again(
    engine: Engine,
) -> None:
    with pytest.raises(Exception, match="nowhere"):
        peek(engine, "SELECT 1 FROM nowhere")
    before = events.peek_last_id(engine)
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        events.timetable_changed(session, "rule")
        raise ZeroDivisionError
    assert events.peek_last_id(engine) == before
