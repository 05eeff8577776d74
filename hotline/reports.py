"""What one round came to: who was reached, who was not and why, how long they waited, how busy it was."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select, union
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Carry, Registration, Round
from db.states import Outcome, Phase, RegistrationState
from hotline import rounds

NEVER_CALLED = "never_called"
MERGED = "merged"
STILL_CALLING = "calling"
_HOUR = timedelta(hours=1)
_Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class RoundReport:
    """A round in numbers. `registered` + `carried_in` = `reached` + all of `not_reached`.

    `not_reached` counts by reason: the last outcome in this round, or never_called, cancelled,
    unconfirmed, merged (the number had an older place), calling (it is not decided yet).
    Seconds are from registering to the conversation, for those reached. Rates are per hour from the
    round's opening to its end; `idle_share` is the part of the time from the first conversation's
    beginning to the last one's end in which nobody was spoken with. None: there is nothing to tell from.
    """

    round_id: int
    registered: int
    carried_in: int
    reached: int
    not_reached: dict[str, int]
    carried_out: int
    calls: int
    conversations: int
    median_seconds: float | None
    p90_seconds: float | None
    calls_per_hour: float | None
    conversations_per_hour: float | None
    idle_share: float | None


def round_report(session: Session, round_id: int) -> RoundReport:
    """The report of a round, also while it goes on. Raises Refused("not-found")."""
    round_, at = rounds.get(session, round_id), now(session)
    carried_in, carried_out = (
        session.scalar(select(func.count()).where(column == round_id)) or 0
        for column in (Carry.to_round_id, Carry.from_round_id)
    )
    ends = _ends(session, round_id)
    reached = ends.pop(Outcome.REACHED, 0)
    calls = _calls(session, round_id)
    talks = [(c.talking_at, c.ended_at or at) for c in calls if c.talking_at]
    waits = [(c.talking_at - c.registered_at).total_seconds() for c in calls if c.reached and c.talking_at]
    hours = _hours(round_, at, [c.ended_at or at for c in calls])
    return RoundReport(
        round_id=round_id,
        registered=reached + ends.total() - carried_in,
        carried_in=carried_in,
        reached=reached,
        not_reached=dict(ends.most_common()),
        carried_out=carried_out,
        calls=len(calls),
        conversations=len(talks),
        median_seconds=statistics.median(waits) if waits else None,
        p90_seconds=_p90(waits),
        calls_per_hour=len(calls) / hours if hours else None,
        conversations_per_hour=len(talks) / hours if hours else None,
        idle_share=_idle_share(talks),
    )


@dataclass(frozen=True)
class _Call:
    registered_at: datetime
    talking_at: datetime | None
    ended_at: datetime | None
    reached: bool


def _calls(session: Session, round_id: int) -> list[_Call]:
    rows = session.execute(
        select(Registration.registered_at, Callback.talking_at, Callback.ended_at, Callback.outcome)
        .join(Registration, Registration.id == Callback.registration_id)
        .where(Callback.round_id == round_id, Callback.called_at.is_not(None))
    )
    return [
        _Call(registered_at, talking_at, ended_at, outcome is Outcome.REACHED)
        for registered_at, talking_at, ended_at, outcome in rows
    ]


def _ends(session: Session, round_id: int) -> Counter[str]:
    """How it ended in this round for everybody who had a place in it; those carried on are elsewhere now."""
    everybody = union(
        select(Registration.id).where(Registration.round_id == round_id),
        select(Carry.registration_id).where(Carry.from_round_id == round_id),
    ).subquery()
    last = (
        select(func.max(Callback.id).label("id"), Callback.registration_id)
        .where(Callback.round_id == round_id, Callback.outcome != Outcome.RETURNED)
        .group_by(Callback.registration_id)
        .subquery()
    )
    facts = (
        Carry.from_round_id.is_not(None).label("left"),
        Registration.merged_into_id.is_not(None).label("merged"),
        Registration.state,
        Callback.outcome,
    )
    rows = session.execute(
        select(*facts, func.count())
        .select_from(everybody)
        .join(Registration, Registration.id == everybody.c.id)
        .outerjoin(Carry, and_(Carry.registration_id == Registration.id, Carry.from_round_id == round_id))
        .outerjoin(last, last.c.registration_id == Registration.id)
        .outerjoin(Callback, Callback.id == last.c.id)
        .group_by(*facts)
    )
    ends: Counter[str] = Counter()
    for left, merged, state, outcome, count in rows:
        ends[_end(left, merged, state, outcome)] += count
    return ends


def _end(left: bool, merged: bool, state: RegistrationState, outcome: Outcome | None) -> str:
    state_decides = (RegistrationState.CANCELLED, RegistrationState.UNCONFIRMED, RegistrationState.CALLING)
    if not left and state in state_decides:
        return MERGED if merged else state
    return outcome or NEVER_CALLED


def _p90(values: list[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=10, method="inclusive")[-1]


def _hours(round_: Round, at: datetime, call_ends: Sequence[datetime]) -> float:
    """From the opening to the round's end or its last call's; until now while it is live. 0: not opened."""
    if round_.opened_at is None:
        return 0
    live = rounds.phase(round_, at) is Phase.LIVE
    closed = at if live else round_.ended_at or round_.cancelled_at or round_.ends_at
    return max(0, (max([closed, *call_ends]) - round_.opened_at) / _HOUR)


def _idle_share(talks: Sequence[_Span]) -> float | None:
    """Of several desks at once, one conversation is enough not to be idle."""
    if not talks:
        return None
    spoken, until = timedelta(), datetime.min.replace(tzinfo=talks[0][0].tzinfo)
    for begun, ended in sorted(talks):
        spoken += max(timedelta(), ended - max(begun, until))
        until = max(until, ended)
    whole = until - min(begun for begun, _ in talks)
    return 1 - spoken / whole if whole else 0.0
