"""Blocked numbers: they may not register, and their places are given up.

A blocked caller hears only the reason and could not give a place up, so the block does that. Nobody keeps a
place for which no call will come.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import BlockedNumber, BlockReason, Registration, make_literals
from db.states import Fact, RegistrationState, list_registration_sources
from hotline import audit, numbers
from hotline.errors import Blocked
from hotline.ledger import entries
from hotline.words import PUBLIC

_WAITS = list_registration_sources(RegistrationState.CANCELLED)
HAVE_PLACES = select(
    exists().where(Registration.number == BlockedNumber.number, Registration.state.in_(make_literals(_WAITS)))
)
_REASON = select(BlockedNumber.reason).where(BlockedNumber.number == bindparam("number"))


def block(
    session: Session, number: str, reason: BlockReason, *, note: str = "", who: str = audit.COMMAND_LINE
) -> int:
    """Refuse registrations of the E.164 `number` from now on, and give up its places. Return how many.

    A place that is being called now is given up once it returns to the line (`give_up_places`).
    """
    row = BlockedNumber(number=number, reason=reason, note=note, who=who, blocked_at=now(session))
    session.merge(row)
    audit.record(session, who, "number-blocked", _subject(number), ": ".join(filter(None, (reason, note))))
    given_up = give_up_places(session, number)
    events.append_office(session, "number", "blocked")
    return given_up


def unblock(session: Session, number: str, *, who: str = audit.COMMAND_LINE) -> None:
    """Unblock the number. A number that is not blocked changes nothing, and places given up stay so."""
    row = session.get(BlockedNumber, number)
    if row is None:
        return
    session.delete(row)
    audit.record(session, who, "number-unblocked", _subject(number))
    events.append_office(session, "number", "unblocked")


def search(session: Session, text: str = "", limit: int = 500) -> Sequence[BlockedNumber]:
    """Return blocked numbers, newest first, by the digits or a part of the note in `text`."""
    query = select(BlockedNumber).order_by(BlockedNumber.blocked_at.desc(), BlockedNumber.number).limit(limit)
    digits = "".join(c for c in numbers.convert_digits(text) if c.isascii() and c.isdigit()).removeprefix("0")
    if text.strip():
        of_note = BlockedNumber.note.contains(text.strip(), autoescape=True)
        query = query.where(or_(of_note, BlockedNumber.number.contains(digits)) if digits else of_note)
    return session.scalars(query).all()


def check(session: Session, number: str) -> None:
    """Raise Blocked if the E.164 `number` may not register."""
    reason = session.scalar(_REASON, {"number": number})
    if reason:
        raise Blocked(reason)


def is_blocked(session: Session, number: str) -> bool:
    """Return whether the E.164 `number` is blocked from calls and registrations."""
    return session.get(BlockedNumber, number) is not None


def is_being_called(session: Session, number: str) -> bool:
    """Return whether a place of this number is being called now."""
    calling = Registration.state == RegistrationState.CALLING
    return session.scalar(select(exists().where(Registration.number == number, calling))) or False


def count_places(session: Session, number: str) -> int:
    """Return how many places a block of this number would give up now."""
    waits = (Registration.number == number, Registration.state.in_(_WAITS))
    return session.scalar(select(func.count()).select_from(Registration).where(*waits)) or 0


def give_up_places(session: Session, number: str | None = None) -> int:
    """Give up the places of all blocked numbers, or of this one. Return how many."""
    of_whom = select(BlockedNumber.number) if number is None else [number]
    session.flush()
    given_up = session.scalars(  # lock order: rows before the log
        update(Registration)
        .where(Registration.number.in_(of_whom), Registration.state.in_(_WAITS))
        .values(state=RegistrationState.CANCELLED)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    ).all()
    why = PUBLIC.text("fa", "ledger", "number-blocked")
    for id_ in sorted(given_up):
        place = session.get_one(Registration, id_, populate_existing=True)
        entries.record(session, Fact.CANCELLED, place, by="office", reason=why)
        events.append_registration(session, place)
    return len(given_up)


def _subject(number: str) -> str:
    return f"number {number}"
