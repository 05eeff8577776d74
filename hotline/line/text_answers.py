"""A text message that answers a department's question: the report's number, and then the citizen's words.

The sender's number can be forged, so the number of the report has to stand before the words.
"""

import re
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import BlockedNumber, Request
from db.states import RequestState
from hotline import numbers
from hotline.errors import Refused
from hotline.requests import department_work, requests

_BEGINS = re.compile(r"\W*(?:137\W+)?((?:[0-9][ -]?){8}[0-9])(?![0-9])[\s:،,.-]*")


class Said(NamedTuple):
    """What a citizen says about a request of theirs."""

    request: Request
    words: str


def find(session: Session, number: str, text: str) -> Said | None:
    """What this text message of the E.164 number answers, if it does: a question that is still open."""
    begins = _BEGINS.match(numbers.ascii_digits(text))
    words = text[begins.end() :].strip() if begins else ""
    if begins is None or not words or session.get(BlockedNumber, number) is not None:
        return None
    try:
        request = requests.get_by_tracking(session, begins[1])
    except Refused:
        return None
    if request.number != number or not department_work.question_of(session, request):
        return None
    return Said(request, words[: department_work.LONGEST_ANSWER])


def take(session: Session, said: Said) -> None:
    """Hand the answer on."""
    department_work.citizen_answers(session, said.request.id, said.words)


def asked(session: Session, number: str) -> Request | None:
    """The request of this number about which something is asked, the latest one."""
    mine = select(Request).where(Request.number == number, Request.state == RequestState.ASKED)
    return session.scalars(mine.order_by(Request.id.desc()).limit(1)).first()
