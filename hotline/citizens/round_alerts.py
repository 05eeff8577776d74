"""Round alerts: a citizen gets one text message when an office's next round is announced.

An alert is not a place: the citizen registers like everybody, in the same order.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Official, OfficialKind, OutboxMessage, Round, RoundAlert
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.line import blocked
from hotline.messages import outbox
from hotline.rounds import notices

KEPT = timedelta(days=366)
"""How long a wish waits for its round."""


class Wished(NamedTuple):
    """An office, and the citizen's wish for its next round (None: no wish)."""

    official: Official
    wish: RoundAlert | None


def list_offices(session: Session, number: str) -> Sequence[Wished]:
    """Return the offices that hold rounds, with the wishes of this E.164 number."""
    mine = (RoundAlert.official_id == Official.id) & (RoundAlert.number == number)
    query = select(Official, RoundAlert).outerjoin(RoundAlert, mine).where(*_HOLDS_ROUNDS)
    rows = session.execute(query.order_by(Official.kind != OfficialKind.MAYOR, Official.id))
    return [Wished(official, wish) for official, wish in rows]


ARE_THERE = select(exists(RoundAlert.number))
_HOLDS_ROUNDS = (Official.active, Official.kind != OfficialKind.OPERATORS)


def add_wish(session: Session, number: str, official_id: int, language: str) -> None:
    """Add a wish for a text message; a repeat does nothing.

    Raises Blocked and Refused("not-found" | "way-needs-mobile").
    """
    hold_lock(session, f"wishes-{number}")
    blocked.check(session, number)
    if not number.startswith(outbox.MOBILE):
        raise Refused("way-needs-mobile", "a land line takes no text messages")
    if session.scalar(select(Official.id).where(Official.id == official_id, *_HOLDS_ROUNDS)) is None:
        raise Refused("not-found", f"no office {official_id} holds rounds")
    if session.get(RoundAlert, (number, official_id)) is None:
        session.add(
            RoundAlert(number=number, official_id=official_id, language=language, asked_at=now(session))
        )
        session.flush()


def leave(session: Session, number: str, official_id: int) -> None:
    """Delete the number's wish."""
    gone = delete(RoundAlert).where(RoundAlert.number == number, RoundAlert.official_id == official_id)
    session.execute(gone.execution_options(synchronize_session=False))


def tell(session: Session, limit: int) -> int:
    """Queue messages for at most `limit` wishes about an announced round, and delete those wishes. Return how
    many.

    The round's notice appeared after the wish, or the round was made after it with an earlier notice. Its
    registration must still be open. A number is told once of a round.
    """
    at = trusted_now(session)
    query = (
        select(RoundAlert, Round)
        .join(Round, Round.official_id == RoundAlert.official_id)
        .where(
            notices.is_public(at),
            or_(Round.announce_at >= RoundAlert.asked_at, Round.start_set_at >= RoundAlert.asked_at),
            Round.registration_until > at,
            Round.cancelled_at.is_(None),
            ~exists().where(OutboxMessage.key == outbox.make_round_key(Round.id, RoundAlert.number)),
        )
        .order_by(Round.starts_at, Round.id, RoundAlert.asked_at, RoundAlert.number)
        .limit(limit)
        .with_for_update(of=RoundAlert, skip_locked=True)
    )
    told: set[tuple[str, int]] = set()
    for mine, round_ in session.execute(query).all():
        if (mine.number, mine.official_id) not in told:  # of two rounds announced at the same time, the first
            told.add((mine.number, mine.official_id))
            outbox.tell_of_round(session, mine, round_)
            session.delete(mine)
    session.flush()
    return len(told)


def forget(session: Session) -> None:
    """Delete wishes that have waited longer than `KEPT`."""
    old = delete(RoundAlert).where(RoundAlert.asked_at < trusted_now(session) - KEPT)
    session.execute(old.execution_options(synchronize_session=False))
