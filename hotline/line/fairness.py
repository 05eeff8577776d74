"""Fairness check by ticket number: the position, its reason, and the calls to others meanwhile.

Everything is read from the public ledger, so that a stranger can check all that the page shows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from db.models import Callback, LedgerEntry, Registration, Round, Seal
from db.states import HOLDS_PLACE, CallbackState, Fact, RegistrationState
from hotline.ledger import entries, seals
from hotline.ledger.entries import LedgerPlace
from hotline.line import order
from hotline.rounds import phases

_CALLS = 5000
_LISTED = 50


class Reason(StrEnum):
    """Reason why somebody was called who was not next by the time of registering."""

    MOVED_UP = "moved_up"  # staff moved them up, with a written reason
    NOT_DUE = "not_due"  # you were to be tried again only later
    BEING_CALLED = "being_called"  # you were being called, too
    UNCONFIRMED = "unconfirmed"  # your keyed-in number was not confirmed yet
    USED_UP = "used_up"  # every attempt to reach you in this round was used up
    DEFERRED = "deferred"  # you had asked for the next round
    ENGAGED = "engaged"  # you were on the line with us, or about to be called for another round
    CHANGING = "changing"  # your record was being changed in that very moment
    NONE = "none"  # no reason is recorded: an error


@dataclass(frozen=True)
class Called:
    """Call to somebody else: its entry and reason. `until`: when the passed citizen was due again."""

    entry: LedgerEntry
    reason: Reason
    text: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Position:
    """Position of a registration. `place` counts from 1, and is None for a place that does not wait."""

    registration: Registration
    round: Round
    place: int | None
    waiting: int
    why: Literal["moved-up", "carried", "in-turn"]
    facts: Sequence[LedgerEntry]
    called: int
    before: int
    unexplained: int
    """Number of calls without a recorded reason, among all of `called`."""
    explained: Sequence[Called]
    """Newest calls that need a reason."""
    seal: Seal | None
    spoken: bool
    """The citizen's conversation is over, and its outcome is not recorded yet."""


def find_facts(session: Session, registration: Registration) -> Position:
    """Return the registration's position and the facts that led to it."""
    facts = entries.list_by_registration(session, registration.id)
    calls = [
        (entry, last) for entry in _calls(session, registration, facts) if (last := _stood_by(facts, entry))
    ]
    explained = [call for call in (_explain(last, entry) for entry, last in calls) if call]
    waits = registration.state is RegistrationState.WAITING
    return Position(
        registration=registration,
        round=phases.get(session, registration.round_id),
        place=order.count_before(session, registration) + 1 if waits else None,
        waiting=phases.count_by_state(session, [registration.round_id])[registration.round_id].get(
            RegistrationState.WAITING, 0
        ),
        why=order.find_reason(registration),
        facts=facts,
        called=len(calls),
        before=sum(1 for call in explained if call.reason is Reason.MOVED_UP) + len(calls) - len(explained),
        unexplained=sum(call.reason is Reason.NONE for call in explained),
        explained=_with_texts(session, explained[-_LISTED:]),
        seal=seals.find_newest(session),
        spoken=bool(session.scalar(select(_SPOKEN.where(Callback.registration_id == registration.id)))),
    )


_SPOKEN = exists().where(Callback.state == CallbackState.ENDED, Callback.talking_at.is_not(None))


def _calls(
    session: Session, registration: Registration, facts: Sequence[LedgerEntry]
) -> Sequence[LedgerEntry]:
    """Return the newest _CALLS calls of others in this round since the registration came into it."""
    here = [fact for fact in facts if fact.round_id == registration.round_id]
    if not here:
        return []
    query = select(LedgerEntry).where(
        LedgerEntry.round_id == registration.round_id,
        LedgerEntry.fact == Fact.CALLED,
        LedgerEntry.id > here[0].id,
        LedgerEntry.registration_id != registration.id,
    )
    if registration.state not in HOLDS_PLACE:  # fewer to read: `_stood_by` would drop the later ones
        query = query.where(LedgerEntry.id < here[-1].id)
    return session.scalars(query.order_by(LedgerEntry.id.desc()).limit(_CALLS)).all()[::-1]


def _stood_by(facts: Sequence[LedgerEntry], call: LedgerEntry) -> LedgerEntry | None:
    """Return the fact by which the registration stood in the round at the time of a call.

    Return None if it did not stand there, because an undone carry-over had moved or closed it. A returned
    registration stands by the fact before the carry-over.
    """
    past = [fact for fact in facts if fact.id < call.id and fact.fact is not Fact.NUMBER_CHANGED]
    if not _stands(past[-1], call):
        return None
    before = (fact for fact in reversed(past) if _stands(fact, call) and "back" not in _details(fact))
    return next(before, past[-1])


def _stands(fact: LedgerEntry, call: LedgerEntry) -> bool:
    place = entries.place(fact)
    return place.round_id == call.round_id and place.state in HOLDS_PLACE


def _explain(last: LedgerEntry, call: LedgerEntry) -> Called | None:
    """Return the reason that a call needs; None if its citizen stood before by the rule alone.

    `last` is the fact by which the passed citizen stood in the round.
    """
    mine, own, other = entries.place(last), last.registration_id or 0, entries.place(call)
    if other.rank(call.registration_id or 0) < mine.rank(own):
        return Called(call, Reason.MOVED_UP) if other.moved_up > mine.moved_up else None
    return Called(call, Reason.DEFERRED) if last.fact is Fact.DEFERRED else _behind(mine, own, call)


def _behind(mine: LedgerPlace, own: int, call: LedgerEntry) -> Called:
    by_state = {
        RegistrationState.UNCONFIRMED: Reason.UNCONFIRMED,
        RegistrationState.CALLING: Reason.BEING_CALLED,
        RegistrationState.UNREACHED: Reason.USED_UP,
    }
    if mine.state in by_state:
        return Called(call, by_state[mine.state])
    details = _details(call)
    if mine.not_before and mine.not_before > entries.read_clock(call, details):
        return Called(call, Reason.NOT_DUE, until=mine.not_before)
    if own in details.get("engaged", []):
        return Called(call, Reason.ENGAGED)
    return Called(call, Reason.CHANGING if own in details.get("passed", []) else Reason.NONE)


def _with_texts(session: Session, calls: Sequence[Called]) -> list[Called]:
    """Return the calls with the written reason of each citizen who was moved up."""
    moved = [call.entry.registration_id for call in calls if call.reason is Reason.MOVED_UP]
    last = select(func.max(LedgerEntry.id)).where(
        LedgerEntry.registration_id.in_(moved), LedgerEntry.fact == Fact.MOVED_UP
    )
    found = session.scalars(
        select(LedgerEntry).where(LedgerEntry.id.in_(last.group_by(LedgerEntry.registration_id)))
    )
    texts = {entry.registration_id: str(_details(entry).get("reason", "")) for entry in found}
    return [
        Called(call.entry, call.reason, texts.get(call.entry.registration_id, ""), call.until)
        for call in calls
    ]


def _details(entry: LedgerEntry) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(entry.details)
    return details
