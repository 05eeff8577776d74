"""A citizen's telephone that sends text messages."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import OutboxMessage
from hotline.sms_inbox import commands
from scheduler import wording
from tests.hotline.sms_inbox.texting import NUMBER, Send


@pytest.fixture
def send(session: Session) -> Send:
    """Sends a text message and returns the answer as it goes out; empty if there is none."""
    names = iter(range(1000))

    def send(text: str, number: str = NUMBER, name: str = "", answers: int = 2000) -> str:
        known = session.scalars(select(OutboxMessage.id)).all()
        commands.execute(
            session,
            number,
            text,
            name or str(next(names)),
            per_day=3,
            most_answers=answers,
            public_url="http://city.example",
        )
        new = session.scalars(select(OutboxMessage).where(OutboxMessage.id.not_in(known))).all()
        assert len(new) <= 1, "one answer, and nothing besides"
        words = wording.find_words(session, new[0]) if new else None
        assert words is None or words.to == number
        return words.text if words else ""

    return send
