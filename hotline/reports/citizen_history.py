"""A citizen's history by number: past registrations with their calls, requests and text messages.

It is read just before somebody speaks with the citizen, so it is short, newest first.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from db.models import Callback, CallQuality, Note, OutboxMessage, Recording, Registration, Request, User
from hotline.errors import Refused
from hotline.requests import inbox

_REGISTRATIONS, _CALLS, _REQUESTS, _MESSAGES = 20, 60, 20, 20


class Of(StrEnum):
    """The kind of id that identifies a citizen. No address contains a telephone number."""

    REGISTRATION = "registration"
    REQUEST = "request"


class PastCall(NamedTuple):
    """A callback, the seconds of its recording that still exists, and its measured sound at the desk."""

    callback: Callback
    recorded: int | None
    quality: CallQuality | None


def find_number(session: Session, of: Of, id_: int) -> str:
    """Return the E.164 number of this registration or request.

    Raises Refused("not-found") if there is none, or it has no number.
    """
    of_request = select(Request.number).where(Request.id == id_)
    of_registration = select(Registration.number).where(Registration.id == id_)
    number = session.scalar(of_request) if of is Of.REQUEST else session.scalar(of_registration)
    if not number:
        raise Refused("not-found", f"no citizen of a {of} {id_}")
    return number


def get_contact(session: Session, of: Of, id_: int) -> str:
    """Return the citizen's number, or the contact that a program sent. Raises Refused("not-found")."""
    brought = select(Request.contact).where(Request.id == id_, Request.number.is_(None))
    contact = session.scalar(brought) if of is Of.REQUEST else None
    return contact or find_number(session, of, id_)


def list_registrations(session: Session, number: str) -> Sequence[Registration]:
    """Return the newest registrations of an E.164 number, with their rounds loaded."""
    return session.scalars(
        select(Registration)
        .where(Registration.number == number)
        .options(joinedload(Registration.round))
        .order_by(Registration.registered_at.desc(), Registration.id.desc())
        .limit(_REGISTRATIONS)
    ).all()


def list_calls(session: Session, of: Sequence[Registration]) -> dict[int, list[PastCall]]:
    """Return the newest calls of these registrations, by registration id."""
    rows = session.execute(
        select(Callback, Recording.seconds, CallQuality)
        .outerjoin(Recording, (Recording.callback_id == Callback.id) & Recording.deleted_at.is_(None))
        .outerjoin(CallQuality, CallQuality.callback_id == Callback.id)
        .where(Callback.registration_id.in_([registration.id for registration in of]))
        .options(selectinload(Callback.notes).joinedload(Note.writer))
        .order_by(Callback.id.desc())
        .limit(_CALLS)
    )
    found: dict[int, list[PastCall]] = {}
    for callback, seconds, quality in rows:
        found.setdefault(callback.registration_id, []).append(PastCall(callback, seconds, quality))
    return found


def list_requests(session: Session, number: str, user: User) -> Sequence[Request]:
    """Return the newest requests of an E.164 number that the user may see."""
    newest = select(Request).where(Request.number == number, inbox.where_not_anothers(user))
    return session.scalars(newest.order_by(Request.id.desc()).limit(_REQUESTS)).all()


def list_messages(session: Session, number: str) -> Sequence[OutboxMessage]:
    """Return the newest text messages to an E.164 number."""
    newest = (
        select(OutboxMessage)
        .where(OutboxMessage.to == number)
        .order_by(OutboxMessage.made_at.desc(), OutboxMessage.id.desc())
    )
    return session.scalars(newest.limit(_MESSAGES)).all()
