"""Who found all lines full and pressed 1: their number is kept, and they are called once lines are free.

In the order of the keys, each number once however often it is left. `token` is committed before the call is
placed, so that it is never placed twice. When lines are free, the dialer knows (dialer.left_numbers).
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import core, now, one_at_a_time
from db.models import BlockedNumber, LeftNumber, LeftOutcome, UtcDateTime
from hotline.clock import is_quiet
from hotline.errors import Refused
from hotline.line import confirmations, engaged
from settings import Settings

_PREFIX = "left-"
REMEMBERED = timedelta(hours=3)
"""Who is called later than this no longer knows why; the prompt says so, too (left-number-kept)."""
_HANGS_UP = timedelta(seconds=15)
"""So long the caller still hears that the number is kept."""
_TRIES = 2
_AGAIN = timedelta(minutes=5)
"""After a call that nobody took: many redial meanwhile, and are busy."""
_AFTER_OUR_FAULT = timedelta(minutes=1)
_TOO_OFTEN = timedelta(minutes=10)
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
"""To be called now; its parameters are `_asked`."""

# Asked with every look of the dialer: built once.
_ALL_DUE = (
    select(LeftNumber.id)
    .where(_DUE)
    .order_by(LeftNumber.left_at, LeftNumber.id)
    .limit(bindparam("limit", type_=Integer))
)


def _asked(at: datetime) -> dict[str, Any]:
    return {"at": at, "left_after": at - REMEMBERED, **engaged.asked(at)}


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be the token of such a call."""
    return channel_id.startswith(_PREFIX)


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


def are_taken(session: Session, settings: Settings) -> bool:
    """Whether any number may be left now, so that it is offered."""
    return _by_day(now(session), settings) and _has_room(session, settings)


def _by_day(at: datetime, settings: Settings) -> bool:
    return not any(is_quiet(moment, settings.quiet_hours) for moment in (at, at + _QUIET_SOON))


def _has_room(session: Session, settings: Settings) -> bool:
    return waiting(session) < max(1, int(settings.calls_per_hour * _SHARE))


def _has_refused(session: Session, number: str, at: datetime) -> bool:
    refused = exists().where(
        LeftNumber.number == number,
        LeftNumber.left_at > at - KEPT,
        LeftNumber.outcome == LeftOutcome.REFUSED,
    )
    return bool(session.scalar(select(refused)))


def waiting(session: Session) -> int:
    """How many are still to be called."""
    since = now(session) - REMEMBERED
    open_ = select(func.count()).where(LeftNumber.ended_at.is_(None), LeftNumber.left_at > since)
    return session.scalar(open_) or 0


def came(session: Session, numbers: Collection[str]) -> None:
    """These have dialled 137 and got through by themselves: nobody need call them."""
    known = sorted({*numbers} - {""})
    if not known:
        return
    mine = LeftNumber.number.in_(known)
    _end(session, mine, LeftNumber.token.is_(None), outcome=LeftOutcome.CAME)


def due(session: Session, limit: int) -> Sequence[int]:
    """Those who are to be called now, at most `limit`, who pressed first first."""
    return core(session).execute(_ALL_DUE, {"limit": limit, **_asked(now(session))}).scalars().all()


def take_up(session: Session, left_id: int) -> LeftNumber | None:
    """Give it its token: from here on this call is placed once. None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(LeftNumber)
        .where(LeftNumber.id == left_id, _DUE)
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at, tries=LeftNumber.tries + 1)
        .returning(LeftNumber.id)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    return session.get(LeftNumber, taken, populate_existing=True) if taken else None


def put_off(left: LeftNumber, until: datetime | None = None) -> None:
    """It was taken up and may not be placed now: due again `until` then, as if never taken up."""
    left.token = left.placed_at = None
    left.tries -= 1
    left.due_at = until or left.due_at


def put_off_long(session: Session, left: LeftNumber) -> None:
    """The number has been called so often that its turn is later, or never."""
    put_off(left, now(session) + _TOO_OFTEN)


def by_token(session: Session, token: str) -> LeftNumber | None:
    """The one whose channel is `token`."""
    query = select(LeftNumber).where(LeftNumber.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(LeftNumber.token, LeftNumber.placed_at).where(LeftNumber.token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def ringing(session: Session) -> int:
    """How many of these calls nobody has answered yet: those who have are callers like all others."""
    rings = LeftNumber.token.is_not(None), LeftNumber.outcome.is_(None)
    return session.scalar(select(func.count()).where(*rings)) or 0


def heard(session: Session, token: str, outcome: LeftOutcome = LeftOutcome.UNREACHED) -> None:
    """Somebody has picked up, and whatever they do no second call follows; or has pressed a key."""
    this = update(LeftNumber).where(LeftNumber.token == token).values(outcome=outcome)
    session.execute(this.execution_options(synchronize_session=False))


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call is over, or was never placed. Whom it did not reach is called once more.

    What came to nothing by our own fault counts as no try.
    """
    left = by_token(session, token)
    if left is None:
        return
    at = now(session)
    if left.outcome:
        left.token, left.ended_at = None, at
    elif ours:
        put_off(left, at + _AFTER_OUR_FAULT)
    elif left.tries >= _TRIES:
        left.token, left.ended_at, left.outcome = None, at, LeftOutcome.UNREACHED
    else:
        left.token, left.placed_at, left.due_at = None, None, at + _AGAIN


def never(session: Session, token: str) -> None:
    """This number may not be called at all."""
    _end(session, LeftNumber.token == token, outcome=LeftOutcome.DROPPED)


def _end(session: Session, *which: Any, outcome: LeftOutcome) -> None:
    over = update(LeftNumber).where(LeftNumber.ended_at.is_(None), *which)
    ended = over.values(token=None, outcome=outcome, ended_at=now(session))
    session.execute(ended.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Drop whom nobody has called in time; forget numbers after a day, but whose owner said no, and figures
    after thirty."""
    at = now(session)
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
