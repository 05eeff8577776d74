"""Taking the next citizen out of a round's line, strictly in order: one callback for one registration."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Registration, Round
from db.states import Fact
from hotline.errors import Refused
from hotline.ledger import ledger
from hotline.line import carry_over, engaged, line
from hotline.rounds import planning, rounds

_TRIES = 20
"""So often a claim is taken back because somebody stands before; then the ledger names who is passed."""


def take_in_order(session: Session, round_: Round, **values: Any) -> Callback | None:
    """A callback, with these `values`, for the next citizen of the round; None when nobody is due.

    The first one opens the round, and waits a moment for whom the official's round before did not reach.
    Raises Refused("desk-busy").
    """
    if not round_.opened_at and (
        planning.end_earlier(session, round_) or carry_over.is_expected(session, round_)
    ):
        return None
    taken = _take_first(session, round_, values)
    if taken is None:
        return None
    callback, passed, at = taken
    if not round_.opened_at:
        rounds.open_round(session, round_)
    _record(session, callback, at, passed)
    return callback


def take_this(session: Session, registration: Registration, **values: Any) -> Callback | None:
    """A callback, with these `values`, for this citizen; the ledger names whom it passes.

    None if the citizen does not wait in the line, due. Hold the line (`events.hold_line`) before. Raises
    Refused("engaged").
    """
    at = now(session)
    if line.take(session, registration.id, at) is None:
        return None
    callback = _callback(session, registration.id, registration.round_id, at, values)
    at = events.hold_order(session)
    engaged.check_free(session, callback)
    _record(session, callback, at, line.passed(session, callback.registration, at))
    return callback


def _record(session: Session, callback: Callback, at: datetime, passed: list[int]) -> None:
    """The ledger names who was passed, and who of them was on the line with us."""
    on_the_line = sorted(engaged.among(session, passed))
    facts = {"passed": passed} | ({"engaged": on_the_line} if on_the_line else {})
    ledger.record(session, Fact.CALLED, callback.registration, at, **facts)
    events.callback_changed(session, callback)


def _take_first(
    session: Session, round_: Round, values: dict[str, Any]
) -> tuple[Callback, list[int], datetime] | None:
    """A callback for the next citizen, whom that passes, and when.

    Nobody, but for a row that stays locked, and whoever is on the line with us at this moment.
    """
    at = events.hold_line(session, round_.id)
    if not round_.opened_at:  # it will be, when the log is held, after which no row is waited for
        session.refresh(round_, ["opened_at"], with_for_update={"key_share": True})
        at = now(session)
    for tries_left in reversed(range(_TRIES)):
        with session.begin_nested() as step:
            callback = _take(session, round_, values, at)
            if callback is None:
                return None
            at = events.hold_order(session)  # from here on this is the newest fact there is
            passed = line.passed(session, callback.registration, at)
            free = not engaged.elsewhere(session, callback, at)  # nor has another round just called them
            if free and (not tries_left or not set(passed) - engaged.among(session, passed)):
                return callback, passed, at
            step.rollback()  # they joined the line, or were being changed, in this very moment
    return None


def _take(session: Session, round_: Round, values: dict[str, Any], at: datetime) -> Callback | None:
    registration_id = line.take_next(session, round_.id, at)
    if registration_id is None:
        return None
    return _callback(session, registration_id, round_.id, at, values)


def _callback(
    session: Session, registration_id: int, round_id: int, at: datetime, values: dict[str, Any]
) -> Callback:
    callback = Callback(
        registration=session.get_one(Registration, registration_id, populate_existing=True),
        round_id=round_id,
        claimed_at=at,
        **values,
    )
    session.add(callback)
    try:
        session.flush()
    except IntegrityError:  # the same desk in another tab was a moment earlier
        raise Refused("desk-busy", "the desk has a callback without an outcome") from None
    return callback
