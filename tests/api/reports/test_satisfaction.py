"""Citizens' satisfaction in the office's report: by category and department, small figures hidden."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import AuditEntry, Department, Rating, Role
from db.states import RequestState, RequestStep
from hotline.clock import CITY
from hotline.requests import lifecycle
from tests.api.answers import V1, As, problem
from tests.factories import a_department, a_request

PATH = f"{V1}/reports/satisfaction"


def rated(session: Session, stars: int, category: int, department: Department | None) -> None:
    request = a_request(session, RequestState.CLOSED, category=category)
    lifecycle.log(session, request, RequestStep.CONFIRMED, "")
    entry = lifecycle.list_steps(session, request)[-1]
    department_id = department.id if department else None
    facts = {"request_id": request.id, "entry_id": entry.id, "department_id": department_id}
    session.add(Rating(stars=stars, at=now(session), **facts))
    session.flush()


@pytest.fixture
def today(engine: Engine) -> date:
    """When six said 4 of one category to one department, five said 2 to another, one 5 to the office."""
    with writing(engine) as session:
        one, other = a_department(session), a_department(session)
        one.name_fa, other.name_fa = "آ", "ب"
        for stars, category, department, count in ((4, 1, one, 6), (2, 2, other, 5), (5, 3, None, 1)):
            for _ in range(count):
                rated(session, stars, category, department)
        return now(session).astimezone(CITY).date()


def test_report_hides_small_figures_and_remainders(as_role: As, today: date) -> None:
    page = as_role(Role.SUPERVISOR)
    span = {"from": str(today), "until": str(today)}
    told = page.get(PATH, params=span).json()
    assert (told["total"]["rated"], told["total"]["satisfaction"]) == (12, 3.25)
    shown = {(each["rated"], each["satisfaction"]) for each in told["categories"]}
    assert shown == {(6, 4.0), (None, None)}
    assert [(d["name_fa"], d["rated"], d["satisfaction"]) for d in told["departments"]] == [
        *(("آ", 6, 4.0), ("ب", None, None), (None, None, None)),
    ], "five would be what is left of the sum"
    before = {"from": str(today - timedelta(days=7)), "until": str(today - timedelta(days=7))}
    nothing = page.get(PATH, params=before).json()
    assert (nothing["categories"], nothing["total"]["rated"]) == ([], None)
    problem(page.get(PATH, params=span | {"until": "2020-01-01"}), 422, "invalid-input")


def test_exported_satisfaction_is_audited(as_role: As, engine: Engine, today: date) -> None:
    page = as_role(Role.SUPERVISOR)
    span = {"from": str(today), "until": str(today), "language": "en"}
    lines = page.get(f"{PATH}.csv", params=span).text.splitlines()
    assert [line.rsplit(",", 2)[1:] for line in lines if line.startswith("Department")] == [
        *(["6", "4.0"], ["", ""], ["", ""]),
    ]
    assert lines[-1] == "All,,12,3.25" and any("The office itself" in line for line in lines)
    assert page.get(f"{PATH}.xlsx", params=span).content[:2] == b"PK"
    with reading(engine) as session:
        of = select(AuditEntry.reason).where(AuditEntry.action == "reports-exported")
        assert session.scalars(of).all() == [f"satisfaction, {today} – {today}"] * 2
