"""Text messages of citizens, and the next round that they speak of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Official, OutboxMessage, Round
from hotline.rounds import planning
from scheduler import wording
from settings import CITY
from tests.factories import HOUR, a_round

START = datetime(2117, 3, 3, 9, 0, tzinfo=CITY)


def told(session: Session) -> Sequence[OutboxMessage]:
    return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()


def said(session: Session, text_message: OutboxMessage) -> str | None:
    session.flush()
    found = wording.find_words(session, text_message)
    return found and found.text


def two_rounds(session: Session) -> tuple[Round, Round]:
    """Make a live round of the mayor. The next one is at 9 on Wednesday the 12th of Esfand 1495."""
    first = a_round(session)
    return first, next_round(session, first.official)


def next_round(session: Session, official: Official, **values: Any) -> Round:
    return planning.make(
        session,
        official=official,
        registration_from=START - 24 * HOUR,
        registration_until=START,
        starts_at=START,
        ends_at=START + 3 * HOUR,
        short_notice=True,
        **values,
    )
