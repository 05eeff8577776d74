"""Answers by text message: the request's number, and then the citizen's words.

The words answer a department's question. To «is it solved?» they are yes or no, then perhaps 1 to 5 or a
reason. The sender's number can be forged, so the request's number has to stand first.
"""

import re
from typing import NamedTuple

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import BlockedNumber, Request
from db.states import RequestState, RequestStep
from hotline import numbers
from hotline.errors import Refused
from hotline.requests import closing, department_work, lifecycle, ratings

_BEGINS = re.compile(r"\W*(?:137\W*)?((?:[0-9][ -]?){8}[0-9])(?![0-9])[\s:،,.-]*")


_VERDICT = re.compile(r"([^\W\d_]+|\d+)[\s،,.:؛!-]*(.*)", re.DOTALL)
_YES = {"1", "بله", "بلی", "آره", "اره", "yes"}
_NO = {"2", "نه", "خیر", "نخیر", "no"}
_LETTERS = str.maketrans("يى", "یی")  # Arabic keyboards send these letters
_LONGEST_REASON = 500


class Verdict(NamedTuple):
    """Citizen's verdict: solved or not, and perhaps a rating of 1 to 5 or the reason why not."""

    solved: bool
    stars: int | None
    reason: str


class Said(NamedTuple):
    """Answer of a citizen about their own request: words to a question, or a verdict."""

    request: Request
    words: str
    verdict: Verdict | None = None


def find(session: Session, number: str, text: str) -> Said | None:
    """Return the answer in this text message of the E.164 number; None if it answers no open question."""
    begins = _BEGINS.match(numbers.convert_digits(text))
    words = text[begins.end() :].strip() if begins else ""
    if begins is None or not words or session.get(BlockedNumber, number) is not None:
        return None
    try:
        request = lifecycle.get_by_tracking(session, begins[1])
    except Refused:
        return None
    if request.number != number:
        return None
    if department_work.find_question_text(session, request):
        return Said(request, words[: department_work.LONGEST_ANSWER])
    verdict = parse_answer(words)
    may_say = lifecycle.find_progress(session, request).asked or ratings.answer_of(session, request)
    return Said(request, words, verdict) if verdict and may_say else None


def parse_answer(words: str) -> Verdict | None:
    """Parse «yes» or «no», in words or as keys; a single digit after it is the rating."""
    plain = numbers.convert_digits(words)
    said = _VERDICT.match(plain)
    if said is None:
        return None
    first, rest = said[1].translate(_LETTERS).lower(), said[2].strip()
    stars = int(rest) if rest in ("1", "2", "3", "4", "5") else None
    if first in _YES:
        return Verdict(True, stars, "") if stars or not rest else None  # a person must read a «yes, but»
    if first in _NO:
        reason = "" if stars else words[said.start(2) :].strip()[:_LONGEST_REASON]
        return Verdict(False, stars, reason)
    return None


def take(session: Session, said: Said) -> str:
    """Record the answer. Return the name of the text that replies to it."""
    if said.verdict is None:
        department_work.record_citizen_answer(session, said.request.id, said.words)
        return "said"
    try:
        return _judged(session, said.request, said.verdict)
    except Refused:
        return "answered"


def _judged(session: Session, request: Request, verdict: Verdict) -> str:
    text = "rated"
    if lifecycle.find_progress(session, request).asked:
        closing.answer(session, request.id, solved=verdict.solved, note=verdict.reason)
        text = "solved" if verdict.solved else "unsolved"
    elif verdict.solved and request.state in (RequestState.REOPENED, RequestState.SPLIT):
        closing.take_back_objection(session, request.id)
        text = "solved"
    answer = ratings.answer_of(session, request)
    if verdict.stars is None:
        return text if text != "rated" else "answered"
    if answer is None or (answer.step is RequestStep.CONFIRMED) is not verdict.solved:
        return "answered"
    ratings.rate(session, request.id, verdict.stars)
    return "rated"


def find_asked(session: Session, number: str) -> Request | None:
    """Return the latest request of this number with an open question, a department's question first."""
    mine, part = select(Request).where(Request.number == number), aliased(Request)
    of_part = exists().where(part.part_of_id == Request.id, part.state == RequestState.ASKED)
    for state in (or_(Request.state == RequestState.ASKED, of_part), Request.state == RequestState.REPLIED):
        latest = mine.where(state).order_by(Request.id.desc()).limit(1)
        if found := session.scalars(latest).first():
            return found
    return None
