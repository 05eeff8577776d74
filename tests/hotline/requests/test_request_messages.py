"""Messages to a citizen about the own request."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import BlockReason, OutboxMessage
from hotline.line import blocked
from hotline.requests import closing, work
from scheduler import wording
from tests.factories import a_request
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def test_message_reads_number_and_reply_while_true(
    session: Session,
) -> None:
    request = a_request(session, number="+989131112233")
    work.reply(session, request, who="u", reply="ترمیم شد " * 20)
    session.flush()
    text_message = session.scalars(select(OutboxMessage)).one()
    said = wording.find_words(session, text_message)
    assert said and said.to == "+989131112233"
    assert "۱۳۷" in said.text and "ترمیم شد" in said.text and "…" in said.text
    closing.answer(session, request.id, solved=True)
    assert wording.find_words(session, text_message) is None, "nobody is asked who has answered"


def test_blocked_number_gets_no_message(session: Session) -> None:
    request = a_request(session, number="+989131112233")
    work.tell(session, request, who="u", reply="در دست اقدام است")
    blocked.block(session, "+989131112233", BlockReason.OWNER)
    session.flush()
    assert wording.find_words(session, session.scalars(select(OutboxMessage)).one()) is None
