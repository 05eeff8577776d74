"""What nobody may do to the owner of a number behind their back: the owner is called, and presses 1.

A caller may ask for three things (db.models.ConfirmationKind): a place for a number that is not their own,
that their place be called at another number, that their place be given up though they have no ticket number
at hand. Whoever asks learns nothing: whatever is true of the number, the answer is the same, and counts.

A confirmation is due until it is decided; `token` is set, and committed, before the call is placed, so that
it is never placed twice.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now, one_at_a_time
from db.models import BlockedNumber, Confirmation, ConfirmationKind, Registration, Round
from db.states import HOLDS_PLACE, Fact, RegistrationState, registration_sources
from hotline.errors import Refused
from hotline.line import engaged, registration
from hotline.line.registration import Registered
from hotline.rounds import rounds

_PREFIX = "confirm-"
_MAX_ATTEMPTS = 3
_WAIT = timedelta(minutes=2)
_LISTENS = timedelta(seconds=60)
"""So long a caller may go on listening who has asked for something; nobody calls a phone that is in use."""
_HANGS_UP = timedelta(seconds=2)
"""So long the line of a caller who has left may still be in use."""
_DAY, _HOUR, _KEPT = timedelta(days=1), timedelta(hours=1), timedelta(days=30)
_WITHHELD_PER_HOUR = 30
"""All callers without a number together, so that nobody escapes a caller's own limit by withholding it."""
_CANCELLATIONS_A_DAY = 3

_K, _S = ConfirmationKind, RegistrationState
_ASKED_FOR = {
    _K.REGISTRATION: [_S.UNCONFIRMED],
    _K.NUMBER: [_S.WAITING, _S.UNREACHED],
    _K.CANCELLATION: registration_sources(_S.CANCELLED),
}
"""The states of a place in which what was asked for can still be done."""


def ask_place(
    session: Session, *, round_id: int, number: str, asked_by: str | None, language: str, per_day: int
) -> int:
    """Somebody wants a place in the round for an E.164 `number` that is not theirs: returns the confirmation.

    `asked_by` is the caller's own, None if it is withheld. The place is reserved as of now; it joins the line
    if its owner agrees and there is room then. Nobody is called whose number has a place, is blocked, or was
    refused by its owner in the last 30 days. For what is true of the round or of the caller, raises
    Refused("not-found" | "registration-closed" | "round-full" | "too-many-today" | "too-many-withheld")
    and Blocked.
    """
    for key in sorted((number, _caller(asked_by))):
        one_at_a_time(session, key)
    found = registration.find_round(session, round_id, number, caller=asked_by)
    registration.check(session, found, per_day)
    if asked_by is None:
        _check_withheld(session)
    if _left_in_peace(session, number):
        return _ask(session, _K.REGISTRATION, number, asked_by, None).id
    if found.holding:
        texted = _texted(session, found.holding)
        return _ask(session, _K.REGISTRATION, number, asked_by, texted).id
    place = registration.reserve(session, found, _S.UNCONFIRMED, number, language=language)
    confirmation = _ask(session, _K.REGISTRATION, number, asked_by, place)
    if place:
        registration.record(session, Fact.REGISTERED, place)
    return confirmation.id


def to_be_called(registration_id: int | SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether the owner of an unconfirmed place's number is still to be called about it."""
    return exists().where(
        Confirmation.registration_id == registration_id,
        Confirmation.kind == _K.REGISTRATION,
        Confirmation.decided_at.is_(None),
    )


def _texted(session: Session, registration_id: int) -> Registration | None:
    """The place if it was asked for by text message alone: whoever forged that keeps nobody from a call."""
    unconfirmed = select(Registration).where(
        Registration.id == registration_id,
        Registration.state == _S.UNCONFIRMED,
        ~to_be_called(Registration.id),
    )
    return session.scalar(unconfirmed)


def ask_number(session: Session, registration_id: int, number: str, *, per_day: int) -> int:
    """The place is to be called at this E.164 `number`, once its owner agrees: returns the confirmation.

    An earlier wish for another number is forgotten. Raises Refused("too-many-today" | "wrong-state").
    """
    place = _place(session, registration_id, _K.NUMBER)
    one_at_a_time(session, place.number)
    if registration.for_others_today(session, place.number) >= per_day:
        raise Refused("too-many-today", f"a number asks for others at most {per_day} times a day")
    _forget_wishes(session, _K.NUMBER, registration_id)
    peace = _left_in_peace(session, number)
    return _ask(session, _K.NUMBER, number, place.number, place, decided=peace).id


def ask_cancellation(session: Session, registration_id: int) -> int:
    """The place is to be given up, once its own number agrees: returns the confirmation.

    Raises Refused("too-many-today" | "wrong-state").
    """
    place = _place(session, registration_id, _K.CANCELLATION)
    one_at_a_time(session, place.number)
    asked = select(func.count(Confirmation.id)).where(
        Confirmation.asked_by == place.number,
        Confirmation.kind == _K.CANCELLATION,
        Confirmation.asked_at > now(session) - _DAY,
    )
    if (session.scalar(asked) or 0) >= _CANCELLATIONS_A_DAY:
        raise Refused("too-many-today", "a number is called about cancelling three times a day")
    _forget_wishes(session, _K.CANCELLATION, registration_id)
    return _ask(session, _K.CANCELLATION, place.number, place.number, place).id


def _caller(asked_by: str | None) -> str:
    return asked_by or "withheld"


def _check_withheld(session: Session) -> None:
    asked = select(func.count(Confirmation.id)).where(
        Confirmation.asked_by.is_(None), Confirmation.asked_at > now(session) - _HOUR
    )
    if (session.scalar(asked) or 0) >= _WITHHELD_PER_HOUR:
        raise Refused("too-many-withheld", "too many numbers were keyed in on telephones without a number")


def _left_in_peace(session: Session, number: str) -> bool:
    """Whether its owner does not want to be called: it is blocked, or 2 was pressed not long ago."""
    refused = exists().where(
        Confirmation.number == number,
        Confirmation.decided_at > now(session) - _KEPT,
        Confirmation.kind != _K.CANCELLATION,
        Confirmation.agreed.is_(False),
    )
    query = select(or_(refused, exists().where(BlockedNumber.number == number)))
    return session.scalar(query) or False


def _place(session: Session, registration_id: int, kind: ConfirmationKind) -> Registration:
    place = session.get_one(Registration, registration_id)
    if place.state not in _ASKED_FOR[kind]:
        raise Refused("wrong-state", "the registration is being called, or it is over")
    return place


def _ask(
    session: Session,
    kind: ConfirmationKind,
    number: str,
    asked_by: str | None,
    place: Registration | None,
    *,
    decided: bool = False,
) -> Confirmation:
    at = now(session)
    confirmation = Confirmation(
        kind=kind,
        number=number,
        registration_id=place.id if place else None,
        asked_by=asked_by,
        asked_at=at,
        not_before=at + _LISTENS,
        decided_at=at if decided or place is None else None,
    )
    session.add(confirmation)
    session.flush()
    return confirmation


def _forget_wishes(session: Session, kind: ConfirmationKind, registration_id: int) -> None:
    session.execute(
        update(Confirmation)
        .where(
            Confirmation.registration_id == registration_id,
            Confirmation.kind == kind,
            Confirmation.decided_at.is_(None),
        )
        .values(decided_at=now(session))
        .execution_options(synchronize_session=False)
    )


def caller_leaves(session: Session, ids: Collection[int]) -> None:
    """Whoever asked for these has hung up, or is about to: their calls need not wait any longer."""
    soon = now(session) + _HANGS_UP
    session.execute(
        update(Confirmation)
        .where(Confirmation.id.in_(ids), Confirmation.attempts == 0, Confirmation.not_before > soon)
        .values(not_before=soon)
        .execution_options(synchronize_session=False)
    )


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a confirmation's token."""
    return channel_id.startswith(_PREFIX)


def due(session: Session, limit: int) -> Sequence[int]:
    """The confirmations whose number is to be called now, at most `limit`."""
    at = now(session)
    query = select(Confirmation.id).where(_is_due(at)).order_by(Confirmation.not_before, Confirmation.id)
    return session.scalars(query.limit(limit), engaged.asked(at)).all()


def _is_due(at: datetime) -> ColumnElement[bool]:
    can_be_done = or_(
        *(
            and_(Confirmation.kind == kind, Registration.state.in_(states))
            for kind, states in _ASKED_FOR.items()
        )
    )
    of_a_place = (
        exists()
        .where(
            Registration.id == Confirmation.registration_id,
            can_be_done,
            or_(Confirmation.kind != _K.REGISTRATION, ~rounds.is_over(at)),
            Round.id == Registration.round_id,
        )
        .correlate(Confirmation)
    )
    return and_(
        Confirmation.decided_at.is_(None),
        Confirmation.token.is_(None),
        Confirmation.not_before <= at,
        of_a_place,
        ~engaged.phone(Confirmation.number),
    )


def take_up(session: Session, confirmation_id: int) -> Confirmation | None:
    """Give the confirmation its token: from here on this call is placed once. None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(Confirmation)
        .where(Confirmation.id == confirmation_id, _is_due(at))
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", attempts=Confirmation.attempts + 1, not_before=at)
        .returning(Confirmation.id)
        .execution_options(synchronize_session=False),
        engaged.asked(at),
    )
    return session.get(Confirmation, taken, populate_existing=True) if taken else None


def put_off(session: Session, confirmation: Confirmation, until: datetime) -> None:
    """It was taken up and may not be placed now: due again from `until` on, as if never taken up."""
    confirmation.token = None
    confirmation.attempts -= 1
    confirmation.not_before = until


def by_token(session: Session, token: str) -> Confirmation | None:
    """The confirmation whose channel is `token`."""
    return session.scalar(select(Confirmation).where(Confirmation.token == token))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(Confirmation.token, Confirmation.not_before).where(Confirmation.token.is_not(None))
    return {token: placed_at for token, placed_at in session.execute(query) if token}


def answer(session: Session, token: str, *, yes: bool) -> Registered | Refused | None:
    """The person at the number presses 1 or 2: the place as they have it now; None if there is none to tell.

    A rule that forbids what they agreed to is returned, not raised, since it decides, too ("round-full",
    "number-taken", "number-blocked"). Refused("wrong-state"): the call, or what it asks for, is over.
    """
    confirmation = session.scalar(
        select(Confirmation)
        .where(Confirmation.token == token, Confirmation.decided_at.is_(None))
        .with_for_update(of=Confirmation)
        .execution_options(populate_existing=True)
    )
    place = confirmation.registration if confirmation else None
    if confirmation is None or place is None:
        return _too_late()
    if confirmation.kind is _K.REGISTRATION:
        one_at_a_time(session, place.number)
        session.refresh(place)
    confirmation.agreed, confirmation.decided_at = yes, now(session)
    session.flush()
    try:
        if yes:
            return _agreed(session, confirmation, place)
        _declined(session, confirmation)
    except Refused as refused:
        if refused.code == "round-full":
            registration.withdraw(session, place.id)
        return refused
    return None


def _too_late() -> Refused:
    return Refused("wrong-state", "what was asked for is over")


def _agreed(session: Session, confirmation: Confirmation, place: Registration) -> Registered | None:
    if confirmation.kind is _K.REGISTRATION and place.state is _S.UNCONFIRMED:
        return registration.confirm(session, place)
    if confirmation.kind is _K.REGISTRATION and place.state not in HOLDS_PLACE:
        raise _too_late()
    if confirmation.kind is not _K.REGISTRATION and place.number != confirmation.asked_by:
        raise _too_late()  # the place has another number since
    if confirmation.kind is _K.CANCELLATION:
        registration.cancel(session, place.id, tell=True)
        return None
    if confirmation.kind is _K.NUMBER:
        registration.change_number(session, place.id, confirmation.number)
    return registration.told(session, place, already=True)


def kept(session: Session, confirmation: Confirmation) -> Registered | Refused | None:
    """The same as `answer` has told, where the script that was to say it broke off: for who has answered."""
    place, kind = confirmation.registration, confirmation.kind
    if place is None or not confirmation.agreed:
        return None
    cancelled = place.state is _S.CANCELLED
    if kind is _K.CANCELLATION:
        return None if cancelled else _too_late()
    if kind is _K.REGISTRATION and cancelled:
        return Refused("round-full", "there was no room when its owner agreed")
    if place.state not in HOLDS_PLACE or place.number != confirmation.number:
        return _too_late()
    return registration.told(session, place, already=True)


def _declined(session: Session, confirmation: Confirmation) -> None:
    if confirmation.kind is _K.REGISTRATION and confirmation.registration_id:
        registration.withdraw(session, confirmation.registration_id)


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call is over: unless it was answered, it is tried again later, three times in all.

    `ours`: it came to nothing by our own fault, and is none of the three.
    """
    confirmation = by_token(session, token)
    if confirmation is None:
        return
    at = now(session)
    confirmation.token = None
    confirmation.not_before = at + _WAIT * confirmation.attempts
    confirmation.attempts -= ours
    if confirmation.attempts >= _MAX_ATTEMPTS and confirmation.decided_at is None:
        confirmation.decided_at = at
        session.flush()
        _declined(session, confirmation)


def forget(session: Session) -> None:
    """Delete, and who asked with it, what was asked for 30 days ago and waits for nobody any more."""
    waits = exists().where(
        Registration.id == Confirmation.registration_id, Registration.state == _S.UNCONFIRMED
    )
    over = or_(Confirmation.decided_at.is_not(None), ~waits)
    long_ago = Confirmation.asked_at < now(session) - _KEPT
    session.execute(
        delete(Confirmation)
        .where(long_ago, over, Confirmation.token.is_(None))
        .execution_options(synchronize_session=False)
    )
