"""The public page of a request: its state by tracking number. Nothing personal, nothing of what was said.

Like a ticket number, a tracking number comes in the body of a POST only, and guesses are limited.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.access import Reading
from api.pages import Asked, guessed, page, posted
from db.models import Department
from db.states import RequestStep
from hotline.requests import requests

router = APIRouter(prefix="/public", include_in_schema=False)

SHOWN = frozenset(RequestStep) - {RequestStep.RETURNED, RequestStep.SEPARATED}
"""What the office does among itself is not the public's."""


@router.get("/request")
def ask(request: Request, language: Asked) -> Response:
    """The form."""
    return page(request, "request_form.html", language, wrong=None)


@router.post("/request")
def show(
    request: Request, language: Asked, session: Reading, typed: Annotated[str, Depends(posted)]
) -> Response:
    """Where the request with this tracking number stands; of a duplicate: the first one's state."""
    found = guessed(request, "request_form.html", language, lambda: requests.get_by_tracking(session, typed))
    if isinstance(found, Response):
        return found
    first = requests.first(session, found)
    steps = [entry for entry in requests.history(session, first) if entry.step in SHOWN]
    names = {d.id: d.name_fa if language == "fa" else d.name_en for d in session.query(Department)}
    shown: dict[str, Any] = {"found": found, "first": first, "steps": steps, "names": names}
    return page(request, "request.html", language, cached=False, last_moment=_last_moment, **shown)


def _last_moment(due_at: datetime) -> datetime:
    """A due date ends with a midnight, which is of the next day already."""
    return due_at - timedelta(seconds=1)
