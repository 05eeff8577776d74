"""Public pages behind a ticket or tracking number.

One box takes both kinds, as key 2 does on the telephone. The number comes only in a POST's body: a URL would
stay in histories and logs. Guesses are limited. No page shows a telephone number or the citizen's words.
"""

import json
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, Self

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from api import cookies
from api.access import Reading
from api.my.signed_in import ACCESS
from api.pages import Asked, find_guessed, posted, render_page
from db.engine import now
from db.models import Department
from hotline import tickets
from hotline.citizens import sessions
from hotline.dates import Language
from hotline.ledger import entries, seals, steps
from hotline.line import fairness, registration
from hotline.requests import lifecycle
from hotline.rounds import phases
from hotline.rounds.notice_texts import find_speaker_name

router = APIRouter(prefix="/public", include_in_schema=False)


@router.get("/number")
def ask(request: Request, language: Asked) -> Response:
    """The form."""
    return render_page(request, "number_form.html", language, wrong=None)


@router.post("/number")
def show(
    request: Request,
    language: Asked,
    session: Reading,
    typed: Annotated[str, Depends(posted)],
) -> Response:
    """The state of the registration or request with this number.

    A signed-in citizen pays for wrong numbers alone, not with the neighbours at the same address.
    """
    of_number = _request if tickets.is_tracking(typed) else _registration
    return find_guessed(
        request,
        "number_form.html",
        language,
        lambda: of_number(request, language, session, typed),
        who=_guesser(request, session),
    )


def _guesser(request: Request, session: Session) -> str:
    """Return who pays for a wrong number. It needs no second connection, for which requests would wait."""
    access = cookies.read_cookie(request, ACCESS)
    citizen = sessions.find_by_access(session, access) if access else None
    return f"citizen {citizen.number}" if citizen else cookies.find_address(request)


def _registration(request: Request, language: Language, session: Session, typed: str) -> Response:
    ticket = tickets.parse(typed)
    found = registration.get_by_ticket(session, ticket)
    standing = fairness.find_facts(session, found)
    return render_page(
        request,
        "ticket.html",
        language,
        cached=False,
        ticket=ticket,
        merged=found.ticket != ticket,
        standing=standing,
        phase=phases.find_phase(standing.round, now(session)),
        who=find_speaker_name(standing.round, language),
        facts=[(entry, json.loads(entry.details)) for entry in standing.facts],
        lines={entry.id: entries.format_canonical(entry).decode() for entry in standing.facts},
    )


def _request(request: Request, language: Language, session: Session, typed: str) -> Response:
    """Return a request's page; a duplicate shows the first request's state."""
    found = lifecycle.get_by_tracking(session, typed)
    first = lifecycle.find_original(session, found)
    proven = lifecycle.list_proven_steps(session, first)
    return render_page(
        request,
        "request.html",
        language,
        cached=False,
        last_moment=find_last_moment,
        found=found,
        first=first,
        steps=lifecycle.list_public_steps(session, first),
        entries={each.step.id: each.entry.id for each in proven},
        sealed={each.step.id: _Sealed.of(each) for each in proven},
        seal=seals.find_newest(session),
        names={d.id: d.name_fa if language == "fa" else d.name_en for d in session.query(Department)},
    )


class _Sealed(NamedTuple):
    """The hashed texts of a step that everybody may see; never the citizen's own words."""

    line: str
    told: str
    note: str | None

    @classmethod
    def of(cls, each: steps.Sealed) -> Self:
        """Return the public texts of a step."""
        note = each.note if each.step.step in lifecycle.TO_CITIZEN else None
        return cls(entries.format_canonical(each.entry).decode(), each.told, note)


def find_last_moment(due_at: datetime) -> datetime:
    """Return the last moment of a due date, which itself is the midnight after that day."""
    return due_at - timedelta(seconds=1)
