"""Claims of the next citizen of a round's line, strictly in order: one callback for one registration."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Registration, Round
from db.states import Fact
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import busy_numbers, carry_over, order
from hotline.rounds import phases, planning

_TRIES = 20
"""How often a claim is undone because somebody stands ahead. After that the ledger names who is passed."""


def take_in_order(session: Session, round_: Round, **values: Any) -> Callback | None:
    """Create a callback, with these `values`, for the next citizen of the round; None if nobody is due.

    The first callback opens the round. The round waits briefly for citizens carried over from the official's
    round before. Raises Refused("desk-busy").
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
        phases.open_round(session, round_)
    _record(session, callback, at, passed)
    return callback


def take_this(session: Session, registration: Registration, **values: Any) -> Callback | None:
    """Create a callback, with these `values`, for this citizen; the ledger names whom it passes.

    Return None if the citizen is not due in the line. Call `events.hold_line` before. Raises
    Refused("engaged").
    """
    at = now(session)
    if order.take(session, registration.id, at) is None:
        return None
    callback = _callback(session, registration.id, registration.round_id, at, values)
    at = events.hold_order(session)
    busy_numbers.check_free(session, callback)
    _record(session, callback, at, order.list_passed(session, callback.registration, at))
    return callback


def _record(session: Session, callback: Callback, at: datetime, passed: list[int]) -> None:
    """Record the claim in the ledger, with the passed citizens and those of them who were on the phone."""
    on_the_line = sorted(busy_numbers.list_busy(session, passed))
    facts = {"passed": passed} | ({"engaged": on_the_line} if on_the_line else {})
    entries.record(session, Fact.CALLED, callback.registration, at, **facts)
    events.append_callback(session, callback)


def _take_first(
    session: Session, round_: Round, values: dict[str, Any]
) -> tuple[Callback, list[int], datetime] | None:
    """Return a callback for the next citizen, the ids that it passes, and its time.

    The claim passes only rows that stay locked and citizens who are on the phone with us.
    """
    at = events.hold_line(session, round_.id)
    if not round_.opened_at:  # the round opens under the log's lock, after which no row lock is taken
        session.refresh(round_, ["opened_at"], with_for_update={"key_share": True})
        at = now(session)
    for tries_left in reversed(range(_TRIES)):
        with session.begin_nested() as step:
            callback = _take(session, round_, values, at)
            if callback is None:
                return None
            at = events.hold_order(session)  # no newer fact is written before this one
            passed = order.list_passed(session, callback.registration, at)
            free = not busy_numbers.is_busy_elsewhere(
                session, callback, at
            )  # another round may just have called them
            if free and (not tries_left or not set(passed) - busy_numbers.list_busy(session, passed)):
                return callback, passed, at
            step.rollback()  # somebody ahead joined the line, or was being changed, at this moment
    return None


def _take(session: Session, round_: Round, values: dict[str, Any], at: datetime) -> Callback | None:
    registration_id = order.take_next(session, round_.id, at)
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
    except IntegrityError:  # another tab of the desk was faster
        raise Refused("desk-busy", "the desk has a callback without an outcome") from None
    return callback
