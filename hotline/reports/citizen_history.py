"""What the office knows of a citizen, by number: earlier registrations with their calls, and requests.

For whoever is about to speak with them; so it is short, the newest first.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.models import Callback, Recording, Registration, Request

_REGISTRATIONS, _CALLS, _REQUESTS = 20, 60, 20


class PastCall(NamedTuple):
    """One callback, and how many seconds of it are recorded and kept."""

    callback: Callback
    recorded: int | None


def registrations(session: Session, number: str) -> Sequence[Registration]:
    """The newest registrations of an E.164 number, their rounds loaded."""
    return session.scalars(
        select(Registration)
        .where(Registration.number == number)
        .options(joinedload(Registration.round))
        .order_by(Registration.registered_at.desc(), Registration.id.desc())
        .limit(_REGISTRATIONS)
    ).all()


def calls(session: Session, of: Sequence[Registration]) -> dict[int, list[PastCall]]:
    """The newest calls of these registrations, by registration."""
    rows = session.execute(
        select(Callback, Recording.seconds)
        .outerjoin(Recording, (Recording.callback_id == Callback.id) & Recording.deleted_at.is_(None))
        .where(Callback.registration_id.in_([registration.id for registration in of]))
        .order_by(Callback.id.desc())
        .limit(_CALLS)
    )
    found: dict[int, list[PastCall]] = {}
    for callback, seconds in rows:
        found.setdefault(callback.registration_id, []).append(PastCall(callback, seconds))
    return found


def requests(session: Session, number: str) -> Sequence[Request]:
    """The newest requests that were reported from an E.164 number."""
    newest = select(Request).where(Request.number == number).order_by(Request.id.desc())
    return session.scalars(newest.limit(_REQUESTS)).all()
