"""Registering for a round, changing one's registration, finding it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, String, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now, one_at_a_time
from db.models import BlockedNumber, Confirmation, MessageKind, Registration, Round
from db.states import HOLDS_PLACE, Fact, RegistrationState, registration_sources
from hotline import blocked, ledger, line, outbox, rounds, tickets
from hotline.errors import Blocked, Refused

_DRAWS = 50
_DAY = timedelta(days=1)
_STAYS = [RegistrationState.WAITING, RegistrationState.UNREACHED]
"""In these it has a place that another number may take over."""


# What every registration asks and writes, in as few statements as will do, each built once.
_NUMBER = bindparam("number", type_=String)
_HOLDING = select(Registration.id).where(
    Registration.round_id == bindparam("round"),
    Registration.number == _NUMBER,
    Registration.state.in_(HOLDS_PLACE),
)
_FOUND = select(
    *(Round.id, Round.capacity, Round.ended_at, Round.cancelled_at),
    *(Round.registration_from, Round.registration_until),
    _HOLDING.scalar_subquery().label("holding"),
    select(BlockedNumber.reason).where(BlockedNumber.number == _NUMBER).scalar_subquery().label("blocked"),
    select(func.count(Registration.id))
    .where(
        Registration.number == _NUMBER,
        Registration.registered_at > bindparam("since"),
        Registration.state != RegistrationState.CANCELLED,
    )
    .scalar_subquery()
    .label("today"),
).where(Round.id == bindparam("round"))
_COLUMNS = ("round_id", "number", "ticket", "language", "subject", "state", "registered_at")
_INSERT = {
    name: insert(Registration).on_conflict_do_nothing().returning(Registration.id)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


@dataclass(frozen=True)
class Registered:
    """What a citizen is told: the ticket number, how many are ahead, whether it was there before."""

    registration_id: int
    ticket: str
    ahead: int
    already: bool


def register(
    session: Session,
    *,
    round_id: int,
    number: str,
    language: str = "fa",
    subject: int | None = None,
    confirmed: bool = True,
    per_day: int | None = None,
) -> Registered:
    """Give the E.164 `number` its place in the round; the same number again gets the place it has.

    A number that is not `confirmed` (keyed in by an unknown caller) is called before it joins the line.
    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    one_at_a_time(session, number)
    at = now(session)
    asked = {"round": round_id, "number": number, "since": at - _DAY}
    found = core(session).execute(_FOUND, asked).one_or_none()
    if found is None:
        raise Refused("not-found", f"no round {round_id}")
    if found.holding:
        return _again(session, found.holding, confirmed=confirmed)
    _check(session, found, at, per_day)
    registration = Registration(
        round_id=round_id,
        number=number,
        language=language,
        subject=subject,
        state=RegistrationState.WAITING if confirmed else RegistrationState.UNCONFIRMED,
        moved_up=0,
        rounds_missed=0,
    )
    if not _insert(session, registration):  # the same number was registered elsewhere meanwhile
        holding = core(session).execute(_HOLDING, asked).scalar_one()
        return _again(session, holding, confirmed=False)
    if not confirmed:
        session.add(Confirmation(registration_id=registration.id, not_before=now(session)))
    else:  # a stranger's keys send nobody a message
        outbox.tell(session, MessageKind.REGISTERED, registration, about_round=round_id)
    ledger.record(session, Fact.REGISTERED, registration)
    events.registration_changed(session, registration)
    return _told(session, registration, already=False)


def _again(session: Session, registration_id: int, *, confirmed: bool) -> Registered:
    """The place that the number has already; one who is certain of the number now confirms it."""
    existing = session.get_one(Registration, registration_id)
    if confirmed and existing.state is RegistrationState.UNCONFIRMED:
        waiting = RegistrationState.WAITING
        _change(session, existing.id, [existing.state], Fact.CONFIRMED, state=waiting)
    return _told(session, existing, already=True)


def _insert(session: Session, registration: Registration) -> bool:
    """Give it its ticket number, moment and id; False if its number has a place in the round."""
    insert = _INSERT[session.get_bind().dialect.name]
    for _ in range(_DRAWS):
        registration.ticket, registration.registered_at = tickets.draw(), now(session)
        values = {name: getattr(registration, name) for name in _COLUMNS}
        id_ = core(session).execute(insert, values).scalar()
        if id_ is not None:
            registration.id = id_
            return True
        if core(session).execute(_HOLDING, {"round": registration.round_id, **values}).scalar():
            return False
    raise Refused("tickets-used-up", "no free ticket number was found")


def attach_message(session: Session, registration_id: int, message: str) -> None:
    """Keep the name of the file in which the citizen's message lies."""
    session.execute(update(Registration).where(Registration.id == registration_id).values(message=message))


def find(session: Session, ticket: str) -> Registration:
    """The registration with this ticket number, or the older one it was merged into.

    Raises Refused("not-found").
    """
    registration = session.scalar(select(Registration).where(Registration.ticket == ticket))
    if registration is None:
        raise Refused("not-found", "no registration with this ticket number")
    while registration.merged_into_id:
        registration = session.get_one(Registration, registration.merged_into_id)
    return registration


def cancel(session: Session, registration_id: int, *, office_reason: str = "") -> None:
    """The citizen gives the place up; or the office does it for a public reason.

    Raises Refused("wrong-state") if it is being called or over.
    """
    cancelled = RegistrationState.CANCELLED
    public = {"by": "office", "reason": office_reason} if office_reason else {}
    sources = registration_sources(cancelled)
    _change(session, registration_id, sources, Fact.CANCELLED, public, state=cancelled)


def change_number(session: Session, registration_id: int, number: str) -> None:
    """Call this E.164 number instead; the place stays.

    Raises Refused("number-taken") if that number has a place in the same round already, and
    Refused("wrong-state"), and Blocked.
    """
    blocked.check(session, number)
    try:
        with session.begin_nested():
            _change(session, registration_id, _STAYS, None, number=number)
    except IntegrityError:
        raise Refused("number-taken", "this number has a place in the round already") from None


def _change(
    session: Session,
    registration_id: int,
    sources: list[RegistrationState],
    fact: Fact | None,
    public: Mapping[str, str] = MappingProxyType({}),
    **values: object,
) -> None:
    changed = session.scalar(
        update(Registration)
        .where(Registration.id == registration_id, Registration.state.in_(sources))
        .values(**values)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise Refused("wrong-state", "the registration is being called, or it is over")
    registration = session.get_one(Registration, changed, populate_existing=True)
    if fact is Fact.CONFIRMED:
        outbox.tell(session, MessageKind.REGISTERED, registration, about_round=registration.round_id)
    if fact:
        ledger.record(session, fact, registration, **public)
    events.registration_changed(session, registration)


def _check(session: Session, found: Row[Any], at: datetime, per_day: int | None) -> None:
    if not rounds.takes_registrations(found, at):
        raise Refused("registration-closed", "this round takes no registrations now")
    if found.blocked:
        raise Blocked(found.blocked)
    if found.capacity is not None and _places_taken(session, found.id) >= found.capacity:
        raise Refused("round-full", f"the round takes {found.capacity} registrations")
    if per_day is not None and found.today >= per_day:
        raise Refused("too-many-today", f"a number registers at most {per_day} times a day")


def _places_taken(session: Session, round_id: int) -> int:
    """How many hold or held a place; whoever counts waits here, so that the last place is given once."""
    one_at_a_time(session, f"places-{round_id}")
    taken = select(func.count()).where(
        Registration.round_id == round_id, Registration.state != RegistrationState.CANCELLED
    )
    return session.scalar(taken) or 0


def _told(session: Session, registration: Registration, *, already: bool) -> Registered:
    return Registered(
        registration_id=registration.id,
        ticket=registration.ticket,
        ahead=line.ahead(session, registration),
        already=already,
    )
