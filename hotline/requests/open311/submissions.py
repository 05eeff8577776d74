"""Requests that a program files with its API key (Open311). The same key and content make one request."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Category, Request
from db.trusted_time import STEP
from hotline import control_characters, numbers
from hotline.errors import Refused
from hotline.requests import filing, places
from hotline.requests.places import Point
from settings import Settings

LONGEST = 4000
"""Maximum length of a description in characters, as the Open311 specification says."""
LONGEST_ANSWER = 200
_SAME = timedelta(minutes=1)
_IRAN = ("+98",)
_CONTACT = 40


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A problem as a program reports it. `phone` is the citizen's own spelling, and proves nothing."""

    service: str
    text: str
    answers: Sequence[str]
    point: Point | None
    place: str
    phone: str
    language: str

    @property
    def digest(self) -> str:
        """Return a hash that is equal for equal reports."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def file(
    session: Session, api_key_id: int, idempotency_key: str | None, brought: Brought, settings: Settings
) -> tuple[Request, bool]:
    """Record the report, or find the request recorded under the same key. Return it, and whether it is new.

    Without an `idempotency_key`, a report with the same content within a minute is the same report.

    Raises Refused("service-unknown" | "key-reused" | "too-many-reports" | "place-missing" | "place-outside" |
    "place-long"), or one of Refused("answers-unasked" | "answers-long" | "text-long").
    """
    hold_lock(session, f"brought-by-{api_key_id}")
    if found := _same(session, api_key_id, idempotency_key, brought.digest):
        return found, False
    category = get_service(session, brought.service)
    contact = normalize_contact(brought.phone, settings.allowed_prefixes)
    _may_name(session, contact, settings.reports_per_day)
    place = control_characters.clean(brought.place).strip()
    places.check(brought.point, place, settings.bounds)
    latitude, longitude = brought.point or (None, None)
    request = filing.file(
        session,
        number=None,
        category=category.id,
        district=places.find_district(brought.point, settings.districts_file),
        written=_written(brought, category),
        language=brought.language,
        week=settings.working_week,
        longest=LONGEST + len(category.questions) * 2 * (LONGEST_ANSWER + 2),
        latitude=latitude,
        longitude=longitude,
        place=place,
        report_key=idempotency_key or secrets.token_hex(32),
        report_hash=brought.digest,
        api_key_id=api_key_id,
        contact=contact,
    )
    return request, True


def get_service(session: Session, code: str) -> Category:
    """Return the active category with this code. Raises Refused("service-unknown")."""
    category = session.scalar(select(Category).where(Category.code == code, Category.active))
    if category is None:
        raise Refused("service-unknown", "service_code was not found", "service_code")
    return category


def normalize_contact(phone: str, home: Sequence[str]) -> str:
    """Return the form in which a citizen's telephone number is stored: E.164 if it is Iranian, else the text
    itself.

    `home` are the prefixes that the city calls. At most 40 characters of a text are stored.
    """
    try:
        return numbers.parse(phone, _IRAN, home)
    except Refused:
        return " ".join(control_characters.clean(phone).split())[:_CONTACT]


def get_by_token(session: Session, api_key_id: int, token: str) -> Request:
    """Return the request that the program filed with this Idempotency-Key. Raises Refused("not-found")."""
    mine = select(Request).where(Request.api_key_id == api_key_id, Request.report_key == token)
    request = session.scalar(mine)
    if request is None:
        raise Refused("not-found", "nothing was brought with this token")
    return request


def _same(session: Session, api_key_id: int, key: str | None, digest: str) -> Request | None:
    mine = select(Request).where(Request.api_key_id == api_key_id)
    if key is None:
        at = now(session)
        just_now = Request.report_hash == digest, Request.made_at.between(at - _SAME, at + STEP)
        return session.scalars(mine.where(*just_now).order_by(Request.id).limit(1)).first()
    found = session.scalar(mine.where(Request.report_key == key))
    if found and found.report_hash != digest:
        raise Refused("key-reused", "something else was sent with this Idempotency-Key")
    return found


def _may_name(session: Session, contact: str, most: int) -> None:
    """Check that the reports of the last 24 hours name this contact less often than `most` times.

    Only Iranian numbers are checked; the limit is the same as for a citizen's reports in the app. Raises
    Refused("too-many-reports").
    """
    if not contact.startswith(_IRAN):
        return
    hold_lock(session, f"contact-{contact}")
    at = now(session)
    since = at - timedelta(days=1)
    # a later row was stamped by a clock that has been set back since
    named = Request.contact == contact, Request.made_at.between(since, at + STEP)
    count, oldest = session.execute(select(func.count(), func.min(Request.made_at)).where(*named)).one()
    if count >= most:
        after_s = max(1, round((oldest - since).total_seconds()))
        raise Refused("too-many-reports", f"at most {most} reports in 24 hours", "phone", after_s=after_s)


def _written(brought: Brought, category: Category) -> str:
    """Return the request's text; without a description the service's name stands in it.

    The Open311 specification does not require a description. Raises Refused("text-long" | "answers-long").
    """
    text = control_characters.clean(brought.text).strip()
    if len(text) > LONGEST:
        raise Refused("text-long", f"at most {LONGEST} characters", "description")
    answers = [control_characters.clean(answer).strip() for answer in brought.answers]
    if any(len(answer) > LONGEST_ANSWER for answer in answers):
        raise Refused("answers-long", f"an answer has at most {LONGEST_ANSWER} characters", "attribute")
    name = category.name_fa if brought.language == "fa" else category.name_en
    return filing.append_answers(text or name, answers, category, brought.language)
