"""What a call script must know about the caller and the rounds, asked in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.models import BlockedNumber, BlockReason, OfficialKind, Registration, Round
from db.states import RegistrationState
from hotline import line, rounds

_ACTIVE = (RegistrationState.UNCONFIRMED, RegistrationState.WAITING, RegistrationState.CALLING)


@dataclass(frozen=True)
class Choice:
    """A round that a caller may hear of. Times are UTC; `clip` says the office's name."""

    round_id: int
    kind: OfficialKind
    district: int | None
    clip: str
    registration_from: datetime
    starts_at: datetime
    registered: int
    expected_reach: int


@dataclass(frozen=True)
class Place:
    """A registration as its owner may hear of it."""

    registration_id: int
    round_id: int
    ticket: str
    clip: str
    state: RegistrationState
    ahead: int
    carried: bool


@dataclass(frozen=True)
class Intake:
    """The answer. `upcoming` is the round whose registration opens next."""

    choices: Sequence[Choice]
    upcoming: Choice | None
    active: Sequence[Place]
    blocked: BlockReason | None

    def place_in(self, round_id: int) -> Place | None:
        """The caller's place in a round."""
        return next((place for place in self.active if place.round_id == round_id), None)


def look_up(session: Session, number: str | None) -> Intake:
    """Everything for a caller with this E.164 number; None for a caller whose number is unknown."""
    open_ = rounds.registrable(session)
    counts = rounds.counts(session, [r.id for r in open_])
    upcoming = None if open_ else rounds.upcoming(session)
    blocked = session.get(BlockedNumber, number) if number else None
    return Intake(
        choices=[_choice(session, r, sum(counts[r.id].values())) for r in open_],
        upcoming=_choice(session, upcoming, 0) if upcoming else None,
        active=active(session, number) if number else [],
        blocked=blocked.reason if blocked else None,
    )


def active(session: Session, number: str) -> list[Place]:
    """The live registrations of a number, oldest first."""
    found = session.scalars(
        select(Registration)
        .where(Registration.number == number, Registration.state.in_(_ACTIVE))
        .options(joinedload(Registration.round))
        .order_by(Registration.registered_at, Registration.id)
    )
    return [place(session, registration) for registration in found]


def place(session: Session, registration: Registration) -> Place:
    """Where a registration stands; its round must be loaded or loadable."""
    round_ = session.get_one(Round, registration.round_id)
    return Place(
        registration_id=registration.id,
        round_id=registration.round_id,
        ticket=registration.ticket,
        clip=round_.official.clip,
        state=registration.state,
        ahead=line.ahead(session, registration),
        carried=registration.rounds_missed > 0,
    )


def _choice(session: Session, round_: Round, registered: int) -> Choice:
    return Choice(
        round_id=round_.id,
        kind=round_.official.kind,
        district=round_.official.district,
        clip=round_.official.clip,
        registration_from=round_.registration_from,
        starts_at=round_.starts_at,
        registered=registered,
        expected_reach=rounds.expected_reach(session, round_),
    )
