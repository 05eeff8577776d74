"""Order of calling: moved up by staff, then missed rounds (most first), time of registration, id.

Nothing else may order citizens. A retry keeps its place and is only passed over while its wait lasts. The
index `order_of_calling` is this order. `count_before` sums the counts that triggers maintain (migration
0001).
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from db import events
from db.models import STRETCHES, LineCount, Registration, UtcDateTime, make_literal
from db.states import Fact, RegistrationState
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import busy_numbers

ORDER = (
    Registration.moved_up.desc(),
    Registration.rounds_missed.desc(),
    Registration.registered_at,
    Registration.id,
)

_NAMED = 20

IN_LINE = (RegistrationState.CALLING, RegistrationState.WAITING)


def _before(registration: Registration) -> ColumnElement[bool]:
    lifted, missed, at, id_ = (
        registration.moved_up,
        registration.rounds_missed,
        registration.registered_at,
        registration.id,
    )
    same_class = and_(Registration.moved_up == lifted, Registration.rounds_missed == missed)
    return or_(
        Registration.moved_up > lifted,
        and_(Registration.moved_up == lifted, Registration.rounds_missed > missed),
        and_(same_class, Registration.registered_at < at),
        and_(same_class, Registration.registered_at == at, Registration.id < id_),
    )


def count_before(session: Session, registration: Registration) -> int:
    """Return how many waiting citizens of the round are called before this one; fast in any line."""
    r, seconds = registration, math.floor(registration.registered_at.timestamp())
    stretches = [seconds // length for length in STRETCHES]
    firsts = [
        stretch * (longer // length)
        for stretch, longer, length in zip(stretches, STRETCHES, STRETCHES[1:], strict=False)
    ]
    values = {
        **{"round": r.round_id, "id": r.id, "moved_up": r.moved_up, "missed": r.rounds_missed},
        **{"at": r.registered_at, "second": datetime.fromtimestamp(seconds, UTC)},
        **{f"stretch{level}": stretch for level, stretch in enumerate(stretches)},
        **{f"first{level}": first for level, first in enumerate(firsts, start=1)},
    }
    return int(session.execute(_BEFORE_ME, values).scalar_one())


def _before_me_query() -> Select[int]:
    """Build the query of `count_before` once: every call runs it. `count_before` names its parameters."""
    moved_up, missed = bindparam("moved_up", type_=Integer), bindparam("missed", type_=Integer)
    same_class = and_(LineCount.moved_up == moved_up, LineCount.rounds_missed == missed)
    earlier_class = or_(
        LineCount.moved_up > moved_up,
        and_(LineCount.moved_up == moved_up, LineCount.rounds_missed > missed),
    )
    earlier = LineCount.stretch < bindparam("stretch0", type_=BigInteger)
    sums = [_counted(0, or_(earlier_class, and_(same_class, earlier)))]
    for level in range(1, len(STRETCHES)):
        within = and_(
            LineCount.stretch >= bindparam(f"first{level}", type_=BigInteger),
            LineCount.stretch < bindparam(f"stretch{level}", type_=BigInteger),
        )
        sums.append(_counted(level, and_(same_class, within)))
    r, at = Registration, bindparam("at", type_=UtcDateTime)
    same_second = select(func.count(r.id)).where(
        *(r.round_id == bindparam("round", type_=Integer), r.state == RegistrationState.WAITING),
        *(r.moved_up == moved_up, r.rounds_missed == missed),
        r.registered_at.between(bindparam("second", type_=UtcDateTime), at),
        or_(r.registered_at < at, r.id < bindparam("id", type_=Integer)),
    )
    return select(sum(sums, same_second.scalar_subquery()))


def _counted(level: int, stretches: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the subquery of one level; one subquery for each level makes both databases use the index."""
    of_level = and_(LineCount.round_id == bindparam("round", type_=Integer), LineCount.level == level)
    return select(func.coalesce(func.sum(LineCount.waiting), 0)).where(of_level, stretches).scalar_subquery()


_BEFORE_ME = _before_me_query()


def find_reason(registration: Registration) -> Literal["moved-up", "carried", "in-turn"]:
    """Return the reason for a registration's place, as a code: moved-up, carried or in-turn."""
    if registration.moved_up:
        return "moved-up"
    return "carried" if registration.rounds_missed else "in-turn"


def move_up(session: Session, registration: Registration, *, who: str, reason: str) -> None:
    """Put a waiting registration before all that nobody moved up. The reason is public.

    Raises Refused("wrong-state") and the errors of `reasons.check`.
    """
    reason = reasons.check(reason)
    moved = session.scalar(
        update(Registration)
        .where(Registration.id == registration.id, Registration.state == RegistrationState.WAITING)
        .values(moved_up=1, moved_reason=reason)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Refused("wrong-state", "only who waits in the line can be moved up")
    session.refresh(registration)
    audit.record(session, who, "moved-up", f"registration {registration.id}", reason)
    entries.record(session, Fact.MOVED_UP, registration, reason=reason)
    events.append_registration(session, registration)


def list_page(
    session: Session, round_id: int, limit: int, after: Registration | None, offset: int = 0
) -> Sequence[Registration]:
    """Return the line of a round in the order of calling, including citizens who are being called.

    The page begins after `after`, and skips `offset` more.
    """
    query = (
        select(Registration)
        .where(Registration.round_id == round_id, Registration.state.in_(IN_LINE))
        .order_by(*ORDER)
        .limit(limit)
        .offset(offset)
    )
    if after is not None:
        query = query.where(~_before(after), Registration.id != after.id)
    return session.scalars(query).all()


def find_rank(registration: Registration | Row[int, int, int, datetime]) -> tuple[int, int, datetime, int]:
    """Return the order of calling as a value: the smaller is called first."""
    r = registration
    return (-r.moved_up, -r.rounds_missed, r.registered_at, r.id)


def list_passed(session: Session, taken: Registration, at: datetime) -> list[int]:
    """Return the ids that stand before `taken` in its line and are due at `at`; normally none."""
    named = _NAMED
    while True:
        asked = {"round": taken.round_id, "at": at, "named": named}
        rows = session.execute(_FIRST_DUE, asked).all()
        before = [row.id for row in rows if find_rank(row) < find_rank(taken)]
        if len(before) < named:
            return before
        named *= 10  # rarely are so many on the line


def _is_due(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return or_(Registration.not_before.is_(None), Registration.not_before <= at)


def is_due(registration: Registration, at: datetime) -> bool:
    """Return whether a loaded waiting citizen may be called now, as `_is_due` does."""
    return registration.not_before is None or registration.not_before <= at


# Every call runs these, so they are built once.
_WAITS = (
    Registration.round_id == bindparam("round", type_=Integer),
    Registration.state == make_literal(RegistrationState.WAITING),
)
_DUE = (*_WAITS, _is_due(bindparam("at", type_=UtcDateTime)))
_FIRST_DUE = (
    select(Registration.id, Registration.moved_up, Registration.rounds_missed, Registration.registered_at)
    .where(*_DUE)
    .order_by(*ORDER)
    .limit(bindparam("named", type_=Integer))
)
_FIRST_SINCE = (
    select(Registration.registered_at, Registration.not_before)
    .where(*_DUE)
    .order_by(*ORDER)
    .limit(bindparam("named", type_=Integer))
)
# A caller who waits on the line is present, even during the wait after a missed call.
_HERE = or_(_is_due(bindparam("at", type_=UtcDateTime)), busy_numbers.ON_THE_LINE)
_CANDIDATE = select(Registration.id).where(*_WAITS, _HERE, ~busy_numbers.ENGAGED).order_by(*ORDER).limit(1)
_TAKE_NEXT = (
    update(Registration)
    .where(Registration.id == _CANDIDATE.with_for_update(skip_locked=True).scalar_subquery())
    .values(state=RegistrationState.CALLING)
    .returning(Registration.id)
    .execution_options(synchronize_session=False)
)


def find_due_since(session: Session, round_id: int, at: datetime) -> datetime | None:
    """Return since when a citizen near the head of the line could have been called; None if nobody is due."""
    asked = {"round": round_id, "at": at, "named": _NAMED}
    rows = session.execute(_FIRST_SINCE, asked).all()
    return min((max(row.registered_at, row.not_before or row.registered_at) for row in rows), default=None)


def take_next(session: Session, round_id: int, at: datetime) -> int | None:
    """Take the next citizen out of the line in one statement, safe under any number of takers.

    PostgreSQL skips rows that another taker has locked; SQLite has one writer at a time. Citizens on the
    phone with us are passed over (`busy_numbers`). Return the registration's id, or None if nobody is due.
    """
    asked = {"round": round_id, "at": at, **busy_numbers.bind_moment(at)}
    taken: int | None = session.execute(_TAKE_NEXT, asked).scalar()
    return taken


def take(session: Session, registration_id: int, at: datetime) -> int | None:
    """Take this citizen out of the line, at any place in it; None if they are not due at `at`."""
    r = Registration
    return session.scalar(
        update(r)
        .where(r.id == registration_id, r.state == RegistrationState.WAITING, _is_due(at))
        .values(state=RegistrationState.CALLING)
        .returning(r.id)
        .execution_options(synchronize_session=False)
    )
