"""The database server of the tests: copies are apart, one used again is as new."""

import pytest
import sqlalchemy as sa

from tests.kit.postgres import Postgres
from tests.kit.reused_database import ReusedDatabase


@pytest.fixture(scope="module")
def server():
    with Postgres() as server:
        yield server


def rows(url, *statements):
    """Run the statements in one transaction; the rows of the last one."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        return results[-1].all() if results[-1].returns_rows else []


def test_copies_of_a_database_are_independent(server):
    golden = server.create_database("golden")
    rows(golden, "CREATE TABLE words (word text)", "INSERT INTO words VALUES ('سلام')")
    first, second = (server.create_database(name, "golden") for name in ("first", "second"))
    rows(first, "DELETE FROM words")
    assert rows(first, "SELECT word FROM words") == []
    assert rows(second, "SELECT word FROM words") == [("سلام",)]
    assert rows(server.create_database("first", "golden"), "SELECT word FROM words") == [("سلام",)]


def test_reused_database_equals_its_template_after_any_harm(server):
    parts = "(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, of int REFERENCES parts, word text)"
    template = server.create_database("template")
    rows(template, f"CREATE TABLE parts {parts}", "INSERT INTO parts (word) VALUES ('سلام')")
    reused = ReusedDatabase(server, "template")
    for harm in (
        ("INSERT INTO parts (of, word) VALUES (1, 'x')", "UPDATE parts SET word = 'y'"),
        ("DELETE FROM parts",),
        ("ALTER TABLE parts RENAME TO lost",),
        ("CREATE TABLE more (id int)",),
    ):
        rows(reused.fresh(), *harm)
        url = reused.fresh()
        assert rows(url, "SELECT * FROM parts") == [(1, None, "سلام")], harm
        assert rows(url, "INSERT INTO parts (of) VALUES (1) RETURNING id") == [(2,)], harm
        assert rows(url, "SELECT to_regclass('more')") == [(None,)], harm


def test_repeated_reuse_leaves_no_dead_rows(server):
    template = server.create_database("template")
    rows(template, "CREATE TABLE words (word text)")
    reused = ReusedDatabase(server, "template")
    fill = "INSERT INTO words SELECT repeat('x', 100) FROM generate_series(1, 1000)"
    sizes = [rows(reused.fresh(), fill, "SELECT pg_relation_size('words')")[0][0] for _ in range(4)]
    assert sizes == sizes[:1] * 4


def test_reuse_ends_a_connection_that_holds_a_lock(server):
    template = server.create_database("template")
    rows(template, "CREATE TABLE words (word text)")
    reused = ReusedDatabase(server, "template")
    engine = sa.create_engine(reused.fresh())
    with engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE words")
        assert rows(reused.fresh(), "SELECT * FROM words") == []
        with pytest.raises(sa.exc.OperationalError):
            connection.exec_driver_sql("SELECT 1")
    engine.dispose()


def test_killed_server_answers_after_its_start(server):
    server.kill()
    with pytest.raises(sa.exc.OperationalError):
        rows(server.url, "SELECT 1")
    server.start()
    assert rows(server.url, "SELECT 1") == [(1,)]
