"""Durations of rounds: from opening to end, and how much of that time was conversation."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.epoch import epoch
from db.models import Callback, Official, Round
from db.states import Phase
from hotline.reports.report_scope import By, Scope, find_row_key, select_calls
from hotline.rounds import phases

_DAY_S = 86_400


@dataclass
class Sitting:
    """Seconds of rounds or of days of the operators' line.

    `open`: from opening to end. `whole`: from the first conversation's beginning to the last one's end.
    `spoken`: with somebody in conversation.
    """

    open: int = 0
    whole: int = 0
    spoken: int = 0


def list_sittings(session: Session, scope: Scope, by: By | None, at: datetime) -> dict[int | None, Sitting]:
    """Return the durations of rounds and of days of the operators' line, by key."""
    found: dict[int | None, Sitting] = defaultdict(Sitting)
    days = _days(scope, at)
    key = find_row_key(scope, by, days.c.first_call_at)
    query = (
        select(key, Round, days)
        .select_from(Round)
        .join(Official, Official.id == Round.official_id)
        .outerjoin(days, days.c.round_id == Round.id)
        .where(Round.id.in_(scope.round_ids))
    )
    for row in session.execute(query):
        if row.Round.is_operators_line and row.first_call is None:
            continue  # no calls on the operators' line in this period
        sum_ = found[row.key]
        sum_.open += _open(row.Round, at, row.first_call, row.last_end)
        sum_.whole += int(row.whole or 0)  # PostgreSQL sums decimals
        sum_.spoken += int(row.spoken or 0)
    return found


def _days(scope: Scope, at: datetime) -> Any:
    """Select first call, last end, and seconds spoken of each round, and of each day of the operators' line.

    When conversations overlap, each second counts once: a conversation counts from the end of earlier ones.
    """
    day = case(
        (Round.is_operators_line, (epoch(Callback.called_at) - int(scope.saturday.timestamp())) // _DAY_S),
        else_=0,
    )
    begun, ended = epoch(Callback.talking_at), func.coalesce(epoch(Callback.ended_at), int(at.timestamp()))
    calls = select_calls(
        scope,
        Callback.id.label("id"),
        Callback.round_id.label("round_id"),
        Callback.called_at.label("called_at"),
        day.label("day"),
        begun.label("begun"),
        ended.label("ended"),
    ).subquery()
    c = calls.c
    ends = case((c.begun.is_not(None), c.ended))
    before = func.max(ends).over(partition_by=(c.round_id, c.day), order_by=(c.begun, c.id), rows=(None, -1))
    one = select(*c, before.label("before")).subquery()
    o = one.c
    spoken = case(
        (o.begun.is_(None), 0),
        (o.ended <= func.coalesce(o.before, o.begun), 0),
        (o.before > o.begun, o.ended - o.before),
        else_=o.ended - o.begun,
    )
    last_word = func.max(case((o.begun.is_not(None), o.ended)))
    return (
        select(
            o.round_id,
            func.min(o.called_at).label("first_call_at"),
            func.min(epoch(o.called_at)).label("first_call"),
            func.max(o.ended).label("last_end"),
            (last_word - func.min(o.begun)).label("whole"),
            func.sum(spoken).label("spoken"),
        )
        .group_by(o.round_id, o.day)
        .subquery()
    )


def _open(round_: Round, at: datetime, first_call: int | None, last_end: int | None) -> int:
    """Return the seconds from opening to the later of the round's end and its last call's end.

    A live round counts until now; one that was never opened counts 0. A day of the operators' line counts
    from its first call to the end of its last.
    """
    if round_.is_operators_line:
        return max(0, (last_end or 0) - (first_call or 0))
    if round_.opened_at is None:
        return 0
    live = phases.find_phase(round_, at) is Phase.LIVE
    closed = at if live else round_.ended_at or round_.cancelled_at or round_.ends_at
    return max(0, max(int(closed.timestamp()), last_end or 0) - int(round_.opened_at.timestamp()))
