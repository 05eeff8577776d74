"""The public pages behind a citizen's number: the own place by ticket number, a request by tracking number.

One box takes both, as key 2 does on the telephone. A number comes in the body of a POST only: an address
would keep it in histories and logs; and guesses are limited. Nothing here says a telephone number, or what
the citizen said.
"""

import json
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, Self

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from api.access import Reading
from api.pages import Asked, guessed, page, posted
from api.routes import APIRouter
from db.engine import now
from db.models import Department
from hotline import tickets
from hotline.dates import Language
from hotline.ledger import ledger, seals, steps
from hotline.line import fairness, registration
from hotline.requests import requests
from hotline.rounds import rounds
from hotline.rounds.notice_texts import who

router = APIRouter(prefix="/public", include_in_schema=False)


@router.get("/number")
def ask(request: Request, language: Asked) -> Response:
    """The form."""
    return page(request, "number_form.html", language, wrong=None)


@router.post("/number")
def show(
    request: Request, language: Asked, session: Reading, typed: Annotated[str, Depends(posted)]
) -> Response:
    """Where the registration or the request with this number stands."""
    of_number = _request if tickets.is_tracking(typed) else _registration
    return guessed(
        request, "number_form.html", language, lambda: of_number(request, language, session, typed)
    )


def _registration(request: Request, language: Language, session: Session, typed: str) -> Response:
    ticket = tickets.parse(typed)
    found = registration.get_by_ticket(session, ticket)
    standing = fairness.look_up(session, found)
    return page(
        request,
        "ticket.html",
        language,
        cached=False,
        ticket=ticket,
        merged=found.ticket != ticket,
        standing=standing,
        phase=rounds.phase(standing.round, now(session)),
        who=who(standing.round, language),
        facts=[(entry, json.loads(entry.details)) for entry in standing.facts],
        lines={entry.id: ledger.canonical(entry).decode() for entry in standing.facts},
    )


def _request(request: Request, language: Language, session: Session, typed: str) -> Response:
    """Of a duplicate: the first one's state."""
    found = requests.get_by_tracking(session, typed)
    first = requests.first(session, found)
    proven = requests.proven(session, first)
    return page(
        request,
        "request.html",
        language,
        cached=False,
        last_moment=last_moment,
        found=found,
        first=first,
        steps=requests.told(session, first),
        entries={each.step.id: each.entry.id for each in proven},
        sealed={each.step.id: _Sealed.of(each) for each in proven},
        seal=seals.newest(session),
        names={d.id: d.name_fa if language == "fa" else d.name_en for d in session.query(Department)},
    )


class _Sealed(NamedTuple):
    """What is hashed of a step, and what of it everybody may compare: nothing that its citizen has said."""

    line: str
    told: str
    note: str | None

    @classmethod
    def of(cls, each: steps.Sealed) -> Self:
        """Of a step that a page shows."""
        note = each.note if each.step.step in requests.TO_CITIZEN else None
        return cls(ledger.canonical(each.entry).decode(), each.told, note)


def last_moment(due_at: datetime) -> datetime:
    """A due date ends with a midnight, which is of the next day already."""
    return due_at - timedelta(seconds=1)
