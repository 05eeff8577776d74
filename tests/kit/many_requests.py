"""A large city's requests after a year, written without its rules."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, text

from db.engine import now, writing
from db.models import Department, Escalation, Official, OfficialKind, Request, RequestEntry
from db.states import WITH_DEPARTMENT, RequestState, RequestStep
from hotline.requests.places import Point

CENTRE, CITY = Point(32.655, 51.675), (32.3, 51.2, 33.0, 52.2)
KILOMETRE = 0.009
DEPARTMENTS = 20
_BATCH = 5_000
_S = RequestState
_STATES = {_S.NEW: 25, _S.REFERRED: 30, _S.ACCEPTED: 14, _S.ASKED: 3, _S.REPLIED: 25, _S.REOPENED: 3}
"""The states of a hundred open requests."""
_ENDS = {_S.CLOSED: 17, _S.REJECTED: 3}
_WORDS = (
    *("چراغ", "کوچه", "خاموش", "است", "آسفالت", "خیابان", "چاله", "دارد", "زباله", "جمع", "نشده", "از"),
    *("دیروز", "هفتهٔ", "گذشته", "جوی", "آب", "بوی", "بد", "می‌دهد", "درخت", "شکسته", "پیاده‌رو", "تنگ"),
    *("مدرسه", "روبه‌روی", "مسجد", "پارک", "نیمکت", "شیر", "باز", "مانده", "لطفاً", "زودتر", "بیایید", "تابلو"),
)


def fill(engine: Engine, number: int) -> None:
    """Fill in open requests and a fifth as many closed ones, each with the first step of its history."""
    chance = random.Random(137)
    with writing(engine) as session:
        departments = [
            Department(name_fa=f"ادارهٔ {n}", name_en=f"Department {n}") for n in range(DEPARTMENTS)
        ]
        official = Official(kind=OfficialKind.MAYOR, office_fa="ش", office_en="M", clip="office-mayor")
        session.add_all([*departments, official])
        session.flush()
        known = {"departments": [each.id for each in departments], "official": official.id}
        at = now(session)
    for batch in _batches(chance, number, at, known):
        steps = [
            {
                "request_id": row["id"],
                "at": row["made_at"],
                "who": "",
                "step": RequestStep.REPORTED,
                "note": "",
            }
            for row in batch
        ]
        with writing(engine) as session:
            connection = session.connection()
            connection.execute(insert(Request.__table__), batch)
            connection.execute(insert(RequestEntry.__table__), steps)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _batches(
    chance: random.Random, number: int, at: datetime, known: dict[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    """Rows as old as a year, the oldest first, as they come."""
    last = number + number // 5
    ended = set(chance.sample(range(last), number // 5))
    for start in range(0, last, _BATCH):
        yield [
            _row(chance, each, at - timedelta(days=365 * (1 - each / last)), known, ended=each in ended)
            for each in range(start, min(last, start + _BATCH))
        ]


def _row(
    chance: random.Random, number: int, made_at: datetime, known: dict[str, Any], *, ended: bool
) -> dict[str, Any]:
    states = _ENDS if ended else _STATES
    [state] = chance.choices(list(states), list(states.values()))
    point = somewhere(chance)
    told = state not in (_S.NEW, _S.REFERRED) or chance.random() < 0.5
    replied = state in (_S.REPLIED, _S.REOPENED, *_ENDS)
    with_department = state in WITH_DEPARTMENT
    promised = chance.random() < 0.01
    late = with_department and chance.random() < 0.3
    return {
        **{
            "id": number + 1,
            "tracking": f"{number:09}",
            "number": f"+98913{number:07}",
            "category": chance.randint(1, 9),
        },
        **{"district": chance.randint(1, 15), "language": "fa", "made_at": made_at, "state": state},
        **{"latitude": point.latitude, "longitude": point.longitude},
        "written": " ".join(chance.choices(_WORDS, k=chance.randint(5, 60))),
        "department_id": chance.choice(known["departments"]) if with_department or replied else None,
        "due_at": made_at + timedelta(days=10 if late else chance.uniform(300, 400))
        if with_department
        else None,
        "escalated_to": Escalation.SUPERVISORS if late and chance.random() < 0.05 else None,
        "answer_by": made_at + timedelta(days=2),
        "answered_at": made_at + timedelta(days=chance.random() * 3) if told else None,
        "solve_by": made_at + timedelta(days=10),
        "replied_at": made_at + timedelta(days=chance.expovariate(1 / 5)) if replied else None,
        "promised_by_id": known["official"] if promised else None,
        "promised_until": made_at + timedelta(days=chance.uniform(5, 400)) if promised else None,
    }


def somewhere(chance: random.Random) -> Point:
    """In the city; one time in five in its centre."""
    if chance.random() < 0.2:
        return in_centre(chance)
    south, west, north, east = CITY
    return Point(chance.uniform(south, north), chance.uniform(west, east))


def in_centre(chance: random.Random) -> Point:
    """In one square kilometre."""
    return Point(*(each + (chance.random() - 0.5) * KILOMETRE for each in CENTRE))
