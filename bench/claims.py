"""Claims of citizens in strict order on PostgreSQL: our whole claim against the bare statement.

Threads of one process claim as one `api` does for its desks. Each claim is a transaction with its callback,
its ledger entry and its event. One anchor is pgbench with only the statement that takes the first of the
line. It has as many clients, and a line of the same length. The other anchor is procrastinate, a queue of
jobs in PostgreSQL, whose workers fetch jobs. All run on the same server, one after the other.
"""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from procrastinate import App, PsycopgConnector
from sqlalchemy import Engine, func, select, text

from db.engine import connect, reading, writing
from db.migrate import upgrade
from db.models import Registration, Round
from db.states import RegistrationState
from hotline.callbacks import claims
from tests.factories import a_round, some_registrations
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.performance import measured
from tests.kit.postgres import Postgres, binary

WAITING, AT_ONCE, SECONDS = sized((20_000, 8, 10), (50, 2, 1))
GOAL = 0.5
JOBS = """
    INSERT INTO procrastinate_jobs (queue_name, task_name)
    SELECT 'line', 'call' FROM generate_series(1, %(waiting)s)
"""
BARE = """UPDATE registrations SET state = 'calling' WHERE id = (SELECT id FROM registrations
WHERE round_id = {round} AND state = 'waiting' ORDER BY moved_up DESC, rounds_missed DESC, registered_at, id
LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id;"""


def _line(engine: Engine) -> int:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, WAITING)
        round_id = round_.id
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return round_id


def _claimed(engine: Engine, round_id: int) -> int:
    with reading(engine) as session:
        query = select(func.count()).where(
            Registration.round_id == round_id, Registration.state == RegistrationState.CALLING
        )
        return session.scalar(query) or 0


def _ours(engine: Engine, round_id: int) -> float:
    began = time.monotonic()

    def take(_: int) -> None:
        while time.monotonic() - began < SECONDS:
            with writing(engine) as session:
                if claims.call_ahead(session, session.get_one(Round, round_id)) is None:
                    return

    with ThreadPoolExecutor(AT_ONCE) as desks:
        list(desks.map(take, range(AT_ONCE)))
    return _claimed(engine, round_id) / (time.monotonic() - began)


def _bare(engine: Engine, url: str, round_id: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "claim.sql"
        script.write_text(" ".join(BARE.format(round=round_id).split()) + "\n")
        each = str(WAITING // 2 // AT_ONCE)  # a query of an empty line is quicker than a claim
        command = [binary("pgbench"), "-n", "-f", script, "-c", str(AT_ONCE), "-t", each]
        where = url.replace("postgresql+psycopg", "postgresql")
        told = subprocess.run([*command, where], check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    claimed = _claimed(engine, round_id)
    must_hold(bool(found) and claimed > 0, f"pgbench claims, not {claimed}")
    return float(found[1]) if found else 0.0


async def _fetched(conninfo: str) -> float:
    """Return the jobs a second that as many procrastinate workers fetch."""
    pool = PsycopgConnector(conninfo=conninfo, min_size=AT_ONCE, max_size=AT_ONCE)
    app, jobs = App(connector=pool), 0
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await pool.execute_query_async(JOBS, waiting=WAITING)
        worker = await app.job_manager.register_worker()
        began = time.monotonic()

        async def take() -> None:
            nonlocal jobs
            while time.monotonic() - began < SECONDS and await app.job_manager.fetch_job(None, worker):
                jobs += 1

        await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    return jobs / (time.monotonic() - began)


def main() -> None:
    """Print the table."""
    print(
        f"claims a second in strict order, {AT_ONCE} at once, {WAITING:,} waiting, {os.cpu_count()} cores, "
        f"load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    with Postgres(safe=True) as server:  # each commit is on the disk, as in a city
        url = server.create_database("claims")
        engine = connect(url)
        upgrade(engine)
        ours, bare = _ours(engine, _line(engine)), _bare(engine, url, _line(engine))
        engine.dispose()
        theirs = asyncio.run(_fetched(server.create_database("jobs").replace("+psycopg", "")))
    measured("claims", ours / bare, f"{ours:.0f}/s", f"{bare:.0f}/s")
    measured("claims-procrastinate", ours / theirs, f"{ours:.0f}/s", f"{theirs:.0f}/s")
    must_hold(theirs > 0, "procrastinate fetches")
    print(
        f"ours {ours:.0f}, procrastinate's fetch {theirs:.0f}, ratio {ours / theirs:.2f}   goal: at least 2"
    )
    print(f"ours {ours:.0f}, the bare statement {bare:.0f}, ratio {ours / bare:.2f}   goal: at least {GOAL}")


if __name__ == "__main__":
    brief.play(main)
