"""Figures for everybody: what they count, and what they keep to themselves."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Request
from db.states import RequestState
from hotline.requests import closing, ratings, work
from hotline.requests.public import figures
from hotline.requests.public.figures import Figures
from tests.factories import a_department, a_request
from tests.hotline.requests.office import refer

S = RequestState


def reported(session: Session, state: RequestState, days_ago: float = 1, **values: Any) -> Request:
    at = now(session)
    solved = {"replied_at": at, "reply": "ترمیم شد"} if state in (S.REPLIED, S.CLOSED) else {}
    return a_request(session, state, **{"made_at": at - timedelta(days=days_ago)} | solved | values)


def counted(session: Session, days: int = 30, least: int = 1) -> Figures:
    session.flush()
    figures.keep(session, figures.count(session))
    session.expire_all()
    return figures.read(session, days, least)


def test_requests_are_counted_by_state(session: Session) -> None:
    department = a_department(session)
    ours: dict[str, Any] = {"department_id": department.id}
    for days in (1, 2, 3, 4):
        reported(session, S.CLOSED, days, **ours)
    reported(session, S.CLOSED, 10, unanswered=True, **ours)
    reported(session, S.REPLIED, 20, **ours)
    reported(session, S.REOPENED, 5, denials=2)
    reported(session, S.NEW)
    reported(session, S.REJECTED)
    first = reported(session, S.NEW, category=2)
    same = reported(session, S.NEW)
    same.state, same.duplicate_of_id = S.DUPLICATE, first.id
    reported(session, S.CLOSED, 31, **ours)
    found = counted(session)
    assert found.all is not None
    one = found.categories[0].figures
    assert (one.received, one.solved, one.confirmed, one.unanswered) == (9, 6, 4, 1)
    assert (one.objected, one.rejected) == (1, 1)
    assert (one.median_days, one.ninetieth_days) == (
        pytest.approx(3.5, abs=0.01),
        pytest.approx(15, abs=0.01),
    )
    assert [row.figures.received for row in found.categories] == [9, 1]
    assert found.all.figures.received == 10
    (row,) = found.departments
    assert (row.name_fa, row.figures.received, row.figures.solved) == (department.name_fa, 6, 6)
    assert [row.figures.received for row in counted(session, 90).departments] == [7]


def test_no_requests_give_empty_figures(session: Session) -> None:
    assert counted(session) == Figures(30, None, None, [], [])
    assert figures.read(session, 7, 1) == Figures(7, None, None, [], [])


def test_recounted_figures_replace_the_old(session: Session) -> None:
    reported(session, S.NEW)
    counted(session)
    reported(session, S.NEW)
    found = counted(session)
    assert [row.figures.received for row in found.categories] == [2]


def test_small_group_and_its_complement_are_hidden(
    session: Session,
) -> None:
    for category, count in ((1, 20), (2, 9), (3, 7), (4, 4)):
        for _ in range(count):
            reported(session, S.NEW, category=category)
    for _ in range(4):
        reported(session, S.CLOSED, category=1)
    found = counted(session, least=5)
    assert [row.hidden for row in found.categories] == [False, False, True, True]
    assert {"solved", "median_days"} <= set(found.categories[0].few), "four solved ones tell of four people"
    assert found.all is not None and not found.all.hidden
    assert not any(row.hidden for row in counted(session, least=1).categories)
    reported(session, S.NEW, category=5)
    found = counted(session, least=5)
    assert [row.hidden for row in found.categories] == [False, False, False, True, True], (
        "two hide each other"
    )


def test_few_requests_in_all_are_hidden(session: Session) -> None:
    for _ in range(4):
        reported(session, S.NEW)
    found = counted(session, least=5)
    assert found.all is not None and found.all.hidden
    assert [row.hidden for row in found.categories] == [True]


def rated(session: Session, stars: Sequence[int], **values: Any) -> None:
    for each in stars:
        request = reported(session, S.REPLIED, **values)
        closing.answer(session, request.id, solved=True)
        ratings.rate(session, request.id, each)


def test_mean_rating_is_shown_unless_few(
    session: Session,
) -> None:
    rated(session, [5, 4, 3, 2, 5, 5], category=1)
    rated(session, [1, 1, 1, 1, 1], category=2)
    found = counted(session, least=5)
    assert [(row.figures.rated, row.figures.satisfaction) for row in found.categories] == [(6, 4), (5, 1)]
    assert found.all and not found.all.few
    rated(session, [1, 1, 1, 1], category=3)
    reported(session, S.NEW, category=3)
    found = counted(session, least=5)
    few = {row.figures.category: {"rated", "satisfaction"} & set(row.few) for row in found.categories}
    assert not few[1] and few[2] == few[3] == {"rated", "satisfaction"}, (
        "four tell of one, and one more hides them"
    )


def test_rating_stays_with_the_answering_department(
    session: Session,
) -> None:
    request = reported(session, S.NEW)
    first = refer(session, request)
    work.reply(session, request, who="u", reply="ترمیم شد")
    closing.answer(session, request.id, solved=False)
    ratings.rate(session, request.id, 1)
    session.refresh(request)
    second = refer(session, request)
    reported(session, S.REPLIED, department_id=first.id)
    of = {row.name_fa: row.figures.rated for row in counted(session).departments}
    assert of == {first.name_fa: 1, second.name_fa: 0}
