"""The standbys of a real PostgreSQL: how many follow, and how late they are, for whoever may see it."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from db.engine import connect, reading
from db.standbys import Standbys, find_standbys
from tests.kit.postgres import Postgres
from tests.kit.process import until

pytestmark = pytest.mark.long

_REAL = {"wal_level": "replica", "max_wal_senders": 5}


def test_standbys_are_counted_while_they_follow() -> None:
    with Postgres(**_REAL) as primary:
        engine, city = connect(primary.url), connect(primary.url.replace("postgres@", "city@"))
        with create_engine(primary.url).begin() as admin:
            admin.execute(text("CREATE ROLE city LOGIN"))
        with reading(engine) as session:
            assert find_standbys(session) == Standbys(0, None)
        with Postgres(follows=primary, **_REAL) as standby:

            def follows(number: int) -> bool:
                with reading(engine) as session:
                    found = find_standbys(session)
                return found.number == number and (found.lag_s is None) is (number == 0)

            until(lambda: follows(1), "the standby follows")
            with reading(city) as session:
                assert find_standbys(session) == Standbys(1, None), "without pg_monitor nobody sees how late"
            standby.stop()
            until(lambda: follows(0), "it is missed")
        engine.dispose()
        city.dispose()


def test_sqlite_has_no_standby(tmp_path: Path) -> None:
    with reading(connect(f"sqlite:///{tmp_path}/x.db")) as session:
        assert find_standbys(session) == Standbys(0, 0.0)
