"""Taking the next citizen out of a round's line, strictly in order: one callback for one registration."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Registration, Round
from db.states import Fact
from hotline import ledger, line, rounds
from hotline.errors import Refused

_TRIES = 20
"""So often a claim is taken back because somebody stands before; then the ledger names who is passed."""


def take_in_order(session: Session, round_: Round, **values: Any) -> Callback | None:
    """A callback, with these `values`, for the next citizen of the round; None when nobody is due.

    The first one opens the round. Raises Refused("desk-busy").
    """
    taken = _take_first(session, round_, values)
    if taken is None:
        return None
    callback, passed = taken
    if not round_.opened_at:
        rounds.open_round(session, round_)
    ledger.record(session, Fact.CALLED, callback.registration, passed=passed)
    events.callback_changed(session, callback)
    return callback


def _take_first(session: Session, round_: Round, values: dict[str, Any]) -> tuple[Callback, list[int]] | None:
    """A callback for the next citizen, and whom that passes.

    Nobody, but for a row that stays locked, and whoever is asked at this moment whether they can be reached.
    """
    events.hold_line(session, round_.id)
    if not round_.opened_at:  # it will be, when the log is held, after which no row is waited for
        session.refresh(round_, ["opened_at"], with_for_update={"key_share": True})
    for tries_left in reversed(range(_TRIES)):
        with session.begin_nested() as step:
            callback = _take(session, round_, values)
            if callback is None:
                return None
            events.hold_order(session)  # from here on this is the newest fact there is
            passed = line.passed(session, callback.registration, now(session))
            if not tries_left or not set(passed) - line.near_called(session, passed):
                return callback, passed
            step.rollback()  # they joined the line, or were being changed, in this very moment
    return None


def _take(session: Session, round_: Round, values: dict[str, Any]) -> Callback | None:
    at = now(session)
    registration_id = line.take_next(session, round_.id, at)
    if registration_id is None:
        return None
    callback = Callback(
        registration=session.get_one(Registration, registration_id, populate_existing=True),
        round_id=round_.id,
        claimed_at=at,
        **values,
    )
    session.add(callback)
    try:
        session.flush()
    except IntegrityError:  # the same desk in another tab was a moment earlier
        raise Refused("desk-busy", "the desk has a callback without an outcome") from None
    return callback
