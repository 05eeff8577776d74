"""Who found all lines full and pressed 1: their number is kept, and they are called once lines are free.

In the order of the keys, each number once however often it is left. When lines are free, the dialer knows
(dialer.left_numbers).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import ago, now, one_at_a_time
from db.models import BlockedNumber, LeftNumber, LeftOutcome, UtcDateTime
from db.trusted_time import trusted_now
from hotline.clock import is_quiet
from hotline.errors import Refused
from hotline.line import confirmations, engaged
from hotline.line.tries import Tries
from settings import Settings

REMEMBERED = timedelta(hours=3)
"""Who is called later than this no longer knows why; the prompt says so, too (left-number-kept)."""
_HANGS_UP = timedelta(seconds=15)
"""So long the caller still hears that the number is kept."""
_AGAIN = timedelta(minutes=5)
"""After a call that nobody took: many redial meanwhile, and are busy."""
_AN_HOUR = timedelta(hours=1)
_A_DAY, _PER_DAY = timedelta(days=1), 3
"""So often a number may be left: whoever pretends to have it does not have it rung all day."""
_SHARE = 0.5
"""No more wait than half of the calls of an hour: more than that could not be called in time."""
_QUIET_SOON = timedelta(minutes=30)
KEPT = timedelta(days=30)
"""So long a «no, it was not I» counts, and a row that has lost its number is a figure."""

_DUE = and_(
    LeftNumber.token.is_(None),
    LeftNumber.ended_at.is_(None),
    LeftNumber.due_at <= bindparam("at", type_=UtcDateTime),
    LeftNumber.left_at > bindparam("left_after", type_=UtcDateTime),
    ~exists().where(BlockedNumber.number == LeftNumber.number),
    ~engaged.phone(LeftNumber.number),
)
"""To be called now."""

# Asked with every look of the dialer, and every other second: built once.
WAITING = select(func.count()).where(LeftNumber.ended_at.is_(None), LeftNumber.left_at > ago(REMEMBERED))
"""How many are still to be called."""
_ALL_DUE = (
    select(LeftNumber.id)
    .where(_DUE)
    .order_by(LeftNumber.left_at, LeftNumber.id)
    .limit(bindparam("limit", type_=Integer))
)


class _Calls(Tries[LeftNumber]):
    def asked(self, at: datetime) -> dict[str, Any]:
        return {"left_after": at - REMEMBERED, **super().asked(at)}

    def number(self, row: LeftNumber) -> str:
        return row.number or ""

    def is_heard(self, row: LeftNumber) -> bool:
        return row.outcome is not None

    def begins_again(self, row: LeftNumber) -> bool:
        if row.outcome is LeftOutcome.UNREACHED:  # has heard who calls, and was to say whether to go on
            row.outcome = None
        return row.outcome is None

    def given_up(self, row: LeftNumber, *, may_be_called: bool) -> None:
        row.outcome = LeftOutcome.UNREACHED if may_be_called else LeftOutcome.DROPPED


CALLS = _Calls(
    LeftNumber,
    "left-",
    due=(_DUE, _ALL_DUE),
    tries=2,
    again=_AGAIN,
    too_often=timedelta(minutes=10),
)
"""Who pressed first is called first."""
is_token, due, take_up, by_token = CALLS.is_token, CALLS.due, CALLS.take_up, CALLS.by_token
on_the_phone, ended = CALLS.on_the_phone, CALLS.ended


def keep(session: Session, number: str, settings: Settings) -> None:
    """Keep the E.164 `number` of a caller; one that waits already keeps its place.

    Nothing is promised that may not be kept: raises Refused("quiet-hours" | "left-in-peace" |
    "too-many-today" | "too-many-waiting").
    """
    one_at_a_time(session, number)
    at = now(session)
    if not _by_day(at, settings):
        raise Refused("quiet-hours", "nobody is called at night")
    if confirmations.left_in_peace(session, number) or _has_refused(session, number, at):
        raise Refused("left-in-peace", "this number is not to be called")
    waits = session.scalar(
        select(LeftNumber).where(LeftNumber.number == number, LeftNumber.ended_at.is_(None))
    )
    if waits and (waits.token or waits.left_at > at - REMEMBERED):
        if waits.outcome is LeftOutcome.CAME:  # it rings, and they found all lines full again meanwhile
            waits.outcome = None
        return
    if waits:
        waits.outcome, waits.ended_at = LeftOutcome.DROPPED, at
        session.flush()
    of_day = select(func.count()).where(LeftNumber.number == number, LeftNumber.left_at > at - _A_DAY)
    if (session.scalar(of_day) or 0) >= _PER_DAY:
        raise Refused("too-many-today", f"a number is called for this at most {_PER_DAY} times a day")
    if not _has_room(session, settings):
        raise Refused("too-many-waiting", "more than could be called in time wait already")
    session.add(LeftNumber(number=number, left_at=at, due_at=at + _HANGS_UP))


def are_taken(at: datetime, waiting: int, settings: Settings) -> bool:
    """Whether any number may be left at this moment, at which so many wait, so that it is offered."""
    return _by_day(at, settings) and waiting < _most(settings)


def _by_day(at: datetime, settings: Settings) -> bool:
    return not any(is_quiet(moment, settings.quiet_hours) for moment in (at, at + _QUIET_SOON))


def _has_room(session: Session, settings: Settings) -> bool:
    return (session.scalar(WAITING) or 0) < _most(settings)


def _most(settings: Settings) -> int:
    return max(1, int(settings.calls_per_hour * _SHARE))


def _has_refused(session: Session, number: str, at: datetime) -> bool:
    refused = exists().where(
        LeftNumber.number == number,
        LeftNumber.left_at > at - KEPT,
        LeftNumber.outcome == LeftOutcome.REFUSED,
    )
    return bool(session.scalar(select(refused)))


def came(session: Session, numbers: Collection[str]) -> None:
    """These have dialled 137 and got through by themselves: nobody need call them, nor again whom we ring."""
    known = sorted({*numbers} - {""})
    if not known:
        return
    mine = LeftNumber.number.in_(known)
    _end(session, mine, LeftNumber.token.is_(None), outcome=LeftOutcome.CAME)
    rings = update(LeftNumber).where(mine, LeftNumber.token.is_not(None), LeftNumber.outcome.is_(None))
    over = rings.values(outcome=LeftOutcome.CAME)
    session.execute(over.execution_options(synchronize_session=False))


def ringing(session: Session) -> int:
    """How many of these calls nobody has answered yet: those who have are callers like all others."""
    nobody = or_(LeftNumber.outcome.is_(None), LeftNumber.outcome == LeftOutcome.CAME)
    rings = LeftNumber.token.is_not(None), nobody
    return session.scalar(select(func.count()).where(*rings)) or 0


def heard(session: Session, token: str, outcome: LeftOutcome = LeftOutcome.UNREACHED) -> None:
    """Somebody has picked up, and whatever they do no second call follows; or has pressed a key."""
    this = update(LeftNumber).where(LeftNumber.token == token).values(outcome=outcome)
    session.execute(this.execution_options(synchronize_session=False))


def _end(session: Session, *which: Any, outcome: LeftOutcome) -> None:
    over = update(LeftNumber).where(LeftNumber.ended_at.is_(None), *which)
    ended = over.values(token=None, outcome=outcome, ended_at=now(session))
    session.execute(ended.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Drop whom nobody has called in time; forget numbers after a day, but whose owner said no, and figures
    after thirty."""
    at = trusted_now(session)
    too_late = LeftNumber.left_at <= at - REMEMBERED
    _end(session, LeftNumber.token.is_(None), too_late, outcome=LeftOutcome.DROPPED)
    over = LeftNumber.ended_at.is_not(None)
    no_more = or_(LeftNumber.outcome.is_(None), LeftNumber.outcome != LeftOutcome.REFUSED)
    nameless = update(LeftNumber).where(over, no_more, LeftNumber.left_at <= at - _A_DAY)
    for statement in (
        nameless.where(LeftNumber.number.is_not(None)).values(number=None),
        delete(LeftNumber).where(over, LeftNumber.left_at <= at - KEPT),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def by_hour(session: Session, since: datetime) -> dict[datetime, int]:
    """How many numbers were left in each hour after `since`, which begins one."""
    rows = session.scalars(select(LeftNumber.left_at).where(LeftNumber.left_at >= since))
    return Counter(since + (left_at - since) // _AN_HOUR * _AN_HOUR for left_at in rows)


def figures(session: Session) -> Mapping[str, int]:
    """Of those who left their number in the last 24 hours: what became of how many."""
    of_day = select(LeftNumber.outcome, func.count()).where(LeftNumber.left_at > now(session) - _A_DAY)
    counted = session.execute(of_day.group_by(LeftNumber.outcome)).all()
    found = {outcome.value if outcome else "waiting": number for outcome, number in counted}
    return {each: found.get(each, 0) for each in ("waiting", *LeftOutcome)}
