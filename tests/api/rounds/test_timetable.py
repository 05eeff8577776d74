"""The timetable over the API: rules, days that are different, holidays."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import now, reading
from db.models import Official
from tests.api.answers import V1, problem


def test_dropped_and_holiday_days_of_a_rule_are_marked(
    office: TestClient, engine: Engine, official: Official
) -> None:
    with reading(engine) as session:
        today = now(session).date()
    days = [str(today + timedelta(days=n)) for n in range(10, 15)]
    rule: dict[str, Any] = {
        "name": "هر روز",
        "rrule": "FREQ=DAILY",
        "starts_on": days[0],
        "starts_at": "09:00",
        "ends_at": "12:00",
        "official_ids": [official.id],
    }
    problem(office.post(f"{V1}/timetable", json={**rule, "rrule": "every day"}), 409, "rule-days")
    problem(office.post(f"{V1}/timetable", json={**rule, "ends_at": "09:00"}), 409, "rule-hours")
    problem(office.post(f"{V1}/timetable", json={**rule, "ends_at": "12:00Z"}), 422, "invalid-input")
    problem(office.post(f"{V1}/timetable", json={**rule, "official_ids": [404]}), 404, "not-found")
    made = office.post(f"{V1}/timetable", json=rule).json()
    assert office.get(f"{V1}/timetable").json() == [made] and made["active"]

    for day in days[:2]:
        office.post(f"{V1}/holidays", json={"day": day, "name": "کار", "works": True})
    dropped = {"day": days[0], "dropped": True, "reason": "مراسم"}
    assert office.post(f"{V1}/timetable/{made['id']}/day-overrides", json=dropped).status_code == 204
    assert office.post(f"{V1}/holidays", json={"day": days[1], "name": "روز اصفهان"}).json() == []
    span = {"from": days[0], "until": days[1]}
    shown = office.get(f"{V1}/timetable/{made['id']}/days", params=span).json()
    assert [(d["day"], d["dropped"], d["reason"], d["holiday"]) for d in shown] == [
        (days[0], True, "مراسم", ""),
        (days[1], False, "", "روز اصفهان"),
    ]
    for path in ("calendar", "holidays", f"timetable/{made['id']}/days"):  # nobody computes a thousand years
        for day in ("2000-01-01", "2999-12-31"):
            far = {"from": day, "until": day}
            problem(office.get(f"{V1}/{path}", params=far), 422, "invalid-input")
    own = {d["day"]: (d["name_fa"], d["closed"]) for d in office.get(f"{V1}/holidays", params=span).json()}
    assert own == {days[0]: ("کار", False), days[1]: ("روز اصفهان", True)}
    assert office.delete(f"{V1}/holidays/{days[1]}").status_code == 204
    problem(office.delete(f"{V1}/holidays/{days[1]}"), 404, "not-found")
    stopped = office.patch(f"{V1}/timetable/{made['id']}", json={"active": False, "reason": "پایان"}).json()
    assert stopped == {**made, "active": False}
