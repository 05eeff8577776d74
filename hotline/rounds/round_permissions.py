"""Permissions on rounds: who may serve, read, pause, resume and end one."""

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from db.models import Desk, Role, Round, User, round_deputies
from hotline import audit
from hotline.errors import Refused
from hotline.rounds import phases, planning

CONDUCTORS = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS, Role.SUPERVISOR)
"""Roles that may begin, pause and end any round."""
SERVE_ANY = (Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR)
"""Roles that may answer in any round: an operator's desk serves every line."""


def where_own(user: User) -> ColumnElement[bool]:
    """Condition on Round: the person is its official, its substitute, or a deputy beside them."""
    if user.role is not Role.OFFICIAL or user.official_id is None:
        return false()
    beside = select(round_deputies.c.round_id).where(round_deputies.c.official_id == user.official_id)
    mine = user.official_id
    return or_(Round.official_id == mine, Round.substitute_id == mine, Round.id.in_(beside))


def where_readable(user: User) -> ColumnElement[bool]:
    """Condition on Round: the person may read it; `check_sees` is the same rule for one round."""
    return where_own(user) if user.role is Role.OFFICIAL else true()


def is_own(session: Session, user: User, round_: Round) -> bool:
    """Return whether the round is the person's own (`where_own`)."""
    return session.scalar(select(Round.id).where(Round.id == round_.id, where_own(user))) is not None


def may_serve(session: Session, user: User, round_: Round) -> bool:
    """Return whether the person may get citizens of this round."""
    return user.role in SERVE_ANY or is_own(session, user, round_)


def check_serves(session: Session, user: User, round_: Round) -> None:
    """Check that the person may serve the round. Raises Refused("not-your-round")."""
    if not may_serve(session, user, round_):
        raise Refused("not-your-round", "an official answers in their own rounds only")


def check_sees(session: Session, user: User, round_: Round) -> None:
    """Check that the person may read the round and its line. Raises Refused("not-your-round").

    An official must not read what citizens tell another official.
    """
    if user.role is Role.OFFICIAL:
        check_serves(session, user, round_)


def find_at_desk(session: Session, desk_id: int) -> User | None:
    """Return the person at the desk."""
    return session.scalar(select(User).where(User.desk_id == desk_id))


def is_served_by(session: Session, user: User, round_: Round) -> bool:
    """Return whether the person's desk serves the round."""
    desk = session.get(Desk, user.desk_id) if user.desk_id else None
    return desk is not None and desk.round_id == round_.id and may_serve(session, user, round_)


def may_answer(session: Session, user: User, round_: Round) -> bool:
    """Return whether the person answers in this line, and so may see its citizens' numbers."""
    return user.role in (Role.OPERATOR, Role.OFFICIAL) or is_served_by(session, user, round_)


def check_ends(session: Session, user: User, round_: Round) -> None:
    """Check that the person may end the round. Raises Refused("forbidden")."""
    may = user.role in CONDUCTORS or is_own(session, user, round_) or is_served_by(session, user, round_)
    if not may:
        raise Refused("forbidden", "only for who conducts rounds, its official, and who serves it")


def check_pauses(session: Session, user: User, round_: Round) -> None:
    """Check that the person may pause or resume the round; an operator beside the official may, too.

    Raises Refused("not-serving").
    """
    if user.role not in (*CONDUCTORS, Role.OPERATOR) and not is_own(session, user, round_):
        raise Refused("not-serving", "only for who conducts rounds, its official, and operators")


def pause(session: Session, round_: Round, user: User) -> None:
    """Pause the round: nobody is called. A repeat does nothing. Raises Refused("not-serving")."""
    check_pauses(session, user, round_)
    if not round_.paused_at:
        audit.record(session, user.username, "round-paused", f"round {round_.id}")
    phases.pause(session, round_)


def resume(session: Session, round_: Round, user: User) -> None:
    """Resume the round's callbacks. Raises Refused("not-serving")."""
    check_pauses(session, user, round_)
    if round_.paused_at:
        audit.record(session, user.username, "round-resumed", f"round {round_.id}")
    phases.resume(session, round_)


def end(session: Session, round_: Round, user: User, reason: str = "") -> None:
    """End the round. Raises Refused("forbidden") and what `planning.end` raises."""
    check_ends(session, user, round_)
    planning.end(session, round_, who=user.username, reason=reason)
