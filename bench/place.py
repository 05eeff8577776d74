"""The cost of computing a place in the line with a million registrations against a thousand, on both
databases.

Citizens from the first to the last ask; all registered within one day. The last of 50,000 also asks by a
bare count on the index `order_of_calling`, which shows why triggers keep counts.
"""

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, and_, func, select, text
from sqlalchemy.orm import Session

from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import Official, OfficialKind, Registration, Round
from db.postgres import remove_time_limit
from db.states import RegistrationState
from hotline.line import order
from tests.kit import brief
from tests.kit.brief import sized
from tests.kit.performance import measured
from tests.kit.postgres import Postgres

SIZES = sized((1_000, 1_000_000), (10, 100))
ASKED = sized(300, 3)
LINE = sized(50_000, 30)
GOAL = 1.3


def _a_line(session: Session, size: int) -> int:
    at = now(session)
    day = timedelta(days=1)
    round_ = Round(
        official=Official(
            kind=OfficialKind.MAYOR, office_fa="شهردار", office_en="Mayor", clip="office-mayor"
        ),
        announce_at=at - day,
        registration_from=at - day,
        registration_until=at + day,
        starts_at=at,
        ends_at=at + day,
    )
    session.add(round_)
    session.flush()
    at_n = {
        "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-1 day', (n * 86400.0 / :size) || ' seconds')",
        "postgresql": "now() - interval '1 day' + n * interval '1 day' / :size",
    }[session.get_bind().dialect.name]
    session.execute(
        text(
            "WITH RECURSIVE numbered(n) AS "
            "(SELECT 0 UNION ALL SELECT n + 1 FROM numbered WHERE n + 1 < :size) "
            "INSERT INTO registrations (round_id, number, ticket, language, state, moved_up, moved_reason, "
            "rounds_missed, rounds_unanswered, attempts, registered_at) "
            "SELECT :round, '+98' || (9000000000 + n), :first + n, 'fa', 'waiting', 0, '', 0, 0, 0, "
            f"{at_n} FROM numbered"
        ),
        {"round": round_.id, "size": size, "first": size},
    )
    return round_.id


def _ask_ms(engine: Engine, round_id: int, size: int) -> float:
    with reading(engine) as session:
        first = (
            session.scalar(select(func.min(Registration.id)).where(Registration.round_id == round_id)) or 0
        )
        took = []
        for which in range(ASKED):
            place = which * (size - 1) // (ASKED - 1)
            registration = session.get_one(Registration, first + place)
            began = time.perf_counter()
            told = order.count_before(session, registration)
            took.append(time.perf_counter() - began)
            assert told == place
    return statistics.median(took) * 1e3


def _count_bare(session: Session, registration: Registration) -> int:
    """Return the place by a count on the index alone, one range for each column of the order."""
    r, mine = Registration, registration
    same_class = and_(r.moved_up == mine.moved_up, r.rounds_missed == mine.rounds_missed)
    ranges = (
        r.moved_up > mine.moved_up,
        and_(r.moved_up == mine.moved_up, r.rounds_missed > mine.rounds_missed),
        and_(same_class, r.registered_at < mine.registered_at),
        and_(same_class, r.registered_at == mine.registered_at, r.id < mine.id),
    )
    waits = (r.round_id == mine.round_id, r.state == RegistrationState.WAITING)
    counts = [select(func.count()).select_from(r).where(*waits, each).scalar_subquery() for each in ranges]
    return session.scalar(select(sum(counts[1:], counts[0]))) or 0


def _compare_ms(engine: Engine, round_id: int) -> tuple[float, float]:
    """Return what the last place costs by the sums and by a bare count, each the median."""
    with reading(engine) as session:
        last = session.scalar(select(func.max(Registration.id)).where(Registration.round_id == round_id))
        registration = session.get_one(Registration, last)
        medians = []
        for count in (order.count_before, _count_bare):
            took = []
            for _ in range(ASKED):
                began = time.perf_counter()
                assert count(session, registration) == LINE - 1
                took.append(time.perf_counter() - began)
            medians.append(statistics.median(took) * 1e3)
    return medians[0], medians[1]


def _fill(engine: Engine, size: int) -> int:
    """Make a line of this size and return its round's id."""
    with writing(engine) as session:
        if engine.dialect.name == "postgresql":
            remove_time_limit(session.connection())
            session.execute(text("SET LOCAL statement_timeout = 0"))
        round_id = _a_line(session, size)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            remove_time_limit(connection)
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))
    return round_id


def _measure(name: str, url: str) -> None:
    engine = connect(url)
    upgrade(engine)
    sums, bare = _compare_ms(engine, _fill(engine, LINE))
    print(f"{name}: the last of {LINE:,} by the sums {sums:.3f} ms, by a bare count {bare:.3f} ms")
    costs = [_ask_ms(engine, _fill(engine, size), size) for size in SIZES]
    print(f"{name:<12}{costs[0]:>12.3f}{costs[1]:>14.3f}{costs[1] / costs[0]:>8.2f}   goal: at most {GOAL}")
    measured(
        f"place-{name.lower()}", costs[1] / costs[0], f"{costs[1]:.3f} ms", f"{costs[0]:.3f} ms at a thousand"
    )
    engine.dispose()


def main() -> None:
    """Print the table."""
    print("place in the line, median of", ASKED)
    print(f"{'database':<12}{f'{SIZES[0]:,}: ms':>12}{f'{SIZES[1]:,}: ms':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", f"sqlite:///{Path(folder) / 'hotline.db'}")
    with Postgres() as server:
        _measure("PostgreSQL", server.create_database("place"))


if __name__ == "__main__":
    brief.play(main)
