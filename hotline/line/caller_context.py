"""Facts that a call script needs about the caller and the rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session, joinedload

from db.engine import now
from db.models import (
    BlockedNumber,
    BlockReason,
    Carry,
    OfficialKind,
    Registration,
    Request,
    Round,
    SilentCaller,
)
from db.states import RETRIED, TAKES_NO_ROOM, Phase, RegistrationState
from hotline import limits, subjects
from hotline.line import carry_over, order
from hotline.requests import categories, lifecycle
from hotline.rounds import phases

_GUESSES, _GUESSES_WITHHELD = limits.Bucket(10, 360), limits.Bucket(60, 60)
"""Budgets for wrong ticket and tracking numbers, of one number and of all withheld numbers together.

Each allows so many at once, and as many in each hour. A call has two guesses.
"""
_ACTIVE = (
    RegistrationState.UNCONFIRMED,
    RegistrationState.WAITING,
    RegistrationState.CALLING,
    RegistrationState.UNREACHED,
)


@dataclass(frozen=True)
class Choice:
    """Round that a caller may hear of. Times are UTC; a clip names an office."""

    round_id: int
    official_id: int
    kind: OfficialKind
    district: int | None
    clip: str
    substitute: str | None
    """Clip of the deputy who speaks in the official's place, if any."""
    languages: Sequence[str]
    """Languages that are spoken in the round."""
    registration_from: datetime
    starts_at: datetime
    registered: int
    full: bool
    expected_reach: int
    subjects: str
    """Keys of the subjects that most of its citizens chose."""


@dataclass(frozen=True)
class Place:
    """Registration and its round, as its owner may hear of it."""

    registration_id: int
    round_id: int
    ticket: str
    clip: str
    state: RegistrationState
    before_me: int
    carried: bool
    left_cancelled: bool
    """The place was carried here because the round before was cancelled."""
    given_up: bool
    """The place is over because nobody answered in two rounds."""
    deferred: bool
    """The citizen asked for the next round when the turn was near."""
    in_operators_line: bool
    phase: Phase
    starts_at: datetime
    next_at: datetime | None
    """Start of the official's next announced round if this round is over or cancelled."""

    @property
    def left(self) -> bool:
        """Return whether the round is over or cancelled and this place still waits for the next one."""
        return self.state in _LEFT and self.phase in (Phase.OVER, Phase.CANCELLED)


_LEFT = (RegistrationState.WAITING, RegistrationState.UNREACHED)


@dataclass(frozen=True)
class Offer:
    """Offer to all callers; `upcoming` opens next if no round has room now."""

    choices: Sequence[Choice]
    upcoming: Choice | None
    subjects: str
    """Keys of the subjects that callers hear."""
    categories: str
    """Keys of the categories that can be reported."""

    def common_subjects(self, round_id: int | None) -> str:
        """Return the keys of the subjects offered first: those that the round's citizens chose most."""
        found = (choice.subjects for choice in self.choices if choice.round_id == round_id)
        return next(found, subjects.list_most_chosen({}, self.subjects))


@dataclass(frozen=True)
class CallerContext:
    """Offer, with the facts about this caller."""

    offer: Offer
    active: Sequence[Place]
    blocked: BlockReason | None
    reported: lifecycle.Progress | None
    """Caller's own request: one that waits for the caller's answer, otherwise the newest."""
    been_here: bool = False
    """This number has registered before, so its caller knows the questions."""
    slowly: bool = False
    """An earlier question got no answer: the script speaks more slowly and waits longer."""

    def place_in(self, round_id: int) -> Place | None:
        """Return the caller's place in a round."""
        return next((place for place in self.active if place.round_id == round_id), None)


_CALLER = select(
    select(BlockedNumber.reason).where(BlockedNumber.number == bindparam("number")).scalar_subquery(),
    exists().where(Registration.number == bindparam("number"), Registration.state.in_(_ACTIVE)),
    exists().where(Request.number == bindparam("number")),
    exists().where(Registration.number == bindparam("number")),
    select(SilentCaller.silent_at).where(SilentCaller.number == bindparam("number")).scalar_subquery(),
)
"""Query of the number's block, places, requests and past: the only one that most callers cost."""


def offer(session: Session) -> Offer:
    """Return the offer of this moment, the same for all callers."""
    open_ = phases.list_registrable(session)
    counts = phases.count_by_state(session, [r.id for r in open_])
    offered = subjects.list_offered(session)
    chosen = _chosen(session, [r.id for r in open_])
    choices = [
        _choice(session, r, counts[r.id], subjects.list_most_chosen(chosen[r.id], offered)) for r in open_
    ]
    upcoming = phases.find_upcoming(session) if all(choice.full for choice in choices) else None
    return Offer(
        choices=choices,
        upcoming=_choice(session, upcoming, {}, "") if upcoming else None,
        subjects=offered,
        categories=categories.list_offered_keys(session),
    )


def find_context(session: Session, number: str | None, offer: Offer) -> CallerContext:
    """Return the context of a caller with this E.164 number; None for an unknown number."""
    if number is None:
        return CallerContext(offer, active=[], blocked=None, reported=None)
    found = session.execute(_CALLER, {"number": number}).one()
    blocked, registered, reported, been_here, silent_at = found
    return CallerContext(
        offer,
        active=list_active(session, number) if registered else [],
        blocked=blocked,
        reported=lifecycle.find_progress_for_caller(session, number) if reported else None,
        been_here=been_here,
        slowly=silent_at is not None,
    )


def list_active(session: Session, number: str) -> list[Place]:
    """Return the active registrations of a number, oldest first; those whose round is over come last."""
    found = session.scalars(
        select(Registration)
        .where(Registration.number == number, Registration.state.in_(_ACTIVE))
        .options(joinedload(Registration.round))
        .order_by(Registration.registered_at, Registration.id)
    )
    return sorted((place(session, registration) for registration in found), key=lambda place: place.left)


def place(session: Session, registration: Registration) -> Place:
    """Return the place of a registration; its round must be loaded or loadable."""
    round_, at = session.get_one(Round, registration.round_id), now(session)
    phase = phases.find_phase(round_, at)
    unanswered = registration.rounds_unanswered > 0 and registration.last_outcome in RETRIED
    unreached = registration.state is RegistrationState.UNREACHED
    deferred = unreached and carry_over.has_deferred(session, registration)
    over = registration.state is RegistrationState.CLOSED or (unreached and not deferred)
    return Place(
        registration_id=registration.id,
        round_id=registration.round_id,
        ticket=registration.ticket,
        clip=round_.official.clip,
        state=registration.state,
        before_me=order.count_before(session, registration),
        carried=registration.rounds_missed > 0,
        left_cancelled=registration.rounds_missed > 0 and _left_cancelled(session, registration),
        given_up=unanswered and over,
        deferred=deferred,
        in_operators_line=round_.is_operators_line,
        phase=phase,
        starts_at=round_.starts_at,
        next_at=_next_at(session, round_, at) if phase in (Phase.OVER, Phase.CANCELLED) else None,
    )


def _left_cancelled(session: Session, registration: Registration) -> bool:
    cancelled_at = session.scalar(
        select(Round.cancelled_at)
        .join(Carry, Carry.from_round_id == Round.id)
        .where(Carry.registration_id == registration.id, Carry.to_round_id == registration.round_id)
    )
    return cancelled_at is not None


def _next_at(session: Session, round_: Round, at: datetime) -> datetime | None:
    following_id = select(carry_over.NEXT_ROUND).select_from(Round).where(Round.id == round_.id)
    next_id = session.scalar(following_id, phases.bind_moment(at))
    following = session.get(Round, next_id) if next_id else None
    return following.starts_at if following and following.announce_at <= at else None


def _chosen(session: Session, round_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Return how often each subject was chosen, by round."""
    chosen: dict[int, dict[int, int]] = {round_id: {} for round_id in round_ids}
    rows = session.execute(
        select(Registration.round_id, Registration.subject, func.count())
        .where(Registration.round_id.in_(round_ids))
        .group_by(Registration.round_id, Registration.subject)
    )
    for round_id, subject, count in rows:
        if subject is not None:
            chosen[round_id][subject] = count
    return chosen


def _choice(session: Session, round_: Round, counts: dict[RegistrationState, int], subjects: str) -> Choice:
    registered = sum(count for state, count in counts.items() if state not in TAKES_NO_ROOM)
    return Choice(
        round_id=round_.id,
        official_id=round_.official_id,
        kind=round_.official.kind,
        district=round_.official.district,
        clip=round_.official.clip,
        substitute=round_.substitute.clip if round_.substitute else None,
        languages=round_.languages.split(","),
        registration_from=round_.registration_from,
        starts_at=round_.starts_at,
        registered=registered,
        full=round_.capacity is not None and registered >= round_.capacity,
        expected_reach=phases.estimate_reach(session, round_),
        subjects=subjects,
    )


def take_guess(session: Session, caller: str | None, secret: str) -> bool:
    """Take one guess from the budget of this caller (E.164; None: withheld) for a keyed-in number.

    Return whether one was left. A row lock keeps the caller's other calls waiting until the transaction ends.
    """
    return limits.take(session, *_guesses_of(caller, secret))


def give_guess_back(session: Session, caller: str | None, secret: str) -> None:
    """Return the guess to the budget: the number was found."""
    limits.give_back(session, *_guesses_of(caller, secret))


def _guesses_of(caller: str | None, secret: str) -> tuple[limits.Bucket, str]:
    bucket = _GUESSES if caller else _GUESSES_WITHHELD
    return bucket, limits.hash_key(secret, "guesses by telephone", caller or "withheld")
