"""The order of calling: moved up by a person, then rounds missed (most first), time of registration, id.

Nothing else may order citizens. A retry keeps its place and is only passed over while its wait lasts.
The index `order_of_calling` is this order; `ahead` sums the counts that triggers keep (db.triggers).
"""

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from db import events
from db.engine import core
from db.models import STRETCHES, LineCount, NearCall, Registration, UtcDateTime
from db.states import Fact, RegistrationState
from hotline import audit, ledger, reasons
from hotline.errors import Refused

ORDER = (
    Registration.moved_up.desc(),
    Registration.rounds_missed.desc(),
    Registration.registered_at,
    Registration.id,
)

_NAMED = 20

IN_LINE = (RegistrationState.CALLING, RegistrationState.WAITING)

_NEAR_CALLED = exists().where(
    NearCall.registration_id == Registration.id, NearCall.token.is_not(None), NearCall.ended_at.is_(None)
)
"""Who hears at this moment that the turn is near: not called a second time meanwhile."""


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


def ahead(session: Session, registration: Registration) -> int:
    """How many waiting citizens of the same round are called before this one; as quick in any line."""
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
    return int(core(session).execute(_AHEAD, values).scalar_one())


def _ahead_query() -> Select[int]:
    """Built once: it is asked in every call. Its parameters are named in `ahead`."""
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
    """A subquery of its own for each level: only so does every database go by the index."""
    of_level = and_(LineCount.round_id == bindparam("round", type_=Integer), LineCount.level == level)
    return select(func.coalesce(func.sum(LineCount.waiting), 0)).where(of_level, stretches).scalar_subquery()


_AHEAD = _ahead_query()


def why(registration: Registration) -> Literal["moved-up", "carried", "in-turn"]:
    """The reason for a registration's place, as a code: moved-up, carried or in-turn."""
    if registration.moved_up:
        return "moved-up"
    return "carried" if registration.rounds_missed else "in-turn"


def move_up(session: Session, registration: Registration, *, who: str, reason: str) -> None:
    """Put a waiting registration before all that nobody moved up. The reason is public.

    Raises Refused("wrong-state") and what `reasons.check` raises.
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
    ledger.record(session, Fact.MOVED_UP, registration, reason=reason)
    events.registration_changed(session, registration)


def page(
    session: Session, round_id: int, limit: int, after: Registration | None, offset: int = 0
) -> Sequence[Registration]:
    """The line of a round in the order of calling, those being called included.

    It begins after `after`, and passes over `offset` more.
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


def rank(registration: Registration | Row[int, int, int, datetime]) -> tuple[int, int, datetime, int]:
    """The order of calling as a value: the lesser is called first."""
    r = registration
    return (-r.moved_up, -r.rounds_missed, r.registered_at, r.id)


def passed(session: Session, taken: Registration, at: datetime) -> list[int]:
    """Who stands before `taken` in its line and is due at `at`, at most _NAMED: nobody, if all is right."""
    r = Registration
    first = _due(taken.round_id, at).with_only_columns(r.id, r.moved_up, r.rounds_missed, r.registered_at)
    rows = session.execute(first.order_by(*ORDER).limit(_NAMED))
    return [row.id for row in rows if rank(row) < rank(taken)]


def near_called(session: Session, ids: Collection[int]) -> set[int]:
    """Those of `ids` who are asked at this moment whether they can be reached: passed over on purpose."""
    return set(session.scalars(select(Registration.id).where(Registration.id.in_(ids), _NEAR_CALLED)))


def _due(round_id: int, at: datetime) -> Select[Registration]:
    return select(Registration).where(
        Registration.round_id == round_id,
        Registration.state == RegistrationState.WAITING,
        or_(Registration.not_before.is_(None), Registration.not_before <= at),
    )


def take_next(session: Session, round_id: int, at: datetime) -> int | None:
    """Take the next citizen out of the line: one statement, safe under any number of takers.

    PostgreSQL skips what another taker has just locked; SQLite has no row locks and needs none, since
    writers are one at a time. Who is asked at this moment whether they can be reached is passed over.
    Returns the registration's id, or None when nobody is due at `at`.
    """
    first = _due(round_id, at).with_only_columns(Registration.id).order_by(*ORDER).limit(1)
    candidate = first.where(~_NEAR_CALLED).with_for_update(skip_locked=True)
    return session.scalar(
        update(Registration)
        .where(Registration.id == candidate.scalar_subquery())
        .values(state=RegistrationState.CALLING)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
