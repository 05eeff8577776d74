"""The cost of the wallboard with 100,000 waiting, and of a report of all of them, on both databases."""

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select, text

from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import Callback, Registration
from db.states import CallbackState, Outcome, RegistrationState
from hotline.reports import round_reports
from hotline.reports.report_scope import By
from hotline.reports.wallboard import build_wallboard
from hotline.rounds import phases
from tests.factories import a_desk, a_round
from tests.kit import brief
from tests.kit.brief import sized
from tests.kit.postgres import Postgres

WAITING, REACHED, DESKS, LOOKS = sized((100_000, 20_000, 30, 50), (100, 20, 3, 1))
GOAL_MS = 30


def _measure(name: str, url: str) -> None:
    engine = connect(url)
    upgrade(engine)
    with writing(engine) as session:
        at, round_ = now(session), a_round(session)
        phases.get_operators_line(session)
        desks = [a_desk(session).id for _ in range(DESKS)]
        plain = {"round_id": round_.id, "language": "fa", "moved_up": 0, "moved_reason": "", "attempts": 0}
        session.execute(
            insert(Registration),
            [
                {
                    **plain,
                    "number": f"+989{which:09}",
                    "ticket": f"{which:07}",
                    "state": RegistrationState.WAITING if which < WAITING else RegistrationState.REACHED,
                    "rounds_missed": which % 3,
                    "rounds_unanswered": 0,
                    "registered_at": at - timedelta(seconds=which),
                }
                for which in range(WAITING + REACHED)
            ],
        )
        reached = session.scalars(
            select(Registration.id).where(Registration.state == RegistrationState.REACHED)
        ).all()
        session.execute(
            insert(Callback),
            [
                {
                    "registration_id": registration_id,
                    "round_id": round_.id,
                    "desk_id": desks[which % DESKS],
                    "token": f"callback-{which:032}",
                    "state": CallbackState.CLOSED,
                    "outcome": Outcome.REACHED,
                    **dict.fromkeys(("claimed_at", "called_at", "talking_at"), begun),
                    "ended_at": begun + timedelta(minutes=5),
                }
                for which, registration_id in enumerate(reached)
                if (begun := at - timedelta(minutes=which // 2 + 6))
            ],
        )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as the server itself does within a minute
    took = []
    for _ in range(LOOKS):
        with reading(engine) as session:
            began = time.perf_counter()
            build_wallboard(session)
            took.append(time.perf_counter() - began)
    with reading(engine) as session:
        began, today = time.perf_counter(), at.date()
        round_reports.report(session, By.WEEK, today - timedelta(days=30), today + timedelta(days=1))
        report_s = time.perf_counter() - began
    print(f"{name:<12}{statistics.median(took) * 1e3:>12.1f}   goal: under {GOAL_MS}{report_s:>12.2f}")
    engine.dispose()


def main() -> None:
    """Print the table."""
    print(f"{WAITING:,} waiting, {REACHED:,} reached; median of {LOOKS}")
    print(f"{'database':<12}{'wallboard: ms':>12}{'report: s':>26}")
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", f"sqlite:///{Path(folder) / 'hotline.db'}")
    with Postgres() as server:
        _measure("PostgreSQL", server.create_database("wallboard"))


if __name__ == "__main__":
    brief.play(main)
