"""Requests: a city problem is recorded whole, under a tracking number of its own."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from stdnum import damm

from db.engine import now, reading, writing
from db.models import Request
from hotline import tickets
from hotline.errors import Refused
from hotline.requests import filing, lifecycle
from tests import factories as make
from tests.factories import WEEK
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

SAID: dict[str, Any] = {
    "number": "+989131234567",
    "category": 3,
    "district": 7,
    "voice_message": "m.wav",
    "language": "fa",
}


def test_reported_problem_is_kept_whole(session: Session) -> None:
    before = now(session)
    tracking = filing.report(session, week=WEEK, **SAID)
    kept = session.scalars(select(Request)).one()
    assert {name: getattr(kept, name) for name in SAID} == SAID
    assert kept.tracking == tracking
    assert before <= kept.made_at <= now(session)


def test_request_without_number_and_district_leaves_both_open(session: Session) -> None:
    filing.report(session, week=WEEK, **SAID | {"number": None, "district": None})
    kept = session.scalars(select(Request)).one()
    assert (kept.number, kept.district) == (None, None)


@in_both
def test_simultaneous_requests_have_valid_tracking_numbers(
    engine: Engine,
) -> None:
    def report(_: int) -> str:
        with writing(engine) as session:
            return filing.report(session, week=WEEK, **SAID)

    told = make.at_once(20, report)
    assert len(set(told)) == 20
    assert all(len(number) == 9 and damm.is_valid(number) for number in told)
    with reading(engine) as session:
        assert set(session.scalars(select(Request.tracking))) == set(told)


def test_tracking_number_is_no_ticket(session: Session) -> None:
    with pytest.raises(Refused):
        tickets.parse(filing.report(session, week=WEEK, **SAID))


def test_taken_tracking_number_is_drawn_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = filing.report(session, week=WEEK, **SAID)
    free = tickets.draw(tickets.TRACKING)
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(tickets, "draw", lambda _kind: next(drawn))
    assert filing.report(session, week=WEEK, **SAID) == free
    assert session.scalar(select(func.count(Request.id))) == 2


def test_exhausted_tracking_numbers_keep_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = filing.report(session, week=WEEK, **SAID)
    monkeypatch.setattr(tickets, "offer_numbers", lambda *_: iter([taken, taken]))
    with pytest.raises(Refused) as refused:
        filing.report(session, week=WEEK, **SAID)
    assert refused.value.code == "tickets-used-up"
    assert session.scalar(select(func.count(Request.id))) == 1


def test_older_tracking_number_is_found(session: Session) -> None:
    tracking = filing.report(session, week=WEEK, **SAID)
    older = "1234567" + damm.calc_check_digit("1234567")
    session.query(Request).one().tracking = older
    session.flush()
    assert lifecycle.get_by_tracking(session, older).tracking == older
    with pytest.raises(Refused):
        lifecycle.get_by_tracking(session, tracking)


@pytest.mark.parametrize(
    ("name", "value"), [("category", 0), ("category", 10), ("district", 0), ("district", 41)]
)
def test_database_refuses_unknown_category_or_district(session: Session, name: str, value: int) -> None:
    with pytest.raises((IntegrityError, Refused)):
        filing.report(session, week=WEEK, **SAID | {name: value})
    assert session.scalar(select(func.count(Request.id))) == 0
