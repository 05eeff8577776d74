"""A citizen wishes to know of an office's next round, and is told once."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import BlockReason, Official, OutboxKind, OutboxMessage, Round
from hotline.citizens import account_contents, erasure, round_alerts
from hotline.errors import Blocked, Refused
from hotline.line import blocked, registration
from hotline.rounds import phases, planning
from scheduler import wording
from tests.factories import HOUR, a_number, an_official


@pytest.fixture
def office(session: Session) -> Official:
    made = an_official(session)
    session.flush()
    return made


def next_round(session: Session, office: Official, *, registration_in: float = 0, late: float = 0) -> Round:
    """A round that is announced now; registered for from so many hours on, until the third."""
    at = now(session)
    times = [at + (hours + late) * HOUR for hours in (registration_in, 3, 4, 5)]
    names = ("registration_from", "registration_until", "starts_at", "ends_at")
    return planning.make(session, official=office, short_notice=True, **dict(zip(names, times, strict=True)))


def told(session: Session) -> list[OutboxMessage]:
    round_alerts.tell(session, 100)
    announced = OutboxMessage.kind == OutboxKind.ROUND_ANNOUNCED
    return list(session.scalars(select(OutboxMessage).where(announced).order_by(OutboxMessage.id)))


def said(session: Session, message: OutboxMessage) -> str | None:
    text = wording.find_words(session, message)
    return text and text.text


def wished(session: Session, office: Official, number: str = "", language: str = "fa") -> str:
    number = number or a_number()
    round_alerts.add_wish(session, number, office.id, language)
    return number


def test_wish_is_told_once_for_the_next_announced_round(session: Session, office: Official) -> None:
    number = wished(session, office, language="en")
    assert told(session) == [], "nothing is announced"
    first = next_round(session, office)
    next_round(session, office, late=10)
    (message,) = told(session)
    assert (message.to, message.round_id, message.expires_at) == (number, first.id, first.registration_until)
    assert (said(session, message) or "").startswith("A conversation with the Mayor is announced:\n")
    assert len(told(session)) == 1, "a wish is for the next one"
    assert [each.wish for each in round_alerts.list_offices(session, number)] == [None]


def test_wish_after_the_announcement_waits_for_the_next_round(session: Session, office: Official) -> None:
    next_round(session, office)
    wished(session, office)
    another = an_official(session)
    session.flush()
    wished(session, another)
    assert told(session) == []
    later = next_round(session, office, registration_in=2, late=10)
    (message,) = told(session)
    assert message.round_id == later.id
    assert "ثبت‌نام با ۱۳۷ یا برنامه:\n" in (said(session, message) or "")


def test_round_made_with_an_earlier_notice_is_told(session: Session, office: Official) -> None:
    wished(session, office)
    round_ = next_round(session, office, registration_in=-0.2)
    assert round_.announce_at < now(session) - HOUR / 10
    assert [each.round_id for each in told(session)] == [round_.id]


def test_renewed_wish_hears_of_the_next_round(session: Session, office: Official) -> None:
    number = wished(session, office)
    first = next_round(session, office)
    assert len(told(session)) == 1
    wished(session, office, number)
    other = wished(session, office)
    first.start_set_at = now(session)
    session.flush()
    assert [each.to for each in told(session)] == [number, other]
    later = next_round(session, office, late=10)
    assert [(each.to, each.round_id) for each in told(session)][2:] == [(number, later.id)]


def test_outdated_wish_message_is_not_sent(session: Session, office: Official) -> None:
    one, other = wished(session, office), wished(session, office)
    round_ = next_round(session, office)
    first, second = told(session)
    registration.register(session, round_id=round_.id, number=one)
    assert said(session, first) is None, "who has a place needs no word of it"
    assert said(session, second) is not None
    planning.cancel(session, round_, who="u", reason="بیماری")
    assert (second.to, said(session, second)) == (other, None)


def test_impossible_wish_is_refused(session: Session, office: Official) -> None:
    number = a_number()
    with pytest.raises(Refused, match="way-needs-mobile"):
        wished(session, office, "+983132212345")
    with pytest.raises(Refused, match="not-found"):
        round_alerts.add_wish(session, number, phases.get_operators_line(session).official.id, "fa")
    with pytest.raises(Refused, match="not-found"):
        round_alerts.add_wish(session, number, 10_000, "fa")
    blocked.block(session, number, BlockReason.NUISANCE)
    with pytest.raises(Blocked):
        wished(session, office, number)


def test_withdrawn_deleted_or_old_wish_is_not_told(session: Session, office: Official) -> None:
    number, deleted = wished(session, office), wished(session, office)
    kept = account_contents.export(session, number, who="u")["told_of_next_rounds"]
    assert [each["office"] for each in kept] == ["شهردار"]
    round_alerts.leave(session, number, office.id)
    erasure.delete_citizen(session, deleted, who="u", give_up=True)
    old = wished(session, office)
    (mine,) = [each.wish for each in round_alerts.list_offices(session, old) if each.wish]
    mine.asked_at = long_ago(mine.asked_at)
    round_alerts.forget(session)
    next_round(session, office)
    assert told(session) == []


def long_ago(at: datetime) -> datetime:
    return at - round_alerts.KEPT - HOUR
