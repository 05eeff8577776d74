"""The search field of the pages: by ticket number, tracking number, telephone number, or a person's name.

Each result leads to a page; a citizen's page opens from any of their registrations or requests.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from db.models import Registration, Request, Role, User
from hotline import control_characters, numbers, tickets
from hotline.errors import Refused
from hotline.requests import inbox

MOST = 5
"""Maximum number of results of each kind, newest first."""
LEAST = 2
"""Minimum length of a name in characters; one character matches too much."""
_APART = re.compile(r"[\s\u200c\u200d.-]")
"""Characters between the groups of a number, on paper or on our pages."""

_FIND_CITIZENS = tuple(role for role in Role if role not in (Role.OFFICIAL, Role.DEPARTMENT))
"""Roles that may find citizens: an official must not read what a citizen tells another official.

Officials and departments search requests only.
"""
_FIND_STAFF = (Role.ADMINISTRATOR, Role.AUDITOR)


@dataclass
class Found:
    """The results of a search, each kind newest first."""

    registrations: Sequence[Registration] = ()
    requests: Sequence[Request] = ()
    staff: Sequence[User] = ()
    by_number: str | None = None
    """For the audit log: the subject (`registration 3`) that was found by a telephone number, if any."""


def search(session: Session, user: User, typed: str, home: Sequence[str]) -> Found:
    """Return the matches of `typed` that the user may see; digits may be of any script.

    `home` are the prefixes that the city calls.
    """
    typed = " ".join(control_characters.clean(typed).split())
    digits = _APART.sub("", numbers.convert_digits(typed))
    number = numbers.parse_caller(typed, home) if user.role in _FIND_CITIZENS else None
    found = Found(requests=_requests(session, user, digits, number))
    if user.role in _FIND_CITIZENS:
        found.registrations = _registrations(session, digits, number)
    subjects = [f"registration {one.id}" for one in found.registrations]
    subjects += [f"request {one.id}" for one in found.requests]
    found.by_number = subjects[0] if number and subjects else None
    if user.role in _FIND_STAFF and len(typed) >= LEAST:
        found.staff = _staff(session, typed)
    return found


def _registrations(session: Session, digits: str, number: str | None) -> Sequence[Registration]:
    ticket = Registration.ticket == digits if _is(digits, tickets.TICKET) else false()
    newest = select(Registration).where(or_(ticket, _of(Registration.number, number)))
    newest = newest.options(joinedload(Registration.round)).order_by(Registration.id.desc())
    return session.scalars(newest.limit(MOST)).all()


def _requests(session: Session, user: User, digits: str, number: str | None) -> Sequence[Request]:
    tracking = Request.tracking == digits if _is(digits, tickets.TRACKING) else false()
    query = select(Request).where(or_(tracking, _of(Request.number, number)), inbox.where_not_anothers(user))
    own = inbox.find_district(session, user)
    if own is not None:
        query = query.where(Request.district == own)
    return session.scalars(query.order_by(Request.id.desc()).limit(MOST)).all()


def _of(column: InstrumentedAttribute[Any], number: str | None) -> ColumnElement[bool]:
    """Match a telephone number. Eight digits may be both a ticket and a telephone number of the city."""
    return column == number if number else false()


def _staff(session: Session, typed: str) -> Sequence[User]:
    names = (User.name, User.username)
    alike = or_(*(name.icontains(typed, autoescape=True) for name in names))
    return session.scalars(select(User).where(alike).order_by(User.id).limit(MOST)).all()


def _is(digits: str, kind: tickets.Kind) -> bool:
    try:
        return bool(tickets.parse(digits, kind))
    except Refused:
        return False
