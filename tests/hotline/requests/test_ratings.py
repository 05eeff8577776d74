"""How satisfied a citizen is: said after the yes or no, once for each, and changed for a day."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Rating, Request
from hotline.citizens import account_contents, erasure
from hotline.errors import Refused
from hotline.requests import closing, ratings, work
from tests.factories import a_request
from tests.hotline.requests.office import S

NUMBER = "+989131234567"


@pytest.fixture
def request_(session: Session) -> Request:
    return a_request(session, S.REPLIED, number=NUMBER)


def stars(session: Session) -> list[int]:
    return list(session.scalars(select(Rating.stars).order_by(Rating.id)))


def test_rating_before_an_answer_is_refused(session: Session, request_: Request) -> None:
    with pytest.raises(Refused, match="wrong-state"):
        ratings.rate(session, request_.id, 5)


@pytest.mark.parametrize("solved", [True, False])
def test_rating_can_be_changed_for_a_day(session: Session, request_: Request, solved: bool) -> None:
    closing.answer(session, request_.id, solved=solved)
    ratings.rate(session, request_.id, 5)
    ratings.rate(session, request_.id, 2)
    assert stars(session) == [2]
    session.execute(update(Rating).values(at=now(session) - timedelta(days=1)))
    session.expire_all()
    ratings.rate(session, request_.id, 2)
    with pytest.raises(Refused, match="rating-over"):
        ratings.rate(session, request_.id, 3)
    assert stars(session) == [2]


def test_new_reply_is_rated_anew(session: Session, request_: Request) -> None:
    closing.answer(session, request_.id, solved=False)
    ratings.rate(session, request_.id, 1)
    session.refresh(request_)
    work.reply(session, request_, who="u", reply="ترمیم شد")
    with pytest.raises(Refused, match="wrong-state"):
        ratings.rate(session, request_.id, 5)
    closing.answer(session, request_.id, solved=True)
    ratings.rate(session, request_.id, 5)
    assert stars(session) == [1, 5]


def test_rating_is_exported_and_deleted_with_its_citizen(session: Session, request_: Request) -> None:
    closing.answer(session, request_.id, solved=True)
    ratings.rate(session, request_.id, 4)
    (told,) = account_contents.export(session, NUMBER, who="citizen")["requests"]
    assert [each["of_5"] for each in told["satisfaction"]] == [4]
    erasure.delete_citizen(session, NUMBER, who="citizen", give_up=True)
    assert stars(session) == []
