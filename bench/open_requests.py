"""What 100,000 open requests cost: the inbox, what is near, the public figures; on both databases.

A fifth of them are in one square kilometre, as a city's centre is, and as many more are closed. The 95th
percentile of many looks counts, each at another place; figures are counted ahead, by the clerk.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import time as time_of_day
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, insert, text

from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import Department, Request
from db.states import RequestState
from hotline.requests import department_inbox, figures, inbox, reminders
from hotline.requests.department_inbox import Part
from hotline.requests.inbox import Filter
from hotline.requests.near import near
from hotline.requests.places import Point
from settings import WorkingHours, WorkingWeek
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.postgres import Postgres

OPEN = sized(100_000, 300)
LOOKS = sized(200, 3)
GOAL_MS = 50.0
_BATCH = 5_000
_WEEK = WorkingWeek(frozenset(range(7)), WorkingHours(time_of_day(0), time_of_day(23, 59)))
_CENTRE, _CITY = Point(32.655, 51.675), (32.3, 51.2, 33.0, 52.2)
_KILOMETRE = 0.009
_STATES = (RequestState.NEW, RequestState.REFERRED, RequestState.REFERRED, RequestState.REPLIED)


class Look(NamedTuple):
    """Something that is asked, and its milliseconds, each time."""

    name: str
    ms: list[float]

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.ms, n=20)[-1]


def fill(engine: Engine) -> None:
    """The requests."""
    chance = random.Random(137)
    with writing(engine) as session:
        departments = [Department(name_fa=f"ادارهٔ {n}", name_en=f"Department {n}") for n in range(20)]
        session.add_all(departments)
        session.flush()
        ids, at = [each.id for each in departments], now(session)
    for start in range(0, OPEN + OPEN // 5, _BATCH):
        rows = [
            _row(chance, number, ids, at=at) for number in range(start, min(OPEN + OPEN // 5, start + _BATCH))
        ]
        with writing(engine) as session:
            session.execute(insert(Request), rows)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _row(chance: random.Random, number: int, departments: list[int], **known: object) -> dict[str, object]:
    state = chance.choice(_STATES) if number < OPEN else RequestState.CLOSED
    at = known["at"]
    made_at = at - timedelta(days=chance.random() * 365)  # type: ignore[operator]
    point = somewhere(chance)
    replied = state in (RequestState.REPLIED, RequestState.CLOSED)
    referred = state is RequestState.REFERRED
    return {
        **{"tracking": f"{number:09}", "number": f"+98913{number:07}", "category": chance.randint(1, 9)},
        **{"district": chance.randint(1, 15), "written": "چراغ کوچه خاموش است", "language": "fa"},
        **{"made_at": made_at, "state": state, "latitude": point.latitude, "longitude": point.longitude},
        "department_id": chance.choice(departments) if referred or replied else None,
        "due_at": made_at + timedelta(days=chance.random() * 400) if referred else None,
        "solve_by": made_at + timedelta(days=10),
        "replied_at": made_at + timedelta(days=chance.expovariate(1 / 5)) if replied else None,
    }


def somewhere(chance: random.Random) -> Point:
    """In the city; one time in five in its centre."""
    if chance.random() < 0.2:
        return Point(*(each + (chance.random() - 0.5) * _KILOMETRE for each in _CENTRE))
    south, west, north, east = _CITY
    return Point(chance.uniform(south, north), chance.uniform(west, east))


def looks(engine: Engine) -> dict[str, Callable[[random.Random], object]]:
    """What is asked."""

    def centre(chance: random.Random) -> object:
        point = Point(*(each + (chance.random() - 0.5) * _KILOMETRE for each in _CENTRE))
        with reading(engine) as session:
            return near(session, chance.randint(1, 9), point, 100)

    def anywhere(chance: random.Random) -> object:
        with reading(engine) as session:
            return near(session, chance.randint(1, 9), somewhere(chance), 100)

    def whole(_chance: random.Random) -> object:
        with reading(engine) as session:
            return inbox.page(session, Filter(), after=None, limit=50)

    def narrow(chance: random.Random) -> object:
        wanted = Filter(category=chance.randint(1, 9), district=chance.randint(1, 15))
        with reading(engine) as session:
            return inbox.page(session, wanted, after=None, limit=50)

    def public(chance: random.Random) -> object:
        with reading(engine) as session:
            return figures.read(session, chance.choice(figures.SPANS), 5)

    def department(chance: random.Random) -> object:
        with reading(engine) as session:
            id_ = chance.randint(1, 20)
            page = department_inbox.page(session, id_, Part.WORK, after=None, limit=50)
            return page, department_inbox.counts(session, id_)

    def reminders_(_chance: random.Random) -> object:
        with reading(engine) as session:
            return reminders.due(session, _WEEK, now(session), 20)

    return {
        "a department's inbox, with its counts": department,
        "what to remind of": reminders_,
        "near, in the centre": centre,
        "near, anywhere": anywhere,
        "inbox, the first page": whole,
        "inbox, of a category and district": narrow,
        "public figures, read": public,
    }


def measure(engine: Engine) -> list[Look]:
    """What each costs."""
    upgrade(engine)
    fill(engine)
    found = [Look("public figures, counted", list(_count(engine)))]
    for name, look in looks(engine).items():
        found.append(Look(name, list(_times_ms(look))))
    with reading(engine) as session:
        must_hold(len(near(session, 1, _CENTRE, 1000)) > 0, "what is near is found")
    return found


def _count(engine: Engine) -> Iterator[float]:
    for _ in range(2):
        began = time.perf_counter()
        with reading(engine) as session:
            rows = figures.count(session)
        yield (time.perf_counter() - began) * 1e3
        with writing(engine) as session:
            figures.keep(session, rows)


def _times_ms(look: Callable[[random.Random], object]) -> Iterator[float]:
    chance = random.Random(7)
    look(chance)
    for _ in range(LOOKS):
        began = time.perf_counter()
        look(chance)
        yield (time.perf_counter() - began) * 1e3


def _tell(database: str, found: list[Look]) -> bool:
    print(f"\n{database}, {OPEN:,} open\n{'ms':<36}{'median':>10}{'p95':>10}{'worst':>10}")
    for each in found:
        print(f"{each.name:<36}{statistics.median(each.ms):>10.1f}{each.p95:>10.1f}{max(each.ms):>10.1f}")
    return all(each.p95 <= GOAL_MS for each in found[1:])


def main() -> int:
    """Print the tables; 1 if a look is slower than it may be."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'hotline.db'}")
        good = _tell("SQLite", measure(engine))
        engine.dispose()
    with Postgres() as server:
        engine = connect(server.create_database("requests"))
        good &= _tell("PostgreSQL", measure(engine))
        engine.dispose()
    print(f"\ngoal: each look at most {GOAL_MS} ms: {'reached' if good else 'NOT reached'}")
    return 0 if good else 1


if __name__ == "__main__":
    brief.play(main)
