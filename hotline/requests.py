"""Requests: city problems reported to 137. What the city does with one comes with the requests' own pages."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Request
from hotline import tickets
from hotline.errors import Refused

_DRAWS = 50
_LENGTH = 8
"""One digit more than a ticket number, so that neither is taken for the other."""


def report(
    session: Session,
    *,
    number: str | None,
    category: int,
    district: int | None,
    message: str,
    language: str,
) -> str:
    """Record a reported problem; returns its tracking number."""
    for _ in range(_DRAWS):
        request = Request(
            tracking=tickets.draw(_LENGTH),
            number=number,
            category=category,
            district=district,
            message=message,
            language=language,
            made_at=now(session),
        )
        try:
            with session.begin_nested():
                session.add(request)
        except IntegrityError:  # the tracking number is taken
            continue
        return request.tracking
    raise Refused("tickets-used-up", "no free tracking number was found")
