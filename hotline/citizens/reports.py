"""Requests of signed-in citizens: filing, and answers about the solution. One key makes one request."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Picture, PictureKind, Request, RequestEntry
from db.states import RequestStep
from db.trusted_time import STEP
from hotline.errors import Refused
from hotline.line import blocked
from hotline.pictures import attachments
from hotline.requests import categories, closing, department_work, filing, parts, places, ratings, work
from hotline.requests.places import Point
from hotline.uploads import pending_uploads
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as a citizen files it. `pictures`: names of uploaded ones; `answers`: to the category's
    questions.

    `voice`: a finished upload; a citizen who speaks need not write.
    """

    category: int
    text: str
    answers: Sequence[str]
    district: int | None
    point: Point | None
    place: str
    pictures: Sequence[str]
    voice: str | None = None
    language: str

    @property
    def digest(self) -> str:
        """Return a hash that is equal for equal reports."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def file(session: Session, number: str, key: str, report: Report, settings: Settings) -> tuple[Request, bool]:
    """File a request, or find the one filed under the same `key` of this number. Return it, and whether it is
    new.

    Raises Blocked, Refused("key-reused" | "too-many-reports" | "place-missing" | "place-outside" |
    "place-long" | "picture-unknown").

    Also raises Refused("voice-unknown" | "answers-unasked" | "category-inactive" | "text-missing" |
    "text-long").
    """
    hold_lock(session, f"reports-{number}")
    if found := session.scalar(_SAME, {"number": number, "key": key}):
        if found.report_hash != report.digest:
            raise Refused("key-reused", "something else was reported under this key")
        return found, False
    blocked.check(session, number)
    _may_report(session, number, settings.reports_per_day)
    place = report.place.strip()
    places.check(report.point, place, settings.bounds)
    places.check_district(report.district, settings)
    category = categories.get_active(session, report.category)
    shown = attachments.lock_waiting(session, report.pictures, Picture.number == number)
    spoken = pending_uploads.take_voice(session, number, report.voice) if report.voice else None
    latitude, longitude = report.point or (None, None)
    request = filing.file(
        session,
        number=number,
        category=category.id,
        district=places.find_district(report.point, settings.districts_file) or report.district,
        written=filing.append_answers(
            report.text, report.answers, category, report.language, spoken=spoken is not None
        ),
        voice_message=spoken,
        language=report.language,
        week=settings.working_week,
        latitude=latitude,
        longitude=longitude,
        place=place,
        report_key=key,
        report_hash=report.digest,
    )
    attachments.give(session, shown, request.id, PictureKind.BEFORE, new=True)
    return request, True


_SAME = select(Request).where(Request.number == bindparam("number"), Request.report_key == bindparam("key"))
_SINCE = select(func.count(), func.min(Request.made_at)).where(
    Request.number == bindparam("number"),
    Request.report_key.is_not(None),
    Request.made_at.between(bindparam("since"), bindparam("until")),
)


def _may_report(session: Session, number: str, most: int) -> None:
    at = now(session)
    since = at - timedelta(days=1)
    # a later row was stamped by a clock that has been set back since
    count, oldest = session.execute(_SINCE, {"number": number, "since": since, "until": at + STEP}).one()
    if count >= most:
        after_s = max(1, round((oldest - since).total_seconds()))
        raise Refused("too-many-reports", f"at most {most} reports in 24 hours", after_s=after_s)


def get(session: Session, number: str, tracking: str) -> Request:
    """Return the number's own request. Raises Refused("not-found"), also for another number's request."""
    mine = select(Request).where(Request.number == number, Request.tracking == tracking)
    request = session.scalar(mine)
    if request is None:
        raise Refused("not-found", "you have no such request")
    return request


def confirm(session: Session, number: str, tracking: str, answer: datetime | None = None) -> Request:
    """Confirm that the request is solved; `answer`: the time of the reply that the citizen has read.

    Raises Blocked and Refused("not-found" | "answer-over" | "wrong-state").
    """
    blocked.check(session, number)
    request = work.get_for_update(session, get(session, number, tracking).id)
    if answer and request.replied_at != answer:
        raise Refused("answer-over", "the city has said something else since")
    closing.answer(session, request.id, solved=True)
    return request


@dataclass(frozen=True, kw_only=True)
class Objection:
    """A citizen's objection: the reason, pictures, and the positions of the unsolved parts (none: all).

    `answer`: the time of the reply that the citizen has read; the same objection to the same reply counts
    once.
    """

    reason: str
    pictures: Sequence[str] = ()
    parts: Sequence[int] = ()
    answer: datetime | None = None


def object_to(session: Session, number: str, tracking: str, objection: Objection) -> Request:
    """Record an objection: the request is not solved.

    Raises Blocked and Refused("not-found" | "reason-missing" | "picture-unknown" | "part-unknown" |
    "answer-over" | "wrong-state").
    """
    blocked.check(session, number)
    request = work.get_for_update(session, get(session, number, tracking).id)
    reason, answer = objection.reason.strip(), objection.answer
    if not reason:
        raise Refused("reason-missing", "say what is not solved")
    if answer and _is_said(session, request, reason, answer):
        return request
    if answer and request.replied_at != answer:
        raise Refused("answer-over", "the city has said something else since")
    its = {place: part.id for place, part in parts.list_solved(session, request)}
    named = [its.get(place, 0) for place in objection.parts]
    handed = attachments.lock_waiting(session, objection.pictures, Picture.number == number)
    closing.answer(session, request.id, solved=False, note=reason, named=named)
    attachments.give(session, handed, request.id, PictureKind.OBJECTION)
    return request


def _is_said(session: Session, request: Request, reason: str, answer: datetime) -> bool:
    """Return whether this was the citizen's objection to that reply: the first objection after it."""
    after = select(RequestEntry).where(
        RequestEntry.request_id == request.id,
        RequestEntry.step == RequestStep.DENIED,
        RequestEntry.at > answer,
    )
    said = session.scalars(after.order_by(RequestEntry.id).limit(1)).first()
    return said is not None and (said.who, said.note) == ("", reason)


def rate(session: Session, number: str, tracking: str, stars: int, said: int | None = None) -> Request:
    """Rate the outcome after the citizen's yes or no; `said`: the id of that answer, if known.

    Raises Blocked and Refused("not-found" | "wrong-state" | "answer-over" | "rating-over").
    """
    blocked.check(session, number)
    request = get(session, number, tracking)
    ratings.rate(session, request.id, stars, said)
    return request


def answer_question(
    session: Session, number: str, tracking: str, answer: str, question: int | None = None
) -> Request:
    """Answer the department's question; `question`: its id, if known.

    Raises Blocked and Refused("not-found" | "text-missing" | "text-long" | "wrong-state" | "question-over").
    """
    blocked.check(session, number)
    mine = get(session, number, tracking)
    return department_work.record_citizen_answer(session, mine.id, answer, question=question)
