"""File a request: spoken by a caller, written by a desk, filed in the app, or sent by a program."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Category, OutboxKind, Registration, Request
from db.states import RequestStep
from hotline import tickets
from hotline.errors import Refused
from hotline.messages import outbox
from hotline.requests import categories, urgent, working_time
from hotline.requests.lifecycle import log
from settings import WorkingWeek

LONGEST = 2000
"""Maximum length, in characters, of a text that a desk writes."""
_INSERT = {
    name: insert(Request).on_conflict_do_nothing(index_elements=["tracking"]).returning(Request)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def report(
    session: Session,
    *,
    number: str | None,
    category: int,
    district: int | None,
    voice_message: str,
    language: str,
    week: WorkingWeek,
    call_id: str | None = None,
) -> str:
    """Record a problem that a caller has spoken into a file; return its tracking number.

    `call_id` is the channel's id; a call script that restarts finds the request by it
    (`lifecycle.find_by_call`).
    """
    said = {"number": number, "category": category, "district": district, "voice_message": voice_message}
    said["call_id"] = call_id
    return _in_haste(session, _record(session, "", week, language=language, **said)).tracking


def write(
    session: Session,
    *,
    number: str | None,
    category: int,
    district: int | None,
    written: str,
    language: str,
    week: WorkingWeek,
    who: str,
    registration_id: int | None = None,
) -> Request:
    """Record a problem in the words of `who`; with a registration, the request belongs to its citizen.

    Raises Refused("text-missing" | "text-long" | "category-inactive" | "not-found").
    """
    written = _checked(written)
    categories.get_active(session, category)
    if registration_id is not None:
        citizen = session.get(Registration, registration_id)
        if citizen is None:
            raise Refused("not-found", f"no registration {registration_id}")
        number, language = citizen.number, citizen.language
    said = {"number": number, "category": category, "district": district, "written": written}
    return _record(session, who, week, language=language, registration_id=registration_id, **said)


def file(
    session: Session,
    *,
    number: str | None,
    category: int,
    district: int | None,
    written: str,
    language: str,
    week: WorkingWeek,
    longest: int = LONGEST,
    voice_message: str | None = None,
    **told: Any,
) -> Request:
    """Record what a citizen wrote or said in the app; `told` are further columns of Request.

    Raises Refused("text-missing" | "text-long" | "category-inactive").
    """
    said: dict[str, Any] = {"number": number, "category": category, "district": district}
    said["voice_message"] = voice_message
    said["written"] = _checked(written, longest, spoken=voice_message is not None)
    categories.get_active(session, category)
    return _in_haste(session, _record(session, "", week, language=language, **said, **told))


def _in_haste(session: Session, request: Request) -> Request:
    """Alert all desks if a citizen files the request in an urgent category, and return the request.

    A request that a desk writes needs no alert: somebody knows of it.
    """
    if categories.get(session, request.category).urgent:
        urgent.add_from_request(session, request)
    return request


def append_answers(
    text: str, answers: Sequence[str], category: Category, language: str, *, spoken: bool = False
) -> str:
    """Return the citizen's words followed by each answered question. Raises Refused("answers-unasked").

    Without words it returns an empty text, unless they are `spoken`.
    """
    if len(answers) > len(category.questions):
        raise Refused("answers-unasked", f"it has {len(category.questions)} questions", "answers")
    asked = zip(category.questions, map(str.strip, answers), strict=False)
    answered = [f"{question[language]}\n{answer}" for question, answer in asked if answer]
    text = text.strip()
    return "\n\n".join([text, *answered]).strip() if text or spoken else ""


def _checked(written: str, longest: int = LONGEST, *, spoken: bool = False) -> str:
    written = written.strip()
    if not written and not spoken:
        raise Refused("text-missing", "say what the problem is")
    if len(written) > longest:
        raise Refused("text-long", f"at most {longest} characters")
    return written


def _record(session: Session, who: str, week: WorkingWeek, **values: Any) -> Request:
    at, category = now(session), categories.get(session, values["category"])
    promised = categories.find_promised_times(category)
    values["answer_by"], values["solve_by"] = working_time.find_all_due_by_calendar(
        session, at, promised, week
    )
    request = add(session, made_at=at, **values)
    outbox.tell_of_request(session, OutboxKind.REQUEST_REPORTED, request)
    # last: other transactions wait for the ledger's lock until the commit
    log(session, request, RequestStep.REPORTED, who)
    return request


def add(session: Session, **values: Any) -> Request:
    """Insert a request under a new tracking number, without a history. Raises Refused("tickets-used-up")."""
    insert = _INSERT[session.get_bind().dialect.name]
    for tracking in tickets.offer_numbers(session, Request.tracking, tickets.TRACKING):
        if request := session.scalar(insert, {"tracking": tracking, **values}):
            return request
    raise Refused("tickets-used-up", "no free tracking number was found")
