"""Supervisors hear of what nobody has taken: after how long, whom, how often, and what ends it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import OutboxKind, OutboxMessage, UrgentMatter
from hotline.line import urgent_calls
from hotline.requests import urgent
from settings import Settings
from tests import factories as make

FIRST, SECOND = "+989130000001", "+989130000002"


@pytest.fixture
def city(settings: Settings) -> Settings:
    return settings.model_copy(update={"supervisor_numbers": (FIRST, SECOND)})


def matter(session: Session, minutes: float = 5, **values: Any) -> UrgentMatter:
    """An urgent request that was filed so long ago."""
    request = make.a_request(session, **values)
    one = UrgentMatter(request_id=request.id, made_at=now(session) - timedelta(minutes=minutes))
    session.add(one)
    session.flush()
    return one


def rings(session: Session, city: Settings) -> tuple[str, str] | None:
    due = urgent_calls.find_due(session, city)
    return urgent_calls.take_up(session, due, city) if due else None


def later(session: Session) -> None:
    session.expire_all()
    for one in session.scalars(select(UrgentMatter)):
        one.again_at = now(session)
    session.flush()


@pytest.mark.parametrize(("minutes", "called"), [(4.9, False), (5, True)])
def test_urgent_request_calls_the_supervisor_after_five_minutes(
    session: Session, city: Settings, minutes: float, called: bool
) -> None:
    matter(session, minutes)
    assert (rings(session, city) is not None) is called


def test_urgent_request_without_a_supervisor_calls_nobody(session: Session, settings: Settings) -> None:
    matter(session)
    assert urgent_calls.find_due(session, settings) is None
    assert urgent_calls.queue_texts(session, settings) == 0


def test_supervisors_are_called_in_turn_three_times(session: Session, city: Settings) -> None:
    matter(session)
    called = []
    while call := rings(session, city):
        called.append(call[1])
        assert urgent_calls.find_due(session, city) is None  # one call at a time
        urgent_calls.record_end(session, call[0])
        assert urgent_calls.find_due(session, city) is None  # and not at once
        later(session)
    assert called == [FIRST, SECOND] * 3


def test_own_fault_counts_as_no_attempt(session: Session, city: Settings) -> None:
    one = matter(session)
    call = rings(session, city)
    assert call
    urgent_calls.record_end(session, call[0], ours=True)
    session.refresh(one)
    assert (one.tries, one.token) == (0, None)


def test_second_matter_calls_the_next_supervisor(session: Session, city: Settings) -> None:
    first, second = matter(session, 7), matter(session, 6)
    call = rings(session, city)
    assert call and urgent_calls.find_by_token(session, call[0]) == first
    urgent_calls.record_end(session, call[0])
    call = rings(session, city)
    assert call and urgent_calls.find_by_token(session, call[0]) == second


def test_taken_matter_calls_nobody(session: Session, city: Settings) -> None:
    one = matter(session)
    due = urgent_calls.find_due(session, city)
    assert due == one.id
    urgent.take(session, one.id, who="sara")
    assert urgent_calls.take_up(session, due, city) is None
    assert urgent_calls.find_due(session, city) is None


def test_late_matter_texts_each_supervisor_once(session: Session, city: Settings) -> None:
    matter(session)
    assert (urgent_calls.queue_texts(session, city), urgent_calls.queue_texts(session, city)) == (1, 0)
    sent = select(OutboxMessage.to).where(OutboxMessage.kind == OutboxKind.URGENT)
    assert session.scalars(sent.order_by(OutboxMessage.to)).all() == [FIRST, SECOND]


def test_flood_of_matters_texts_at_most_ten_an_hour(session: Session, city: Settings) -> None:
    for _ in range(12):
        matter(session)
    urgent_calls.queue_texts(session, city)
    sent = select(OutboxMessage).where(OutboxMessage.to == FIRST)
    assert len(session.scalars(sent).all()) == 10


def test_delayed_matters_are_texted_in_the_next_hour(session: Session, city: Settings) -> None:
    matters = [matter(session) for _ in range(12)]
    assert urgent_calls.queue_texts(session, city) == 10
    session.flush()
    assert [one.texted_at is not None for one in matters] == [True] * 10 + [False] * 2
    assert urgent_calls.queue_texts(session, city) == 0
    for sent in session.scalars(select(OutboxMessage)):
        sent.made_at -= timedelta(hours=1)
    session.flush()
    assert urgent_calls.queue_texts(session, city) == 2
    to_first = select(OutboxMessage).where(OutboxMessage.to == FIRST)
    assert len(session.scalars(to_first).all()) == 12


def test_other_number_comes_before_the_rest_of_a_flood(session: Session, city: Settings) -> None:
    flood = [matter(session, 20, number=FIRST) for _ in range(5)]
    other = matter(session, number=None)
    called = []
    while due := urgent_calls.find_due(session, city):
        urgent.get(session, due).again_at = now(session) + timedelta(minutes=1)
        session.flush()
        called.append(due)
    assert called == [one.id for one in (*flood[:3], other, *flood[3:])]
    urgent_calls.queue_texts(session, city)
    session.flush()
    texts = select(OutboxMessage.request_id).where(OutboxMessage.to == SECOND).order_by(OutboxMessage.id)
    assert session.scalars(texts).all() == [urgent.get(session, id_).request_id for id_ in called]


def test_own_fault_moves_on_to_the_next_supervisor(session: Session, city: Settings) -> None:
    one = matter(session)
    called = []
    for ours in (True, False, False):
        call = rings(session, city)
        assert call
        called.append(call[1])
        urgent_calls.record_end(session, call[0], ours=ours)
        later(session)
    assert called == [FIRST, SECOND, FIRST]
    session.refresh(one)
    assert (one.tries, one.faults) == (2, 1)
