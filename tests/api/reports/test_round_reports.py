"""Statistics: whose rounds they tell of, and what the audit log says of who took them along."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Role, Round
from hotline import audit
from hotline.timetable import days
from tests.api.answers import V1, As, SignedIn, problem, registered
from tests.factories import a_round, a_user, an_official

OfOfficial = Callable[[int | None], TestClient]
WHOSE = ["own", "substitute", "deputy", "stranger", "none"]


@pytest.fixture
def as_official(as_user: SignedIn, engine: Engine) -> OfOfficial:
    """Makes a page on which somebody of this official has signed in."""

    def page(official_id: int | None) -> TestClient:
        with writing(engine) as session:
            user = a_user(session)
            user.role, user.official_id = Role.OFFICIAL, official_id
        return as_user(user)

    return page


@pytest.fixture
def officials(engine: Engine, live: Round) -> dict[str, int | None]:
    """Officials with a round of their own and without one; a stranger has a round, too."""
    with writing(engine) as session:
        round_ = session.get_one(Round, live.id)
        round_.substitute, deputy = an_official(session), an_official(session)
        round_.deputies = [deputy]
        stranger = an_official(session)
        session.flush()
        return dict(
            zip(WHOSE, (round_.official_id, round_.substitute_id, deputy.id, stranger.id, None), strict=True)
        )


def span(engine: Engine) -> str:
    with reading(engine) as session:
        today = days.find_local_day(now(session))
    return f"from={today - timedelta(days=2)}&until={today + timedelta(days=2)}"


@pytest.mark.parametrize("whose", WHOSE)
def test_official_reads_statistics_of_own_rounds(
    as_official: OfOfficial, engine: Engine, live: Round, officials: dict[str, int | None], whose: str
) -> None:
    registered(engine, live, 2)
    with writing(engine) as session:
        other = a_round(session)
    page = as_official(officials[whose])
    mine = [live.id] if whose in ("own", "substitute", "deputy") else []

    for asked in ("", f"?from={span(engine)[5:15]}T00:00:00Z"):
        assert [one["id"] for one in page.get(f"{V1}/rounds{asked}").json()] == mine
    for of_it in ("", "/report", "/notice", "/carries", "/registrations"):
        problem(page.get(f"{V1}/rounds/{other.id}{of_it}"), 409, "not-your-round")
        if mine:
            assert page.get(f"{V1}/rounds/{live.id}{of_it}").status_code == 200
        else:
            problem(page.get(f"{V1}/rounds/{live.id}{of_it}"), 409, "not-your-round")
    report = page.get(f"{V1}/reports?by=round&{span(engine)}").json()
    assert [row["round_id"] for row in report["rows"]] == mine
    assert report["total"]["registered"] == 2 * len(mine)


def test_exported_statistics_are_audited(as_role: As, engine: Engine) -> None:
    page = as_role(Role.AUDITOR)
    asked = "by=official&from=2026-11-22&until=2026-12-02"
    assert page.get(f"{V1}/reports?{asked}").status_code == 200
    for kind in ("csv", "xlsx"):
        assert page.get(f"{V1}/reports.{kind}?{asked}").status_code == 200
    assert page.get(f"{V1}/reports.csv?by=official&from=2026-12-02&until=2026-11-22").status_code == 422
    with reading(engine) as session:
        found = [one.reason for one in audit.search(session, action="reports-exported", subject="reports")]
    assert found == ["official, 2026-11-22 – 2026-12-02"] * 2
