"""Carry-over: citizens whom a round did not reach pass to the official's next round by themselves.

The registration keeps its ticket number and time, and gains one missed round. Each leaves its round in one
guarded step, recorded in `carries`: a repeated run changes nothing.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Integer, Select, and_, bindparam, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, make_transient

from db import events
from db.engine import now
from db.models import (
    Carry,
    Delivery,
    LedgerEntry,
    OutboxKind,
    OutboxMessage,
    Registration,
    Round,
    UtcDateTime,
    VoiceSummary,
    make_literal,
    make_literals,
)
from db.states import FREE_OF_CHARGE, HOLDS_PLACE, Fact, Outcome, RegistrationState
from db.trusted_time import trusted_now
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import confirmations, order, registration_limits
from hotline.messages import outbox
from hotline.rounds import phases

_LEFT = (RegistrationState.WAITING, RegistrationState.UNREACHED, RegistrationState.UNCONFIRMED)
_TOLD = (OutboxKind.NOT_REACHED, OutboxKind.ROUND_CANCELLED)

_later = aliased(Round)
NEXT_ROUND = (
    select(_later.id)
    .where(
        _later.official_id == Round.official_id,
        _later.is_operators_line.is_(False),
        # a replacement of a cancelled round may start earlier; it is a next round, too
        or_(_later.starts_at > Round.starts_at, _later.id > Round.id),
        ~phases.where_over(_later),
    )
    .order_by(_later.starts_at, _later.id)
    .limit(1)
    .correlate(Round)
    .scalar_subquery()
)
"""Subquery of the next round of the official of `Round`, if it exists and is not over.

`phases.bind_moment` gives the parameters of the query.
"""

_spoken_with, _its_round = aliased(Registration), aliased(Round)
_waits_for_an_outcome = (
    exists()
    .where(
        _spoken_with.number == Registration.number,
        _spoken_with.state == make_literal(RegistrationState.CALLING),
        _spoken_with.round_id == _its_round.id,
        _its_round.official_id == Round.official_id,
    )
    .correlate(Registration, Round)
)
_deferred = exists().where(
    LedgerEntry.registration_id == Registration.id,
    LedgerEntry.round_id == Registration.round_id,
    LedgerEntry.fact == make_literal(Fact.DEFERRED),
)
"""Condition on Registration: in its round, its citizen asked for the next one."""
_twice = and_(Registration.rounds_unanswered > 0, ~_deferred)
_given_up = and_(
    Registration.state == make_literal(RegistrationState.UNREACHED), or_(Round.is_operators_line, _twice)
)
_told = exists().where(
    OutboxMessage.registration_id == Registration.id,
    OutboxMessage.round_id == Registration.round_id,
    OutboxMessage.kind.in_(make_literals(_TOLD)),
)

# Polled every second, so these are built once.
_DUE = (
    select(Registration, NEXT_ROUND)
    .join(Registration.round)
    .options(joinedload(Registration.round))
    .where(
        or_(phases.where_over(), Round.is_operators_line),
        Registration.state.in_(make_literals(_LEFT)),
        or_(_given_up, and_(Round.is_operators_line.is_(False), NEXT_ROUND.is_not(None))),
        ~_waits_for_an_outcome,
    )
    .order_by(Registration.registered_at, Registration.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(of=Registration, skip_locked=True)
)
_NOT_TOLD = (
    select(Registration)
    .join(Registration.round)
    .options(joinedload(Registration.round))
    .where(
        phases.where_over(),
        Round.is_operators_line.is_(False),
        Registration.state.in_(make_literals((RegistrationState.WAITING, RegistrationState.UNREACHED))),
        Registration.number.startswith(outbox.MOBILE),
        NEXT_ROUND.is_(None),
        ~_told,
    )
    .order_by(Registration.registered_at, Registration.id)
    .limit(bindparam("limit", type_=Integer))
)


IS_ANY_LEFT = select(
    exists().where(
        Registration.round_id == Round.id,
        Registration.state.in_(make_literals(_LEFT)),
        or_(phases.where_over_now(), Round.is_operators_line),
    )
)


_earlier = aliased(Round)
_LATELY = timedelta(seconds=30)
_EXPECTED = select(
    exists().where(
        Registration.round_id == _earlier.id,
        Registration.state.in_(make_literals(_LEFT)),
        _earlier.official_id == bindparam("official", type_=Integer),
        _earlier.id != bindparam("round", type_=Integer),
        _earlier.is_operators_line.is_(False),
        phases.where_over(_earlier),
        func.coalesce(_earlier.ended_at, _earlier.cancelled_at, _earlier.ends_at)
        >= bindparam("lately", type_=UtcDateTime),
    )
)


class _Step(NamedTuple):
    fact: Fact
    registration: Registration
    left: Round
    to: Round | None


def carry_over(session: Session, limit: int = 100) -> int:
    """Carry over at most `limit` registrations of rounds that are over or cancelled. Return how many left.

    Call it until it returns 0, each time in its own transaction; an interrupted run can be continued. A
    citizen whose attempts were used up in two rounds, or once in the operators' line, is closed. A
    text-message registration that was never confirmed ends with its round.
    """
    at = trusted_now(session)
    steps = [
        step for left, next_id in _due(session, at, limit) for step in _settle(session, left, next_id, at)
    ]
    for step in steps:
        _tell(session, step, at)
    session.flush()  # lock order: rows before the logs
    for step in steps:
        merged = {"into": step.registration.merged_into_id} if step.fact is Fact.MERGED else {}
        entries.record(session, step.fact, step.registration, left=step.left.id, **merged)
        events.append_registration(session, step.registration)
    return len(steps)


class TakenBack(NamedTuple):
    """Counts of places: `back` came back into the round, `stay` changed since and stayed."""

    back: int
    stay: int


def take_back(session: Session, round_: Round, *, who: str, reason: str) -> TakenBack:
    """Undo the carry-over of a round that is not over after all, from the ledger's record.

    A place returns to its former state, even if it was closed or merged into another. If two places were
    merged, the surviving one keeps the latest subject and message: nothing records the earlier ones. A place
    stays where it is if it was called, moved or given up since. Raises Refused("round-over" | "wrong-state")
    and the errors of `reasons.check`.
    """
    reason = reasons.check(reason)
    phases.check_not_over(round_, now(session))
    if round_.is_operators_line:
        raise Refused("wrong-state", "nobody is carried out of the operators' line")
    carried = set(session.scalars(select(Carry.registration_id).where(Carry.from_round_id == round_.id)))
    places = session.scalars(_may_come_back(round_.id, carried).with_for_update(of=Registration)).all()
    came_from = {each.id: each.round_id for each in places}
    back = [each for each in places if each.merged_into_id not in carried and _restore(session, each, round_)]
    session.flush()  # frees the numbers in the next round before their other places return
    ids = {each.id for each in back}
    back += [
        each
        for each in places
        if each.merged_into_id in ids and _restore(session, each, round_, came_from[each.merged_into_id])
    ]
    _drop_unsent(session, [each.id for each in back], round_.id)
    session.flush()  # lock order: rows before the logs
    stay = len(carried - ids)
    audit.record(session, who, "carry-over-taken-back", f"round {round_.id}", reason)
    for each in back:
        entries.record(session, Fact.CARRIED, each, left=came_from[each.id], back=True)
        events.append_registration(session, each)
    return TakenBack(len(back), stay)


def _may_come_back(round_id: int, carried: Collection[int]) -> Select[Registration]:
    ended = Registration.state.in_(make_literals((RegistrationState.CLOSED, RegistrationState.CANCELLED)))
    its = or_(
        Registration.id.in_(carried),
        Registration.merged_into_id.in_(carried),
        and_(Registration.round_id == round_id, ended),
    )
    return select(Registration).where(its).order_by(Registration.id)


def _restore(session: Session, place: Registration, round_: Round, merged_in: int | None = None) -> bool:
    """Restore the place to its state before its last fact, if that fact was the carry-over's.

    `merged_in`: the round in which it was merged into a carried place.
    """
    facts = entries.list_by_registration(session, place.id)
    last = json.loads(facts[-1].details)
    if last.get("left") != (merged_in or round_.id) or "back" in last:
        return False
    before = entries.place(facts[-2])
    if registration_limits.find_place_id(session, before.round_id, place.number) is not None:
        return False
    if facts[-1].fact is Fact.CARRIED:
        session.delete(session.get_one(Carry, (place.id, round_.id)))
        _restore_attempts(session, place, before, facts)
    place.round_id, place.state, place.merged_into_id = before.round_id, before.state, None
    place.not_before, place.rounds_missed = before.not_before, before.rounds_missed
    return True


def _restore_attempts(
    session: Session, place: Registration, before: entries.LedgerPlace, facts: Sequence[LedgerEntry]
) -> None:
    """Recount the attempts of the round, and take back that the citizen did not answer in it."""
    in_round = [fact for fact in facts if fact.round_id == before.round_id]
    ends = [json.loads(fact.details) for fact in in_round if fact.fact is Fact.OUTCOME]
    attempts = [end for end in ends if Outcome(end["outcome"]) not in FREE_OF_CHARGE]
    place.attempts = sum("set_back" not in end for end in attempts)
    deferred = any(fact.fact is Fact.DEFERRED for fact in in_round)
    if before.state is RegistrationState.UNREACHED and not deferred:
        place.rounds_unanswered -= 1


def has_deferred(session: Session, registration: Registration) -> bool:
    """Return whether the citizen asked, in the registration's round, for the next one."""
    asked = select(Registration.id).where(Registration.id == registration.id, _deferred)
    return session.scalar(asked) is not None


def _drop_unsent(session: Session, ids: Collection[int], round_id: int) -> None:
    """Delete unsent messages which say that the round did not reach somebody: the round goes on."""
    untrue = (*_TOLD, OutboxKind.CARRIED, OutboxKind.CLOSED)
    session.execute(
        delete(OutboxMessage)
        .where(
            OutboxMessage.registration_id.in_(ids),
            OutboxMessage.round_id == round_id,
            OutboxMessage.kind.in_(make_literals(untrue)),
            OutboxMessage.state == Delivery.PENDING,
        )
        .execution_options(synchronize_session=False)
    )


def is_expected(session: Session, round_: Round) -> bool:
    """Return whether citizens of the official's just finished rounds are still to be carried over.

    Such citizens stand before all others of `round_`, so its line waits for them. If the scheduler does not
    work, the official waits for half a minute only.
    """
    at = now(session)
    asked = {"official": round_.official_id, "round": round_.id, "lately": at - _LATELY}
    return bool(session.execute(_EXPECTED, asked | phases.bind_moment(at)).scalar())


def tell_left(session: Session, limit: int = 100) -> int:
    """Tell citizens whom a round did not reach while no next round is known. Return how many."""
    at = trusted_now(session)
    found = session.scalars(_NOT_TOLD, {"limit": limit, **phases.bind_moment(at)}).all()
    for registration in found:
        _tell(session, _Step(Fact.CARRIED, registration, registration.round, None), at)
    session.flush()
    return len(found)


def count_moves(session: Session, round_id: int) -> tuple[dict[int, int], dict[int, int]]:
    """Return the carry-over counts: by the round they came from, and by the round they went to."""
    sides = ((Carry.to_round_id, Carry.from_round_id), (Carry.from_round_id, Carry.to_round_id))
    came, went = (
        dict(
            session.execute(
                select(other, func.count()).where(mine == round_id).group_by(other).order_by(other)
            ).all()
        )
        for mine, other in sides
    )
    return came, went


def _due(session: Session, at: datetime, limit: int) -> Sequence[tuple[Registration, int | None]]:
    rows = session.execute(_DUE, {"limit": limit, **phases.bind_moment(at)})
    return [(registration, round_id) for registration, round_id in rows]


def _settle(session: Session, left: Registration, next_id: int | None, at: datetime) -> list[_Step]:
    from_round = left.round
    unreached = left.state is RegistrationState.UNREACHED
    unanswered = unreached and not has_deferred(session, left)
    if unanswered and (left.rounds_unanswered or from_round.is_operators_line):
        left.state = RegistrationState.CLOSED
        return [_Step(Fact.CLOSED, left, from_round, None)]
    if _unsure(left) and not session.scalar(select(confirmations.where_to_be_called(left.id))):
        left.state = RegistrationState.CANCELLED
        return [_Step(Fact.CANCELLED, left, from_round, None)]
    to = session.get_one(Round, next_id)
    rival = session.scalar(
        select(Registration).where(
            Registration.round_id == to.id,
            Registration.number == left.number,
            Registration.state.in_(HOLDS_PLACE),
        )
    )
    if rival and (rival.state is RegistrationState.CALLING or not _still(session, rival)):
        return []  # a call has just begun: its outcome decides
    carried_rank = (-left.moved_up, -left.rounds_missed - 1, left.registered_at, left.id)
    # a stranger's unconfirmed request never costs the number's owner the place
    if rival and (_unsure(rival), order.find_rank(rival)) < (_unsure(left), carried_rank):
        return [_merge(session, left, rival, from_round)]
    merged = [_merge(session, rival, left, to)] if rival else []
    session.flush()  # frees the number in that round first
    left.round_id, left.round = to.id, to
    left.rounds_missed += 1
    left.rounds_unanswered += unanswered
    left.attempts, left.not_before = 0, None
    if unreached:
        left.state = RegistrationState.WAITING
    session.add(Carry(registration_id=left.id, from_round_id=from_round.id, to_round_id=to.id, at=at))
    session.flush()
    return [*merged, _Step(Fact.CARRIED, left, from_round, to)]


def _unsure(registration: Registration) -> bool:
    return registration.state is RegistrationState.UNCONFIRMED


def _still(session: Session, rival: Registration) -> bool:
    """Lock the rival, unless a desk or its citizen is changing it now. Return whether it is locked."""
    same = select(Registration.id).where(
        Registration.id == rival.id,
        Registration.round_id == rival.round_id,
        Registration.state == rival.state,
    )
    return session.scalar(same.with_for_update(skip_locked=True)) is not None


def _merge(session: Session, loser: Registration, winner: Registration, round_: Round) -> _Step:
    """Merge two places of one citizen: the later one is cancelled, and its ticket number leads to the other.

    The citizen's latest subject and voice message go to the surviving place. A stranger's words never do.
    """
    if not _unsure(loser):
        is_newer = loser.registered_at > winner.registered_at
        if loser.subject and (is_newer or not winner.subject):
            winner.subject = loser.subject
        if loser.voice_message and (is_newer or not winner.voice_message):
            # swapped, so that an erasure of the citizen finds both files
            loser.voice_message, winner.voice_message = winner.voice_message, loser.voice_message
            _swap_summaries(session, loser, winner)
    loser.state = RegistrationState.CANCELLED
    loser.merged_into_id = winner.id
    return _Step(Fact.MERGED, loser, round_, None)


def _swap_summaries(session: Session, one: Registration, other: Registration) -> None:
    """Swap the written summaries of two voice messages along with the messages."""
    ids = {one.id: other.id, other.id: one.id}
    found = session.scalars(select(VoiceSummary).where(VoiceSummary.registration_id.in_(ids))).all()
    for summary in found:
        session.delete(summary)
    session.flush()
    for old in found:
        make_transient(old)
        old.registration_id = ids[old.registration_id]
        session.add(old)


def _tell(session: Session, step: _Step, at: datetime) -> None:
    """Queue the text messages of a step. A round is named only after its notice."""
    registration, left = step.registration, step.left
    if step.fact in (Fact.MERGED, Fact.CANCELLED) or registration.state is RegistrationState.UNCONFIRMED:
        return
    if step.fact is Fact.CLOSED:
        outbox.tell(session, OutboxKind.CLOSED, registration, about_round=left.id)
        return
    known = step.to if step.to and step.to.announce_at <= at else None
    missed = OutboxKind.ROUND_CANCELLED if left.cancelled_at else OutboxKind.NOT_REACHED
    says_both = known and left.cancelled_at and not outbox.is_told(session, missed, registration, left.id)
    if says_both or not known:
        next_id = known.id if known else None
        outbox.tell(session, missed, registration, about_round=left.id, next_round=next_id)
    if step.to and not says_both:
        outbox.tell(
            session,
            OutboxKind.CARRIED,
            registration,
            about_round=left.id,
            not_before=max(at, step.to.announce_at),
            next_round=step.to.id,
        )
