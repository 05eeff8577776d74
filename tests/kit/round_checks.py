"""Judges a round: does the database say what the phones saw? Each judge gives what is wrong, in words."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import reading
from db.models import Callback, LedgerEntry, PlacedCall, Registration
from db.states import FREE_OF_CHARGE, HOLDS_PLACE, RETRIED, CallbackState, Fact, Outcome
from dialplan.variables import Context
from hotline.callbacks import schedule
from hotline.callbacks.schedule import Line
from hotline.line import order
from tests.kit.crowd import Call, Crowd
from tests.kit.official import Official, Talk
from tests.kit.system import System

_SLACK_S = 0.25
"""The tolerance between moments that two processes wrote down."""
_A_WHILE_S = 1.0
"""The least time that counts as a chance given by us."""


@dataclass
class Attempt:
    """A callback beside the call that came of it (None: no phone rang) and the conversation."""

    callback: Callback
    number: str
    call: Call | None
    talk: Talk | None


@dataclass
class Facts:
    """A round as the database has it and as the phones saw it."""

    registrations: Sequence[Registration]
    attempts: Sequence[Attempt]
    strays: Sequence[str]
    """Calls that belong to no callback, or to one that had its call."""
    calls: Mapping[str, Sequence[Call]] = field(default_factory=dict)
    engaged: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """The citizens that each callback passed because they had just dialled 137, as the ledger says."""
    said: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    """The times of outcomes by registration, as the ledger says, which may be long after the call."""


def facts(system: System, round_id: int, crowd: Crowd, officials: Sequence[Official]) -> Facts:
    """Bring the callbacks of a round together with the calls that the phones saw."""
    with reading(system.engine) as session:
        registered = select(Registration).where(Registration.round_id == round_id).order_by(*order.ORDER)
        registrations = session.scalars(registered).all()
    # The phones before the callbacks: what has rung by now was written down before.
    calls = {number_of(r): list(crowd.calls(number_of(r))) for r in registrations}
    with reading(system.engine) as session:
        query = select(Callback).where(Callback.round_id == round_id).order_by(Callback.id)
        callbacks = session.scalars(query).unique().all()
        engaged, said = _engaged(session, round_id, callbacks), _said(session, round_id)
        others = _placed_for_no_callback(session, callbacks)
    placed = [c for c in callbacks if c.placed_at]
    owner: dict[int, Call] = {}
    strays: list[str] = []
    for number, seen in calls.items():
        own = [c for c in placed if number_of(c.registration) == number]
        for call in seen:
            before = [c for c in own if c.placed_at and c.placed_at.timestamp() <= call.invited_at + _SLACK_S]
            if not before:
                strays.append(f"{number} rang for no callback{others.get(number, '')}")
            elif before[-1].id in owner:
                strays.append(f"{number} rang twice for {before[-1].token}")
            else:
                owner[before[-1].id] = call
    talks = {talk.callback: talk for official in officials for talk in official.talks}
    attempts = [Attempt(c, number_of(c.registration), owner.get(c.id), talks.get(c.id)) for c in callbacks]
    return Facts(registrations, attempts, strays, calls, engaged, said)


def _placed_for_no_callback(session: Session, callbacks: Sequence[Callback]) -> Mapping[str, str]:
    """Return the other calls placed to each number, in words."""
    tokens = {each.token for each in callbacks}
    found: dict[str, str] = {}
    for each in session.scalars(select(PlacedCall)):
        if each.token not in tokens:
            number = "0" + each.number.removeprefix("+98")
            found[number] = found.get(number, "") + f", {each.token} of node {each.node} at {each.at}"
    return found


def _said(session: Session, round_id: int) -> Mapping[int, Sequence[datetime]]:
    said: dict[int, list[datetime]] = {}
    outcomes = select(LedgerEntry).where(LedgerEntry.fact == Fact.OUTCOME, LedgerEntry.round_id == round_id)
    for entry in session.scalars(outcomes.order_by(LedgerEntry.id)):
        said.setdefault(entry.registration_id or 0, []).append(entry.at)
    return said


def _engaged(session: Session, round_id: int, callbacks: Sequence[Callback]) -> Mapping[int, Sequence[int]]:
    called = select(LedgerEntry).where(LedgerEntry.fact == Fact.CALLED, LedgerEntry.round_id == round_id)
    by_place: dict[int | None, list[Sequence[int]]] = {}
    for entry in session.scalars(called.order_by(LedgerEntry.id)):
        by_place.setdefault(entry.registration_id, []).append(json.loads(entry.details).get("engaged", []))
    return {callback.id: by_place[callback.registration_id].pop(0) for callback in callbacks}


def number_of(registration: Registration) -> str:
    """The number as the trunk is given it."""
    return "0" + registration.number.removeprefix("+98")


def double_calls(facts: Facts) -> Iterator[str]:
    """Nobody's phone rings twice for one callback, or while it is connected with us already."""
    yield from facts.strays
    for number, calls in facts.calls.items():
        for one, other in pairwise(calls):
            if one.ended_at is None or one.ended_at > other.invited_at:
                yield f"{number} was called while it had a live call"


def redialled(facts: Facts) -> Iterator[str]:
    """Nobody is called again with whom somebody spoke, unless the official says so, or they register anew."""
    spoken: dict[int, int] = {}
    for attempt in facts.attempts:
        place = attempt.callback.registration_id
        if place in spoken:
            yield f"{attempt.number} was called again after callback {spoken[place]}"
        if attempt.talk and attempt.callback.outcome is not Outcome.CALL_AGAIN:
            spoken[place] = attempt.callback.id


def out_of_order(system: System, facts: Facts) -> Iterator[str]:
    """Yield each call that was not to the first due citizen who was off the line."""
    outcomes: dict[int, list[Callback]] = {}
    attempts: dict[int, int] = {}
    live: set[int] = set()
    place = {r.id: n for n, r in enumerate(facts.registrations)}
    moments = [(a.callback.claimed_at, 1, a.callback) for a in facts.attempts]
    moments += [(a.callback.ended_at, 0, a.callback) for a in facts.attempts if a.callback.ended_at]
    for at, begins, callback in sorted(moments, key=lambda m: (m[0], m[1])):
        who = callback.registration_id
        if not begins:
            live.discard(who)
            outcomes.setdefault(who, []).append(callback)
            free = callback.outcome in FREE_OF_CHARGE
            attempts[who] = attempts.get(who, 0) + (not free)
            continue
        for other in facts.registrations[: place[who]]:
            last = outcomes.get(other.id)
            if (
                other.id in live
                or other.id in facts.engaged.get(callback.id, ())
                or (last and not _due(system, facts, last, attempts[other.id], at))
            ):
                continue
            if last and attempts[other.id] >= system.settings.max_attempts:
                continue
            yield f"{number_of(callback.registration)} was called before {number_of(other)}, who was due"
        live.add(who)


def _due(system: System, facts: Facts, before: Sequence[Callback], attempts: int, at: datetime) -> bool:
    last = before[-1]
    outcome = last.outcome
    if outcome not in RETRIED or last.ended_at is None:
        return False
    said = facts.said.get(last.registration_id, ())
    closed_at = min((moment for moment in said if moment >= last.ended_at), default=last.ended_at)
    until = closed_at + _spared(system, facts, before, at)
    due = schedule.find_not_before(outcome, attempts, closed_at, system.settings, until) or closed_at
    return due + timedelta(seconds=_SLACK_S) < at


def _spared(system: System, facts: Facts, before: Sequence[Callback], at: datetime) -> timedelta:
    """Return how long others may go first after our own faults, while it may be this number alone.

    While none gets through, one after another is tried.
    """
    others = (c for c in reversed(before) if c.outcome is not Outcome.RETURNED)
    faults = list(takewhile(lambda callback: callback.outcome is Outcome.FAILED, others))
    if not faults:
        return timedelta(0)
    since, until = faults[-1].claimed_at.timestamp(), at.timestamp()
    through = (a.call for a in facts.attempts if a.call and a.callback.outcome is not Outcome.FAILED)
    calls_flow = any(since < call.invited_at < until for call in through)
    answered = faults[0].answered_at is not None
    goes = Line.FAILS if calls_flow else Line.TRIES_OTHERS
    return schedule.find_pause_after_faults(len(faults), system.settings, picked_up=answered, line=goes)


def untrue(facts: Facts) -> Iterator[str]:
    """Each outcome is what the phones saw, or is owed by the desk."""
    for attempt in facts.attempts:
        callback = attempt.callback
        if callback.state is not CallbackState.CLOSED or callback.outcome is None:
            continue
        if not _TRUE[callback.outcome](attempt):
            yield f"{attempt.number}: {callback.outcome}, but {attempt.call}, {attempt.talk}"


def lost(facts: Facts, numbers: Sequence[str]) -> Iterator[str]:
    """Yield each registered citizen (`numbers`, and all who have a place) who lost the place before a
    conversation.
    """
    places = {number_of(registration): registration for registration in facts.registrations}
    spoken = {attempt.number for attempt in facts.attempts if attempt.talk}
    for number in dict.fromkeys([*numbers, *places]):
        place = places.get(number)
        if place is None:
            yield f"{number} has no registration any more"
        elif place.state not in HOLDS_PLACE and number not in spoken:
            yield f"{number} is {place.state} without a conversation"


def burned(facts: Facts) -> Iterator[str]:
    """An attempt is used up only by what the citizen's own phone did."""
    for attempt in facts.attempts:
        callback, call = attempt.callback, attempt.call
        if callback.outcome is None or callback.outcome in FREE_OF_CHARGE or attempt.talk:
            continue
        if call is None:
            yield f"{attempt.number}: {callback.outcome}, but no phone rang"
        elif call.ended_by == "cut" or not _had_its_time(call):
            yield f"{attempt.number}: {callback.outcome}, but we ended it: {call}"


def cut_by_blips(facts: Facts, blips: Sequence[float]) -> Iterator[str]:
    """A conversation outlives its desk's phone: we do not hang up on a citizen because it was away."""
    for attempt in facts.attempts:
        talk, call = attempt.talk, attempt.call
        if talk is None or call is None or not talk.broke_off or call.ended_by != "hotline":
            continue
        if any(talk.since <= blip <= talk.until for blip in blips):
            yield f"{attempt.number}: the conversation ended when the desk's phone was away for a moment"


def _had_its_time(call: Call) -> bool:
    """Whether the citizen ended it, or had a while to answer, or to press the 1."""
    ended = call.ended_at or float("inf")
    return call.ended_by == "citizen" or ended - (call.answered_at or call.invited_at) > _A_WHILE_S


def _refused(attempt: Attempt, *statuses: str) -> bool:
    call = attempt.call
    return call is not None and call.behaviour.status[:3] in statuses and call.ended_by == "citizen"


def _unanswered(attempt: Attempt) -> bool:
    call = attempt.call
    return (
        call is not None
        and call.answered_at is None
        and (call.ended_by != "citizen" or _refused(attempt, "480"))
    )


def _silent(attempt: Attempt) -> bool:
    call = attempt.call
    return call is not None and call.answered_at is not None and call.pressed_at is None


def _left(attempt: Attempt) -> bool:
    call = attempt.call
    left = call is not None and call.answered_at is not None and call.ended_by == "citizen"
    return left and attempt.talk is None


_TRUE: Mapping[Outcome, Callable[[Attempt], bool]] = {
    Outcome.BUSY: lambda a: _refused(a, "486"),
    Outcome.REJECTED: lambda a: _refused(a, "603"),
    Outcome.UNREACHABLE: lambda a: a.call is None or _refused(a, "404", "480"),
    Outcome.NO_ANSWER: _unanswered,
    Outcome.NOT_CONFIRMED: _silent,
    Outcome.HUNG_UP: _left,
    Outcome.REACHED: lambda a: a.talk is not None,
    Outcome.REFUSED: lambda a: a.talk is not None,
    Outcome.WRONG_NUMBER: lambda a: a.talk is not None,
    Outcome.CALL_AGAIN: lambda a: True,
    Outcome.FAILED: lambda a: a.talk is None,
    Outcome.RETURNED: lambda a: a.talk is None,
}


def left_on_the_line(system: System, crowd: Crowd) -> Iterator[str]:
    """After a round nobody is connected but the desks' phones. A channel that sets a password has nobody."""
    for call in crowd.live():
        yield f"{call.number} is still on the line"
    told = system.asterisk_says("core show channels concise")
    for row in told.splitlines():
        is_person = "!" in row and not row.startswith(("PJSIP/desk-", "CBAnn/desk-"))
        if is_person and f"@{Context.DESK_PASSWORD}-" not in row.split("!")[0]:
            yield f"Asterisk still has the channel {row.split('!')[0]}"


def without_outcome(facts: Facts, desks: int = 1) -> Iterator[str]:
    """Every callback has its outcome, but the last one of each desk, whose person may still owe it."""
    open_ = [a for a in facts.attempts if a.callback.state is not CallbackState.CLOSED]
    for attempt in open_:
        if attempt.callback.state is not CallbackState.ENDED or len(open_) > desks:
            yield f"{attempt.number}: callback {attempt.callback.id} is {attempt.callback.state}"
