"""Who may serve a round, and who says that it pauses, goes on and ends."""

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from db.models import Desk, Role, Round, User, round_deputies
from hotline import audit
from hotline.errors import Refused
from hotline.rounds import planning, rounds

CONDUCTORS = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS, Role.SUPERVISOR)
"""They say of any round that it begins, pauses and ends."""
SERVE_ANY = (Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR)
"""They answer in any round: an operator's desk serves whichever line there is."""


def own(user: User) -> ColumnElement[bool]:
    """The condition that the person is a round's official, the substitute, or a deputy beside them."""
    if user.role is not Role.OFFICIAL or user.official_id is None:
        return false()
    beside = select(round_deputies.c.round_id).where(round_deputies.c.official_id == user.official_id)
    mine = user.official_id
    return or_(Round.official_id == mine, Round.substitute_id == mine, Round.id.in_(beside))


def seen(user: User) -> ColumnElement[bool]:
    """The condition that the person sees a round: `check_sees` for lists of them."""
    return own(user) if user.role is Role.OFFICIAL else true()


def speaks_in(session: Session, user: User, round_: Round) -> bool:
    """Whether the round is the person's `own`."""
    return session.scalar(select(Round.id).where(Round.id == round_.id, own(user))) is not None


def may_serve(session: Session, user: User, round_: Round) -> bool:
    """Whether citizens of this round may be given to the person."""
    return user.role in SERVE_ANY or speaks_in(session, user, round_)


def check_serves(session: Session, user: User, round_: Round) -> None:
    """Raises Refused("not-your-round")."""
    if not may_serve(session, user, round_):
        raise Refused("not-your-round", "an official answers in their own rounds only")


def check_sees(session: Session, user: User, round_: Round) -> None:
    """That the person may read of the round, and who is in its line. Raises Refused("not-your-round").

    What citizens tell one official is not for another.
    """
    if user.role is Role.OFFICIAL:
        check_serves(session, user, round_)


def at_desk(session: Session, desk_id: int) -> User | None:
    """Whose desk this is."""
    return session.scalar(select(User).where(User.desk_id == desk_id))


def serves(session: Session, user: User, round_: Round) -> bool:
    """Whether the person sits at a desk that serves the round."""
    desk = session.get(Desk, user.desk_id) if user.desk_id else None
    return desk is not None and desk.round_id == round_.id and may_serve(session, user, round_)


def answers(session: Session, user: User, round_: Round) -> bool:
    """Whether this is the person's own line: its citizens' numbers are theirs to see."""
    return user.role in (Role.OPERATOR, Role.OFFICIAL) or serves(session, user, round_)


def check_ends(session: Session, user: User, round_: Round) -> None:
    """That the person may end the round. Raises Refused("forbidden")."""
    may = user.role in CONDUCTORS or speaks_in(session, user, round_) or serves(session, user, round_)
    if not may:
        raise Refused("forbidden", "only for who conducts rounds, its official, and who serves it")


def check_pauses(session: Session, user: User, round_: Round) -> None:
    """That the person may pause the round, or let it go on: an operator, too, who sits beside the official.

    Raises Refused("not-serving").
    """
    if user.role not in (*CONDUCTORS, Role.OPERATOR) and not speaks_in(session, user, round_):
        raise Refused("not-serving", "only for who conducts rounds, its official, and operators")


def pause(session: Session, round_: Round, user: User) -> None:
    """Nobody is called from now on; once is enough. Raises Refused("not-serving")."""
    check_pauses(session, user, round_)
    if not round_.paused_at:
        audit.record(session, user.username, "round-paused", f"round {round_.id}")
    rounds.pause(session, round_)


def resume(session: Session, round_: Round, user: User) -> None:
    """Callbacks go on. Raises Refused("not-serving")."""
    check_pauses(session, user, round_)
    if round_.paused_at:
        audit.record(session, user.username, "round-resumed", f"round {round_.id}")
    rounds.resume(session, round_)


def end(session: Session, round_: Round, user: User, reason: str = "") -> None:
    """The round has ended. Raises Refused("forbidden") and what `planning.end` raises."""
    check_ends(session, user, round_)
    planning.end(session, round_, who=user.username, reason=reason)
