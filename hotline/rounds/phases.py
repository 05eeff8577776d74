"""Rounds: their phases, which take registrations, and the recorded facts (opened, paused, ended)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    distinct,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import ago, now
from db.models import Carry, Official, OfficialKind, Registration, Round, UtcDateTime
from db.states import Phase, RegistrationState
from hotline.errors import Refused
from hotline.words import PUBLIC

OVERTIME = timedelta(hours=2)
"""How long an opened round stays live past its end: the official decides when to stop, not the clock."""

_ROUNDS_LOOKED_AT = 5
_FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)


def find_phase(round_: Round, at: datetime) -> Phase:
    """Return the phase of `round_` at the moment `at`."""
    if round_.cancelled_at:
        return Phase.CANCELLED
    last_moment = round_.ends_at + (OVERTIME if round_.opened_at else timedelta())
    if round_.ended_at or at >= last_moment:
        return Phase.OVER
    if round_.opened_at:
        return Phase.LIVE
    if at < round_.announce_at:
        return Phase.PLANNED
    if at < round_.registration_from:
        return Phase.ANNOUNCED
    return Phase.OPEN if at < round_.registration_until else Phase.CLOSED


def find_known_at(round_: Round) -> datetime:
    """Return since when citizens know the start: from the notice, or from a later change of the start."""
    return max(round_.announce_at, round_.start_set_at or round_.announce_at)


def may_register(round_: Round | Row[Any], at: datetime) -> bool:
    """Return whether a citizen may register at the moment `at`; a live round may still take registrations.

    A row with the four columns is enough.
    """
    takes_place = not round_.ended_at and not round_.cancelled_at
    return takes_place and round_.registration_from <= at < round_.registration_until


def find_speaker(round_: Round) -> Official:
    """Return who speaks with citizens: the official, or the substitute in their place."""
    return round_.substitute or round_.official


def is_over(at: datetime, of: type[Round] = Round) -> ColumnElement[bool]:
    """Condition: a round is over or cancelled at the moment `at`; `find_phase` in SQL.

    `of` is the table, or an alias of it.
    """
    return _over(at, at - OVERTIME, of)


def where_over(of: type[Round] = Round) -> ColumnElement[bool]:
    """Condition as in `is_over` for a prepared statement; its parameters are those of `bind_moment`."""
    return _over(bindparam("at", type_=UtcDateTime), bindparam("overtime_ago", type_=UtcDateTime), of)


def where_over_now(of: type[Round] = Round) -> ColumnElement[bool]:
    """Condition as in `is_over` at the time of the query, without parameters."""
    return _over(ago(), ago(OVERTIME), of)


def bind_moment(at: datetime) -> dict[str, datetime]:
    """Return the parameters of `where_over` at the moment `at`."""
    return {"at": at, "overtime_ago": at - OVERTIME}


def _over(
    at: datetime | ColumnElement[datetime],
    overtime_ago: datetime | ColumnElement[datetime],
    of: type[Round],
) -> ColumnElement[bool]:
    return or_(
        of.cancelled_at.is_not(None),
        of.ended_at.is_not(None),
        and_(of.ends_at <= at, of.opened_at.is_(None)),
        of.ends_at <= overtime_ago,
    )


_MAY_TAKE_PLACE = (Round.is_operators_line.is_(False), Round.ended_at.is_(None), Round.cancelled_at.is_(None))
"""Conditions on Round: citizens may register for it in principle, and it is neither ended nor cancelled."""


def _open(at: ColumnElement[datetime]) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that a round takes registrations at the moment `at`."""
    return *_MAY_TAKE_PLACE, Round.registration_from <= at, Round.registration_until > at


# Each call runs this, and every two seconds somebody else: it is built once.
_REGISTRABLE = (
    select(Round).where(*_open(bindparam("at", type_=UtcDateTime))).order_by(Round.starts_at, Round.id)
)
OPEN_UNTIL = select(func.max(Round.registration_until)).where(*_open(ago()))
"""Selects when the last of the rounds open now stops taking registrations; NULL if none is open."""


def list_registrable(session: Session) -> Sequence[Round]:
    """Return the rounds that take registrations now, by start."""
    return session.scalars(_REGISTRABLE, {"at": now(session)}).all()


def find_upcoming(session: Session) -> Round | None:
    """Return the announced round whose registration begins next."""
    at = now(session)
    return session.scalars(
        select(Round)
        .where(
            *_MAY_TAKE_PLACE,
            Round.announce_at <= at,
            Round.registration_from > at,
        )
        .order_by(Round.registration_from, Round.id)
        .limit(1)
    ).first()


def estimate_reach(session: Session, round_: Round) -> int:
    """Return the expected number of citizens that the official reaches in the round; at least 1.

    It is the mean of the official's last five ended rounds with a line, even if carried over. Without any, it
    is the number of conversations of the agreed length that fit.
    """
    had_a_line = or_(
        exists().where(Registration.round_id == Round.id), exists().where(Carry.from_round_id == Round.id)
    )
    ended = (
        select(Round.id)
        .where(Round.official_id == round_.official_id, Round.ended_at.is_not(None), had_a_line)
        .order_by(Round.ended_at.desc())
        .limit(_ROUNDS_LOOKED_AT)
        .subquery()
    )
    in_it = and_(Registration.round_id == ended.c.id, Registration.state == RegistrationState.REACHED)
    held, reached = session.execute(
        select(func.count(distinct(ended.c.id)), func.count(Registration.id))
        .select_from(ended)
        .outerjoin(Registration, in_it)
    ).one()
    if held:
        return max(1, round(reached / held))
    return max(1, round((round_.ends_at - round_.starts_at) / timedelta(minutes=round_.minutes)))


_OPERATORS_LINE = select(Round).where(Round.is_operators_line)


def find_operators_line(session: Session) -> Round | None:
    """Return the operators' line, or None before it is made."""
    return session.scalar(_OPERATORS_LINE)


def get_operators_line(session: Session) -> Round:
    """Return the operators' line; the first call makes it."""
    line = find_operators_line(session)
    if line is not None:
        return line
    at = now(session)
    line = Round(
        official=Official(
            kind=OfficialKind.OPERATORS,
            office_fa=PUBLIC.text("fa", "office", "operators"),
            office_en=PUBLIC.text("en", "office", "operators"),
            clip="office-operators",
        ),
        announce_at=at,
        registration_from=at,
        registration_until=_FOR_EVER,
        starts_at=at,
        ends_at=_FOR_EVER,
        opened_at=at,
        is_operators_line=True,
    )
    try:
        with session.begin_nested():
            session.add(line)
    except IntegrityError:  # another process was first
        return session.scalars(_OPERATORS_LINE).one()
    events.append_round(session, line.id, "made")
    return line


def list_current(session: Session, *only: ColumnElement[bool], limit: int = 100) -> Sequence[Round]:
    """Return the rounds that ended at most a day ago or are not over, by start."""
    horizon = now(session) - timedelta(days=1)
    return session.scalars(
        select(Round).where(Round.ends_at > horizon, *only).order_by(Round.starts_at, Round.id).limit(limit)
    ).all()


def list_between(
    session: Session, start: datetime, end: datetime, *only: ColumnElement[bool], limit: int = 500
) -> Sequence[Round]:
    """Return the announced rounds that start in [start, end), by start; not the operators' line."""
    return session.scalars(
        select(Round)
        .where(Round.starts_at >= start, Round.starts_at < end, Round.is_operators_line.is_(False), *only)
        .order_by(Round.starts_at, Round.id)
        .limit(limit)
    ).all()


def get(session: Session, round_id: int) -> Round:
    """Return the round. Raises Refused("not-found")."""
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise Refused("not-found", f"no round {round_id}")
    return round_


def open_round(session: Session, round_: Round) -> None:
    """Record that callbacks begin; a repeat does nothing. Raises Refused("round-over")."""
    at = now(session)
    check_not_over(round_, at)
    record(session, round_, "opened", at)


def check_begun(round_: Round, at: datetime) -> None:
    """Check that the round has begun and is not over. Raises Refused("round-over" | "round-not-started")."""
    if find_phase(round_, at) is not Phase.LIVE and at < round_.starts_at:
        raise Refused("round-not-started", "the round has not begun")
    check_not_over(round_, at)


def check_goes_on(round_: Round, at: datetime) -> None:
    """Check that somebody may be called now. Raises Refused("round-paused") and what `check_begun` raises."""
    check_begun(round_, at)
    if round_.paused_at:
        raise Refused("round-paused", "nobody of this round is called until it goes on")


def check_not_over(round_: Round, at: datetime) -> None:
    """Raises Refused("round-over") if the round is over or cancelled."""
    if find_phase(round_, at) in (Phase.OVER, Phase.CANCELLED):
        raise Refused("round-over", "the round is over")


def end_round(session: Session, round_: Round) -> None:
    """Record that the round has ended; a repeat does nothing. A conversation in progress continues."""
    record(session, round_, "ended")


def pause(session: Session, round_: Round) -> None:
    """Pause the round: nobody is called, waiting citizens keep waiting, and a conversation continues."""
    record(session, round_, "paused")


def resume(session: Session, round_: Round) -> None:
    """Resume a paused round."""
    if round_.paused_at:
        round_.paused_at = None
        events.append_round(session, round_.id, "resumed")


def record(session: Session, round_: Round, fact: str, at: datetime | None = None) -> bool:
    """Record that the round is opened, paused, ended or cancelled; return False if it was recorded before."""
    at = at or now(session)
    column = getattr(Round, f"{fact}_at")
    first = session.scalar(
        update(Round)
        .where(Round.id == round_.id, column.is_(None))
        .values({column: at})
        .returning(Round.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(round_)
    if first is None:  # of several transactions, one records it
        return False
    events.append_round(session, round_.id, fact)
    return True


def count_by_state(session: Session, round_ids: Sequence[int]) -> dict[int, dict[RegistrationState, int]]:
    """Count the registrations of each round by state."""
    rows = session.execute(
        select(Registration.round_id, Registration.state, func.count())
        .where(Registration.round_id.in_(round_ids))
        .group_by(Registration.round_id, Registration.state)
    )
    result: dict[int, dict[RegistrationState, int]] = {id_: {} for id_ in round_ids}
    for round_id, state, count in rows:
        result[round_id][state] = count
    return result
