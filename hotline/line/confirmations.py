"""Confirmations: the owner of a number is called, and agrees to a caller's request by pressing 1.

A caller may request three things (db.models.ConfirmationKind). These are a place for another person's number,
another number for a place, and the end of a place. The last two ask the place's own number, because caller ID
is easily forged. A call's own words prove nothing in that call. A caller learns nothing about a number that
they key in: the answer is always the same, and it counts. The calls themselves are in
`hotline.line.confirmation_calls`.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import BlockedNumber, Confirmation, ConfirmationKind, LedgerEntry, Registration
from db.states import Fact, RegistrationState, list_registration_sources
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.line import registration, registration_limits

_LISTENS = timedelta(seconds=60)
"""How long the call waits while the caller may still listen: a phone in use is not called."""
_HANGS_UP = timedelta(seconds=2)
"""How long the line of a caller who hung up may still be in use."""
_DAY, _HOUR, _KEPT = timedelta(days=1), timedelta(hours=1), timedelta(days=30)
_WITHHELD_PER_HOUR = 30
"""Limit for all callers without a number together, so that withholding the number evades no limit."""
_CALLS_TO_OWNER_A_DAY = 3
"""Limit of calls about giving a place up, and of calls about moving one, to one number in 24 hours."""

_K, _S = ConfirmationKind, RegistrationState
ASKED_FOR = {
    _K.REGISTRATION: [_S.UNCONFIRMED],
    _K.NUMBER: [_S.WAITING, _S.UNREACHED],
    _K.CANCELLATION: list_registration_sources(_S.CANCELLED),
}
"""States of a place in which the request can still be done."""


def ask_place(
    session: Session, *, round_id: int, number: str, asked_by: str | None, language: str, per_day: int
) -> int:
    """Request a place in the round for an E.164 `number` that is not the caller's.

    Return the confirmation's id. `asked_by`: the caller's own number, None if withheld. The place is reserved
    as of now, and joins the line if its owner agrees and there is room then. No call is placed if the number
    has a place, is blocked, or said no in the last 30 days. Errors concern only the round or the caller.
    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today" |
    "too-many-withheld") and Blocked.
    """
    for key in sorted((number, _caller(asked_by))):
        hold_lock(session, key)
    found = registration_limits.find_round(session, round_id, number, caller=asked_by)
    registration_limits.check(session, found, per_day, for_other=True)
    if asked_by is None:
        _check_withheld(session)
    if may_not_call(session, number):
        return _ask(session, _K.REGISTRATION, number, asked_by, None).id
    if found.holding:
        texted = _texted(session, found.holding)
        return _ask(session, _K.REGISTRATION, number, asked_by, texted).id
    place = registration.reserve(session, found, _S.UNCONFIRMED, number, language=language)
    confirmation = _ask(session, _K.REGISTRATION, number, asked_by, place)
    if place:
        registration.record(session, Fact.REGISTERED, place)
    return confirmation.id


def where_to_be_called(registration_id: int | SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition that the owner of an unconfirmed place's number is still to be called about it."""
    return exists().where(
        Confirmation.registration_id == registration_id,
        Confirmation.kind == _K.REGISTRATION,
        Confirmation.decided_at.is_(None),
    )


def _texted(session: Session, registration_id: int) -> Registration | None:
    """Return the place if only a text message asked for it: a forged sender must not prevent a call."""
    unconfirmed = select(Registration).where(
        Registration.id == registration_id,
        Registration.state == _S.UNCONFIRMED,
        ~where_to_be_called(Registration.id),
    )
    return session.scalar(unconfirmed)


def ask_number(
    session: Session, registration_id: int, number: str, *, per_day: int, call_id: str | None = None
) -> Confirmation:
    """Ask whether the place may be called at this E.164 `number` instead.

    The place's present number is asked first, then the new one. A place made in this very call (`call_id`) is
    taken from nobody: the wish counts as the present number's yes. The last wish about a place counts
    (`_replace`). The present number's yes drops the other wishes (`call_off_moves`). Raises
    Refused("same-number" | "already-asked" | "asked-enough" | "too-many-today" | "wrong-state").
    """
    place = _place(session, registration_id, _K.NUMBER)
    if number == place.number:
        raise Refused("same-number", "the place is called at this number already")
    hold_lock(session, place.number)
    if not _was_made_in(session, place, call_id):
        if asked := _asked_of_owner(session, place):
            return _replace(session, asked, _K.NUMBER, number)
        _check_calls_to_owner(session, _K.NUMBER, place.number)
        return _ask(session, _K.NUMBER, place.number, place.number, place, new_number=number)
    call_off_moves(session, registration_id)
    if registration_limits.count_for_others_today(session, place.number) >= per_day:
        raise Refused("too-many-today", f"a number asks for others at most {per_day} times a day")
    wish = _ask(session, _K.NUMBER, place.number, place.number, place, new_number=number, decided=True)
    wish.agreed = True
    return ask_new_number(session, place, number)


def ask_new_number(session: Session, place: Registration, number: str) -> Confirmation:
    """Ask the owner of the E.164 `number` to take the place over, unless that number must not be called."""
    peace = may_not_call(session, number)
    return _ask(session, _K.NUMBER, number, place.number, place, decided=peace)


def ask_cancellation(session: Session, registration_id: int) -> int:
    """Ask the place's own number whether to give it up. Return the confirmation's id.

    The last wish about a place counts (`_replace`). Raises Refused("already-asked" | "asked-enough" |
    "wrong-state").
    """
    place = _place(session, registration_id, _K.CANCELLATION)
    hold_lock(session, place.number)
    if asked := _asked_of_owner(session, place):
        return _replace(session, asked, _K.CANCELLATION, None).id
    _check_calls_to_owner(session, _K.CANCELLATION, place.number)
    return _ask(session, _K.CANCELLATION, place.number, place.number, place).id


def may_move(session: Session, move: Confirmation, place: Registration) -> bool:
    """Return whether the new number's yes moves the place: its present number has agreed (`ask_number`).

    The previous release asked only the new number, and may still do so during a rolling upgrade.
    """
    agreed = exists().where(
        Confirmation.registration_id == place.id,
        Confirmation.number == place.number,
        Confirmation.new_number == move.number,
        Confirmation.agreed.is_(True),
    )
    return bool(session.scalar(select(agreed)))


def _check_calls_to_owner(session: Session, kind: ConfirmationKind, number: str) -> None:
    """Raise Refused("asked-enough") if this number was to be asked too often in 24 hours.

    Caller ID is easily forged: a forger must not make a phone ring all day. A wish that the number agreed to
    was its owner's, and does not count. A code from a text message or the app needs no call, so it still
    gives a place up.
    """
    asked = select(func.count(Confirmation.id)).where(
        Confirmation.asked_by == number,
        Confirmation.number == number,
        Confirmation.kind == kind,
        Confirmation.agreed.is_distinct_from(True),
        Confirmation.asked_at > now(session) - _DAY,
    )
    if (session.scalar(asked) or 0) >= _CALLS_TO_OWNER_A_DAY:
        raise Refused("asked-enough", "a number is asked about its own places a few times a day")


def _was_made_in(session: Session, place: Registration, call_id: str | None) -> bool:
    """Return whether this call made the place, rather than confirming somebody's earlier request."""
    if call_id is None or place.call_id != call_id:
        return False
    confirmed = exists().where(LedgerEntry.registration_id == place.id, LedgerEntry.fact == Fact.CONFIRMED)
    return not session.scalar(select(confirmed))


def _caller(asked_by: str | None) -> str:
    return asked_by or "withheld"


def _check_withheld(session: Session) -> None:
    asked = select(func.count(Confirmation.id)).where(
        Confirmation.asked_by.is_(None), Confirmation.asked_at > now(session) - _HOUR
    )
    if (session.scalar(asked) or 0) >= _WITHHELD_PER_HOUR:
        raise Refused("too-many-withheld", "too many numbers were keyed in on telephones without a number")


def may_not_call(session: Session, number: str) -> bool:
    """Return whether the number must not be called: it is blocked, or said no in the last 30 days.

    A «no» to giving up or moving their own place does not count. The confirmation's kind shows that, because
    an erasure removes the asking number.
    """
    refused = exists().where(
        Confirmation.number == number,
        Confirmation.decided_at > now(session) - _KEPT,
        Confirmation.kind != _K.CANCELLATION,
        Confirmation.new_number.is_(None),
        Confirmation.agreed.is_(False),
    )
    query = select(or_(refused, exists().where(BlockedNumber.number == number)))
    return session.scalar(query) or False


def _place(session: Session, registration_id: int, kind: ConfirmationKind) -> Registration:
    place = session.get_one(Registration, registration_id)
    if place.state not in ASKED_FOR[kind]:
        raise Refused("wrong-state", "the registration is being called, or it is over")
    return place


def _ask(
    session: Session,
    kind: ConfirmationKind,
    number: str,
    asked_by: str | None,
    place: Registration | None,
    *,
    new_number: str | None = None,
    decided: bool = False,
) -> Confirmation:
    at = now(session)
    confirmation = Confirmation(
        kind=kind,
        number=number,
        registration_id=place.id if place else None,
        asked_by=asked_by,
        new_number=new_number,
        asked_at=at,
        not_before=at + _LISTENS,
        decided_at=at if decided or place is None else None,
    )
    session.add(confirmation)
    session.flush()
    return confirmation


def _asked_of_owner(session: Session, place: Registration) -> Confirmation | None:
    """Return the open question to the place's number. A forged wish must not remove it."""
    return session.scalar(
        select(Confirmation)
        .where(
            Confirmation.registration_id == place.id,
            Confirmation.kind.in_([_K.NUMBER, _K.CANCELLATION]),
            Confirmation.number == place.number,
            Confirmation.asked_by == place.number,
            Confirmation.decided_at.is_(None),
        )
        .order_by(Confirmation.id.desc())
        .limit(1)
        .with_for_update(of=Confirmation)
        .execution_options(populate_existing=True)
    )


def _replace(
    session: Session, asked: Confirmation, kind: ConfirmationKind, new_number: str | None
) -> Confirmation:
    """Replace the open question by this one. The calls so far and the time of the next call stay.

    A forger of the number thus uses up none of the owner's wishes, and makes no call come sooner. Raises
    Refused("already-asked") while the owner is being called about the other wish.
    """
    if (asked.kind, asked.new_number) == (kind, new_number):
        return asked
    if asked.token:
        raise Refused("already-asked", "the place's number is being called about another wish")
    asked.kind, asked.new_number = kind, new_number
    session.flush()
    return asked


def call_off_moves(session: Session, registration_id: int) -> None:
    """Drop all earlier wishes for another number after the place's number has agreed to one."""
    session.execute(
        update(Confirmation)
        .where(
            Confirmation.registration_id == registration_id,
            Confirmation.kind == _K.NUMBER,
            Confirmation.decided_at.is_(None),
        )
        .values(decided_at=now(session))
        .execution_options(synchronize_session=False)
    )


def start_calls_soon(session: Session, ids: Collection[int]) -> None:
    """Let the calls about these confirmations start soon: the caller who asked has hung up or is about to."""
    soon = now(session) + _HANGS_UP
    session.execute(
        update(Confirmation)
        .where(Confirmation.id.in_(ids), Confirmation.attempts == 0, Confirmation.not_before > soon)
        .values(not_before=soon)
        .execution_options(synchronize_session=False)
    )


def call_new_number(session: Session, agreed: Confirmation) -> None:
    """Let the call to the new number start: the call in which the present number `agreed` is over."""
    following = select(Confirmation.id).where(
        Confirmation.registration_id == agreed.registration_id, Confirmation.number == agreed.new_number
    )
    start_calls_soon(session, session.scalars(following).all())


def forget(session: Session) -> None:
    """Delete confirmations, with the asking number, 30 days after their decision or abandoned request."""
    waits = exists().where(
        Registration.id == Confirmation.registration_id, Registration.state == _S.UNCONFIRMED
    )
    over = or_(Confirmation.decided_at.is_not(None), ~waits)
    last_at = func.coalesce(Confirmation.decided_at, Confirmation.asked_at)
    long_ago = last_at < trusted_now(session) - _KEPT
    session.execute(
        delete(Confirmation)
        .where(long_ago, over, Confirmation.token.is_(None))
        .execution_options(synchronize_session=False)
    )
