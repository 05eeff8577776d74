"""Forecast of the next call to a citizen, for the desk's page to show before the outcome is recorded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, selectinload

from db.engine import now
from db.models import Callback, Note, Registration, Round, User
from db.states import RegistrationState
from hotline.callbacks import retries
from hotline.callbacks.retries import Because
from hotline.clock import is_quiet
from hotline.line import carry_over
from hotline.rounds import rounds
from settings import Settings


class CalledAgain(NamedTuple):
    """Forecast of a retry.

    `at`: the earliest time of the call; None if it belongs to the official's next round, which is not
    planned. `quiet`: the wish lies in quiet hours, and the desk has to agree it with the citizen.
    """

    at: datetime | None
    because: Because
    quiet: bool


def foreseen(
    session: Session, callback: Callback, wish: datetime | None, settings: Settings, *, agreed: bool = False
) -> CalledAgain:
    """Return when the citizen would be called if the desk recorded CALL_AGAIN with the time `wish` now.

    `wish` is None if the citizen named no time. Raises Refused("too-far-ahead").
    """
    at, round_ = now(session), rounds.get(session, callback.round_id)
    quiet = wish is not None and is_quiet(max(wish, at), settings.quiet_hours)
    if wish is None:
        due, because = retries.promised_by_rule(at, round_, settings)
    else:
        due, because = retries.promised(wish, at, round_, settings, agreed=agreed)
    if because is Because.PAST_END:
        return CalledAgain(_next_start(session, round_, at), because, quiet)
    return CalledAgain(due, because, quiet)


def _next_start(session: Session, round_: Round, at: datetime) -> datetime | None:
    following_id = select(carry_over.NEXT_ROUND).select_from(Round).where(Round.id == round_.id)
    next_id = session.scalar(following_id, rounds.moment(at))
    return rounds.get(session, next_id).starts_at if next_id is not None else None


_MOST = 20
_LATE = timedelta(hours=12)
"""How long an overdue promise is listed."""


def agreed_by(session: Session, user: User) -> Sequence[Callback]:
    """Return the callbacks for which the person promised a time that is still due, soonest first."""
    newer = aliased(Callback)
    again = exists().where(newer.registration_id == Callback.registration_id, newer.id > Callback.id)
    return session.scalars(
        select(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .where(Callback.user_id == user.id, Callback.again_at > now(session) - _LATE)
        .where(Registration.state == RegistrationState.WAITING, ~again)
        .options(selectinload(Callback.notes).joinedload(Note.writer))
        .order_by(Callback.again_at, Callback.id)
        .limit(_MOST)
    ).all()
