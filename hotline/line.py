"""The order of calling: rounds missed (most first), then time of registration, then id.

Nothing else may order citizens. A retry keeps its place and is only passed over while its wait lasts.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from db.models import Registration
from db.states import RegistrationState

ORDER = (Registration.rounds_missed.desc(), Registration.registered_at, Registration.id)

IN_LINE = (RegistrationState.CALLING, RegistrationState.WAITING)


def _waiting(round_id: int) -> Select[int]:
    return select(Registration.id).where(
        Registration.round_id == round_id, Registration.state == RegistrationState.WAITING
    )


def _before(registration: Registration) -> ColumnElement[bool]:
    missed, at, id_ = registration.rounds_missed, registration.registered_at, registration.id
    return or_(
        Registration.rounds_missed > missed,
        and_(Registration.rounds_missed == missed, Registration.registered_at < at),
        and_(
            Registration.rounds_missed == missed,
            Registration.registered_at == at,
            Registration.id < id_,
        ),
    )


def ahead(session: Session, registration: Registration) -> int:
    """How many waiting citizens of the same round are called before this one."""
    query = _waiting(registration.round_id).where(_before(registration))
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def page(session: Session, round_id: int, limit: int, after: Registration | None) -> Sequence[Registration]:
    """The line of a round in the order of calling, those being called included, from `after` on."""
    query = (
        select(Registration)
        .where(Registration.round_id == round_id, Registration.state.in_(IN_LINE))
        .order_by(*ORDER)
        .limit(limit)
    )
    if after is not None:
        query = query.where(~_before(after), Registration.id != after.id)
    return session.scalars(query).all()


def take_next(session: Session, round_id: int, at: datetime) -> int | None:
    """Take the next citizen out of the line: one statement, safe under any number of takers.

    PostgreSQL skips what another taker has just locked; SQLite has no row locks and needs none, since
    writers are one at a time. Returns the registration's id, or None when nobody is due at `at`.
    """
    due = or_(Registration.not_before.is_(None), Registration.not_before <= at)
    candidate = _waiting(round_id).where(due).order_by(*ORDER).limit(1).with_for_update(skip_locked=True)
    return session.scalar(
        update(Registration)
        .where(Registration.id == candidate.scalar_subquery())
        .values(state=RegistrationState.CALLING)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
