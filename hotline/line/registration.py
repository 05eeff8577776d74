"""Registering for a round, changing one's registration, finding it again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, String, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from db import events
from db.engine import core, now, one_at_a_time
from db.models import (
    BlockedNumber,
    Confirmation,
    ConfirmationKind,
    LedgerEntry,
    MessageKind,
    Registration,
    Round,
    UtcDateTime,
)
from db.states import HOLDS_PLACE, TAKES_NO_ROOM, Fact, RegistrationState, registration_sources
from hotline import audit, numbers, outbox, tickets
from hotline.errors import Blocked, Refused
from hotline.ledger import ledger
from hotline.line import blocked, line
from hotline.rounds import rounds

_DAY = timedelta(days=1)
_STAYS = [RegistrationState.WAITING, RegistrationState.UNREACHED]
"""In these it has a place that another number may take over."""
_SECOND_THOUGHTS = 2
"""What was given up again does not count, but all together are at most so many times the limit of a day."""

# What every registration asks and writes, in as few statements as will do, each built once.
_NUMBER = bindparam("number", type_=String)
_CALLER = bindparam("caller", type_=String)
_SINCE = bindparam("since", type_=UtcDateTime)
_HOLDING = select(Registration.id).where(
    Registration.round_id == bindparam("round"),
    Registration.number == _NUMBER,
    Registration.state.in_(HOLDS_PLACE),
)
_OF = aliased(Round)
_OWN_TODAY = (
    select(func.count(Registration.id))
    .join(_OF, _OF.id == Registration.round_id)
    .where(
        Registration.number == _CALLER,
        Registration.registered_at > _SINCE,
        _OF.standing == Round.standing,  # talks with operators bar nobody from a round, nor the other way
    )
    .correlate(Round)
)
_KEPT_TODAY = _OWN_TODAY.where(Registration.state.not_in(TAKES_NO_ROOM))
_GIVEN_UP_TODAY = _OWN_TODAY.where(
    Registration.state == RegistrationState.CANCELLED,
    ~exists()  # what strangers asked for in vain is no fault of the number's
    .where(Confirmation.number == _CALLER, Confirmation.registration_id == Registration.id)
    .where(Confirmation.kind == ConfirmationKind.REGISTRATION)
    .correlate(Registration),
)
_FOR_OTHERS_TODAY = select(func.count(Confirmation.id)).where(
    Confirmation.asked_by == _CALLER,
    Confirmation.asked_at > _SINCE,
    Confirmation.kind != ConfirmationKind.CANCELLATION,
)
_FOUND = select(
    *(Round.id, Round.capacity, Round.ended_at, Round.cancelled_at),
    *(Round.registration_from, Round.registration_until),
    _HOLDING.scalar_subquery().label("holding"),
    select(BlockedNumber.reason).where(BlockedNumber.number == _CALLER).scalar_subquery().label("blocked"),
    (_KEPT_TODAY.scalar_subquery() + _FOR_OTHERS_TODAY.scalar_subquery()).label("today"),
    _GIVEN_UP_TODAY.scalar_subquery().label("given_up_today"),
    select(LedgerEntry.at).order_by(LedgerEntry.id.desc()).limit(1).scalar_subquery().label("newest_fact_at"),
).where(Round.id == bindparam("round"))
_COLUMNS = ("round_id", "number", "ticket", "language", "subject", "state", "registered_at", "call_id")
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
    per_day: int | None = None,
    call_id: str | None = None,
    tell: bool = True,
) -> Registered:
    """Give the caller's own E.164 `number` its place in the round; the same again gets the place it has.

    A place that somebody else has asked for becomes the caller's: at the time of that, in the caller's words.
    `call_id` is the channel in which it is made, by which a call that was cut goes on (of_call).
    `tell`: by a text message, too.
    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    one_at_a_time(session, number)
    found = find_round(session, round_id, number, caller=number)
    if found.holding:
        return _again(session, found.holding, tell, language=language, subject=subject, call_id=call_id)
    check(session, found, per_day)
    waiting = RegistrationState.WAITING
    registration = reserve(
        session, found, waiting, number, language=language, subject=subject, call_id=call_id
    )
    if registration is None:  # the same number came into the round from an earlier one meanwhile
        holding = held(session, round_id, number)
        return _again(session, holding.id, tell, language=language, subject=subject, call_id=call_id)
    if tell:
        outbox.tell(session, MessageKind.REGISTERED, registration, about_round=round_id)
    record(session, Fact.REGISTERED, registration)
    return told(session, registration, already=False)


def find_round(session: Session, round_id: int, number: str, *, caller: str | None) -> Row[Any]:
    """The round, the place that the number holds there, what the caller may. Raises Refused("not-found")."""
    since = now(session) - _DAY
    asked = {"round": round_id, "number": number, "caller": caller, "since": since}
    found = core(session).execute(_FOUND, asked).one_or_none()
    if found is None:
        raise Refused("not-found", f"no round {round_id}")
    return found


def check(session: Session, found: Row[Any], per_day: int | None) -> None:
    """That the round has room, and its caller is not blocked and has not registered too often in 24 hours.

    Raises Refused("registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    if not rounds.takes_registrations(found, now(session)):
        raise Refused("registration-closed", "this round takes no registrations now")
    if found.blocked:
        raise Blocked(found.blocked)
    _check_room(session, found.id, found.capacity)
    check_today(found, per_day)


def check_today(found: Row[Any], per_day: int | None) -> None:
    """That the caller has not registered too often in 24 hours; the operators' line is counted apart.

    Raises Refused("too-many-today").
    """
    if per_day is None:
        return
    if found.today >= per_day or found.today + found.given_up_today >= per_day * _SECOND_THOUGHTS:
        raise Refused("too-many-today", f"a number registers at most {per_day} times a day")


def for_others_today(session: Session, caller: str) -> int:
    """How often in 24 hours the caller has keyed in a number of somebody else."""
    asked = {"caller": caller, "since": now(session) - _DAY}
    return core(session).execute(_FOR_OTHERS_TODAY, asked).scalar_one()


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
    """Insert a place in the round `found`, with ticket number, moment and id; None if `number` has one there.

    Its moment is never before an older place's, whatever the clock says. `record` must follow, after every
    other row.
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
    for ticket in tickets.offers(session, Registration.ticket):
        at = now(session)
        registration.ticket, registration.registered_at = ticket, max(at, found.newest_fact_at or at)
        values = {name: getattr(registration, name) for name in _COLUMNS}
        id_ = core(session).execute(insert, values).scalar()
        if id_ is not None:
            registration.id = id_
            return registration
        if core(session).execute(_HOLDING, {"round": found.id, "number": number}).scalar():
            return None
    raise Refused("tickets-used-up", "no free ticket number was found")


def record(session: Session, fact: Fact, registration: Registration, **public: str) -> None:
    """Write a fact of a registration into the logs. Call it after every other change."""
    ledger.record(session, fact, registration, **public)
    events.registration_changed(session, registration)


def held(session: Session, round_id: int, number: str) -> Registration:
    """The place that the number has in the round."""
    holding = core(session).execute(_HOLDING, {"round": round_id, "number": number}).scalar_one()
    return session.get_one(Registration, holding)


def _again(session: Session, registration_id: int, tell: bool, **owners: object) -> Registered:
    """The place that the number has already; one that a stranger asked for is now in its owner's words."""
    existing = session.get_one(Registration, registration_id)
    if existing.state is RegistrationState.UNCONFIRMED:
        return confirm(session, existing, tell=tell, **owners)
    return told(session, existing, already=True)


def confirm(
    session: Session, registration: Registration, *, tell: bool = True, **owners: object
) -> Registered:
    """The owner of the number wants the place that was asked for: it joins the line at the time of that.

    Until now it took no room, so there must be some; who is carried over needs none. Only who has asked
    for `number`'s turn (`one_at_a_time`) may call it. Raises Refused("round-full" | "wrong-state").
    """
    if not registration.rounds_missed:
        capacity = session.scalar(select(Round.capacity).where(Round.id == registration.round_id))
        _check_room(session, registration.round_id, capacity)
    sources = [RegistrationState.UNCONFIRMED]
    changed = _change(session, registration.id, sources, state=RegistrationState.WAITING, **owners)
    if tell:
        outbox.tell(session, MessageKind.REGISTERED, changed, about_round=changed.round_id)
    record(session, Fact.CONFIRMED, changed)
    return told(session, changed, already=False)


def describe(session: Session, registration_id: int, **given: int | str) -> None:
    """Keep what the citizen gave besides the place: its `subject`, the name of the file of the `message`."""
    session.execute(update(Registration).where(Registration.id == registration_id).values(**given))


def of_call(session: Session, call_id: str) -> Registration | None:
    """What was registered in this call, if anything."""
    made = select(Registration).where(Registration.call_id == call_id)
    return session.scalars(made.order_by(Registration.id.desc()).limit(1)).first()


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


def cancel(session: Session, registration_id: int, *, office_reason: str = "", tell: bool = False) -> None:
    """The citizen gives the place up; or the office does it for a public reason.

    `tell`: by a text message, so that nobody does it unnoticed. Raises Refused("wrong-state") if it is being
    called or over.
    """
    cancelled = RegistrationState.CANCELLED
    public = {"by": "office", "reason": office_reason} if office_reason else {}
    changed = _change(session, registration_id, registration_sources(cancelled), state=cancelled)
    if tell:
        outbox.tell(session, MessageKind.CANCELLED, changed, about_round=changed.round_id)
    record(session, Fact.CANCELLED, changed, **public)


def withdraw(session: Session, registration_id: int) -> None:
    """The owner of the number does not want what was asked for; a place that they took meanwhile stays."""
    try:
        changed = _change(
            session, registration_id, [RegistrationState.UNCONFIRMED], state=RegistrationState.CANCELLED
        )
    except Refused:
        return
    record(session, Fact.CANCELLED, changed)


def change_number(session: Session, registration_id: int, number: str) -> None:
    """Call this E.164 number, whose owner has agreed, instead; the place stays, and the old number is told.

    Raises Refused("number-taken") if that number has a place in the same round already, and
    Refused("wrong-state"), and Blocked.
    """
    blocked.check(session, number)
    old = session.get_one(Registration, registration_id).number
    if number == old:
        return
    try:
        with session.begin_nested():
            changed = _change(session, registration_id, _STAYS, Registration.number == old, number=number)
    except IntegrityError:
        raise Refused("number-taken", "this number has a place in the round already") from None
    outbox.tell_old_number(session, changed, old)
    both = f"{numbers.masked(old)} → {numbers.masked(number)}"
    audit.record(session, audit.CITIZEN, "number-changed", f"registration {registration_id}", both)
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


def _check_room(session: Session, round_id: int, capacity: int | None) -> None:
    if capacity is not None and _places_taken(session, round_id) >= capacity:
        raise Refused("round-full", f"the round takes {capacity} registrations")


def _places_taken(session: Session, round_id: int) -> int:
    """How many hold or held a place; whoever counts waits here, so that the last place is given once."""
    one_at_a_time(session, f"places-{round_id}")
    taken = select(func.count()).where(
        Registration.round_id == round_id,
        Registration.state.not_in(TAKES_NO_ROOM),
    )
    return session.scalar(taken) or 0


def told(session: Session, registration: Registration, *, already: bool) -> Registered:
    """What its owner hears of a place."""
    return Registered(
        registration_id=registration.id,
        ticket=registration.ticket,
        ahead=line.ahead(session, registration),
        already=already,
    )
