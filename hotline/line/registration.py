"""Registrations: creating, changing, finding and cancelling them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from db import events
from db.engine import hold_lock, now
from db.models import (
    OutboxKind,
    Registration,
    Round,
)
from db.states import Fact, Phase, RegistrationState, list_registration_sources
from hotline import audit, numbers, tickets
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import blocked, order, registration_limits
from hotline.messages import outbox
from hotline.rounds import phases

_STAYS = [RegistrationState.WAITING, RegistrationState.UNREACHED]
"""States in which another number may take the place over."""

_COLUMNS = ("round_id", "number", "ticket", "language", "subject", "state", "registered_at", "call_id")
_INSERT = {
    name: insert(Registration).on_conflict_do_nothing().returning(Registration.id)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


@dataclass(frozen=True)
class Registered:
    """Facts for the citizen: ticket number, citizens ahead, and whether the place existed `already`."""

    registration_id: int
    ticket: str
    before_me: int
    already: bool


def register(
    session: Session,
    *,
    round_id: int,
    number: str,
    language: str = "fa",
    subject: int | None = None,
    per_day: int | None = None,
    call_id: str | None = None,
    tell: bool = True,
) -> Registered:
    """Give the caller's own E.164 `number` a place in the round; a repeated request returns the same place.

    A place that somebody else has asked for becomes the caller's, with its time and the caller's details.
    `call_id`: the channel, by which a cut call can continue (of_call). `tell`: also send a text message.
    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    hold_lock(session, number)
    found = registration_limits.find_round(session, round_id, number, caller=number)
    if found.holding:
        if session.get_one(Registration, found.holding).state is RegistrationState.UNCONFIRMED:
            registration_limits.check_open(session, found)
            registration_limits.check_today(found, per_day)
        return _again(session, found.holding, tell, language=language, subject=subject, call_id=call_id)
    registration_limits.check(session, found, per_day)
    waiting = RegistrationState.WAITING
    registration = reserve(
        session, found, waiting, number, language=language, subject=subject, call_id=call_id
    )
    if registration is None:  # a carry-over brought the number into the round meanwhile
        holding = get_place(session, round_id, number)
        return _again(session, holding.id, tell, language=language, subject=subject, call_id=call_id)
    if tell:
        outbox.tell(session, OutboxKind.REGISTERED, registration, about_round=round_id)
    record(session, Fact.REGISTERED, registration)
    return describe_place(session, registration, already=False)


def reserve(
    session: Session,
    found: Row[Any],
    state: RegistrationState,
    number: str,
    *,
    language: str,
    subject: int | None = None,
    call_id: str | None = None,
) -> Registration | None:
    """Insert a place in the round `found`, with ticket number, time and id; None if `number` has one there.

    The time is never before an older place's, even if the clock is. Call `record` after every other row
    change.
    """
    registration = Registration(
        round_id=found.id,
        number=number,
        language=language,
        subject=subject,
        state=state,
        moved_up=0,
        rounds_missed=0,
        call_id=call_id,
    )
    insert = _INSERT[session.get_bind().dialect.name]
    for ticket in tickets.offer_numbers(session, Registration.ticket):
        at = now(session)
        registration.ticket, registration.registered_at = ticket, max(at, found.newest_fact_at or at)
        values = {name: getattr(registration, name) for name in _COLUMNS}
        id_ = session.execute(insert, values).scalar()
        if id_ is not None:
            registration.id = id_
            return registration
        if registration_limits.find_place_id(session, found.id, number):
            return None
    raise Refused("tickets-used-up", "no free ticket number was found")


def record(session: Session, fact: Fact, registration: Registration, **public: str | int) -> None:
    """Write a fact of a registration into the logs. Call it after every other change."""
    entries.record(session, fact, registration, **public)
    events.append_registration(session, registration)


def get_place(session: Session, round_id: int, number: str) -> Registration:
    """Return the place of a number that is known to have one in the round."""
    return session.get_one(Registration, registration_limits.find_place_id(session, round_id, number))


def _again(session: Session, registration_id: int, tell: bool, **owners: object) -> Registered:
    """Return the number's existing place; a place that a stranger asked for gets its owner's details."""
    existing = session.get_one(Registration, registration_id)
    if existing.state is RegistrationState.UNCONFIRMED:
        return confirm(session, existing, tell=tell, **owners)
    return describe_place(session, existing, already=True)


def confirm(
    session: Session, registration: Registration, *, tell: bool = True, **owners: object
) -> Registered:
    """Confirm the requested place for the number's owner: it joins the line with the time of the request.

    The round must have room, because an unconfirmed place takes none; a carried place needs none. Call it
    under `hold_lock` for the number. Raises Refused("round-full" | "wrong-state"), the latter also if the
    round is over or cancelled.
    """
    round_ = session.get_one(Round, registration.round_id)
    if phases.find_phase(round_, now(session)) in (Phase.OVER, Phase.CANCELLED):
        raise Refused("wrong-state", "its round is over, or cancelled")
    if not registration.rounds_missed:
        registration_limits.check_room(session, round_.id, round_.capacity)
    sources = [RegistrationState.UNCONFIRMED]
    changed = _change(session, registration.id, sources, state=RegistrationState.WAITING, **owners)
    if tell:
        outbox.tell(session, OutboxKind.REGISTERED, changed, about_round=changed.round_id)
    record(session, Fact.CONFIRMED, changed)
    return describe_place(session, changed, already=False)


def describe(session: Session, registration_id: int, **given: int | str) -> None:
    """Store the citizen's `subject` or the file name of the `voice_message`.

    An erased registration stays empty.
    """
    mine = Registration.id == registration_id, Registration.number != ""
    session.execute(update(Registration).where(*mine).values(**given))


def find_by_call(session: Session, call_id: str) -> Registration | None:
    """Return the registration that was made in this call, if any."""
    made = select(Registration).where(Registration.call_id == call_id)
    return session.scalars(made.order_by(Registration.id.desc()).limit(1)).first()


def get_by_ticket(session: Session, ticket: str) -> Registration:
    """Return the registration with this ticket number, or the older one it was merged into.

    Raises Refused("not-found").
    """
    registration = session.scalar(select(Registration).where(Registration.ticket == ticket))
    if registration is None:
        raise Refused("not-found", "no registration with this ticket number")
    while registration.merged_into_id:
        registration = session.get_one(Registration, registration.merged_into_id)
    return registration


def cancel(session: Session, registration_id: int, *, office_reason: str = "", tell: bool = False) -> None:
    """Give the place up for the citizen, or for the office with a public reason.

    `tell`: also send a text message, so that nobody does it unnoticed. Raises Refused("wrong-state") if the
    place is being called or over.
    """
    cancelled = RegistrationState.CANCELLED
    public = {"by": "office", "reason": office_reason} if office_reason else {}
    changed = _change(session, registration_id, list_registration_sources(cancelled), state=cancelled)
    if tell:
        outbox.tell(session, OutboxKind.CANCELLED, changed, about_round=changed.round_id)
    record(session, Fact.CANCELLED, changed, **public)


def withdraw(session: Session, registration_id: int) -> None:
    """Cancel an unconfirmed place that the number's owner does not want; a confirmed place stays."""
    try:
        changed = _change(
            session, registration_id, [RegistrationState.UNCONFIRMED], state=RegistrationState.CANCELLED
        )
    except Refused:
        return
    record(session, Fact.CANCELLED, changed)


def change_number(session: Session, registration_id: int, number: str) -> None:
    """Move the place to this E.164 number, whose owner has agreed, and tell the old number.

    An unconfirmed place at that number is merged into this one, because a forged text message can create it.
    Call it under `hold_lock` for `number`. Raises Refused("number-taken") if that number has a place in
    the round already, Refused("wrong-state") and Blocked.
    """
    blocked.check(session, number)
    old = session.get_one(Registration, registration_id).number
    if number == old:
        return
    unconfirmed = aliased(Registration)
    asked_for = (
        select(unconfirmed.id)
        .join(Registration, Registration.round_id == unconfirmed.round_id)
        .where(Registration.id == registration_id, unconfirmed.number == number)
        .where(unconfirmed.state == RegistrationState.UNCONFIRMED)
    )
    gave_way = None
    try:
        with session.begin_nested():
            if rival := session.scalar(asked_for):
                gone = {"state": RegistrationState.CANCELLED, "merged_into_id": registration_id}
                gave_way = _change(session, rival, [RegistrationState.UNCONFIRMED], **gone)
            changed = _change(session, registration_id, _STAYS, Registration.number == old, number=number)
    except IntegrityError:
        raise Refused("number-taken", "this number has a place in the round already") from None
    outbox.tell_old_number(session, changed, old)
    both = f"{numbers.mask(old)} → {numbers.mask(number)}"
    audit.record(session, audit.CITIZEN, "number-changed", f"registration {registration_id}", both)
    if gave_way:
        record(session, Fact.MERGED, gave_way, into=registration_id)
    record(session, Fact.NUMBER_CHANGED, changed)


def _change(
    session: Session,
    registration_id: int,
    sources: list[RegistrationState],
    *still: ColumnElement[bool],
    **values: object,
) -> Registration:
    changed = session.scalar(
        update(Registration)
        .where(Registration.id == registration_id, Registration.state.in_(sources), *still)
        .values(**values)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise Refused("wrong-state", "the registration is being called, or it is over")
    return session.get_one(Registration, changed, populate_existing=True)


def describe_place(session: Session, registration: Registration, *, already: bool) -> Registered:
    """Return the facts of a place for its owner."""
    return Registered(
        registration_id=registration.id,
        ticket=registration.ticket,
        before_me=order.count_before(session, registration),
        already=already,
    )
