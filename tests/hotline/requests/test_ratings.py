"""How satisfied a citizen is: said after the yes or no, once for each, and changed for a day."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Rating, Request
from hotline.citizens import belongings, erasure
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


def test_given_no_answer_yet_when_rated_then_it_is_refused(session: Session, request_: Request) -> None:
    with pytest.raises(Refused, match="wrong-state"):
        ratings.rate(session, request_.id, 5)


@pytest.mark.parametrize("solved", [True, False])
def test_given_an_answer_when_rated_twice_then_the_last_counts_for_a_day_and_then_not(
    session: Session, request_: Request, solved: bool
) -> None:
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


def test_given_a_new_reply_when_answered_again_then_it_is_rated_anew_and_not_before(
    session: Session, request_: Request
) -> None:
    closing.answer(session, request_.id, solved=False)
    ratings.rate(session, request_.id, 1)
    session.refresh(request_)
    work.reply(session, request_, who="u", reply="ترمیم شد")
    with pytest.raises(Refused, match="wrong-state"):
        ratings.rate(session, request_.id, 5)
    closing.answer(session, request_.id, solved=True)
    ratings.rate(session, request_.id, 5)
    assert stars(session) == [1, 5]


def test_given_a_person_who_is_deleted_when_looked_then_their_satisfaction_was_exported_and_is_gone(
    session: Session, request_: Request
) -> None:
    closing.answer(session, request_.id, solved=True)
    ratings.rate(session, request_.id, 4)
    (told,) = belongings.export(session, NUMBER, who="citizen")["requests"]
    assert [each["of_5"] for each in told["satisfaction"]] == [4]
    erasure.delete_citizen(session, NUMBER, who="citizen", give_up=True)
    assert stars(session) == []
