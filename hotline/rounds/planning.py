"""Planning of rounds: made, changed, cancelled, begun and ended, by a person or the timetable."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Official, OutboxKind, Registration, Round
from db.states import Fact, Phase, RegistrationState
from db.trusted_time import trusted_now
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.messages import outbox
from hotline.rounds import officials, phases

NOTICE = timedelta(days=1)
"""Minimum time between a round's notice and its start."""

EARLY = timedelta(minutes=30)
"""How long before its start a person may open a round."""

LANGUAGES = ("fa", "en")
_FACTS = ("changes", "opened_at", "ended_at", "cancelled_at")
_KNOWN_BY = ("starts_at", "announce_at")
"""Columns whose change tells citizens something new: the day's notice starts again."""
_PAST = (*_KNOWN_BY, "registration_from")
"""Columns that cannot change after the round has begun."""

NOT_BEGUN = (Phase.PLANNED, Phase.ANNOUNCED, Phase.OPEN, Phase.CLOSED)
"""Phases in which everything about a round can be changed."""


def make(
    session: Session,
    *,
    official: Official,
    registration_from: datetime,
    registration_until: datetime,
    starts_at: datetime,
    ends_at: datetime,
    announce_at: datetime | None = None,
    deputies: Sequence[Official] = (),
    capacity: int | None = None,
    languages: Sequence[str] = LANGUAGES,
    minutes: int = 6,
    recorded: bool = False,
    substitute: Official | None = None,
    short_notice: bool = False,
    who: str = audit.COMMAND_LINE,
    rule_id: int | None = None,
    occurs_on: date | None = None,
    turn: int | None = None,
) -> Round:
    """Make a round; its notice is public from `announce_at` on (None: now).

    `short_notice` permits less than a day's notice; `rule_id`, `occurs_on` and `turn` are set by the
    timetable. Raises Refused("round-times" | "notice-too-short" | "official-busy" | "official-inactive" |
    "round-values").
    """
    at = now(session)
    round_ = Round(
        official=official,
        substitute=substitute,
        deputies=list(deputies),
        announce_at=announce_at or min(at, registration_from),
        registration_from=registration_from,
        registration_until=registration_until,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
        languages=",".join(languages),
        minutes=minutes,
        recorded=recorded,
        start_set_at=at,
        rule_id=rule_id,
        occurs_on=occurs_on,
        turn=turn,
    )
    _check(session, round_, short_notice=short_notice)
    session.add(round_)
    session.flush()
    audit.record(session, who, "round-made", f"round {round_.id}", "short notice" if short_notice else "")
    events.append_round(session, round_.id, "made")
    return round_


def change(
    session: Session, round_: Round, *, who: str, reason: str, short_notice: bool = False, **values: object
) -> None:
    """Change columns of a round. The reason is public, and new hours are sent to the waiting citizens.

    Of a live round only what lies ahead can change, such as its end. Raises Refused("reason-missing" |
    "wrong-state" | "round-begun") and what `make` raises.
    """
    reason = reasons.check(reason)
    at = now(session)
    _hold_officials(session, [round_.official, round_.substitute, values.get("substitute")])
    session.refresh(round_, _FACTS, with_for_update=True)  # two simultaneous changes count as two
    begun = phases.find_phase(round_, at) is Phase.LIVE
    if round_.is_operators_line or not (begun or phases.find_phase(round_, at) in NOT_BEGUN):
        raise Refused("wrong-state", "a round that is over is not changed, nor the operators' line")
    if begun:
        _check_to_come(round_, at, values)
    before = (round_.starts_at, round_.ends_at)
    with session.no_autoflush:
        if any(values.get(what, getattr(round_, what)) != getattr(round_, what) for what in _KNOWN_BY):
            round_.start_set_at = at
        for column, value in values.items():
            setattr(round_, column, value)
        round_.reason = reason
        round_.changes, round_.changed_at = round_.changes + 1, at
        _check(session, round_, short_notice=short_notice or begun)
    audit.record(session, who, "round-changed", f"round {round_.id}", reason)
    if (round_.starts_at, round_.ends_at) != before:
        _tell_hours(session, round_)
    events.append_round(session, round_.id, "changed")


def _check_to_come(round_: Round, at: datetime, values: Mapping[str, object]) -> None:
    changed = {name for name, value in values.items() if value != getattr(round_, name)}
    if past := changed & {*_PAST}:
        raise Refused("round-begun", f"the round has begun: {', '.join(sorted(past))} stays")
    ends_at = values.get("ends_at", round_.ends_at)
    if "ends_at" in changed and isinstance(ends_at, datetime) and ends_at <= at:
        raise Refused("round-times", "the new end is past; a round is ended instead", "ends_at")


def cancel(session: Session, round_: Round, *, who: str, reason: str) -> None:
    """Cancel a round. Its registrations move to the official's next round (carry_over). A repeat does
    nothing.

    A conversation in progress continues; all other calls are ended (serving.request_end). Raises
    Refused("reason-missing" | "wrong-state").
    """
    reason = reasons.check(reason)
    phase = phases.find_phase(round_, now(session))
    if phase is Phase.CANCELLED:
        return
    if phase is Phase.OVER or round_.is_operators_line:
        raise Refused("wrong-state", "only an announced round that is not over can be cancelled")
    if not phases.record(session, round_, "cancelled"):
        return
    round_.reason = reason
    audit.record(session, who, "round-cancelled", f"round {round_.id}", reason)
    entries.append(session, Fact.ROUND_CANCELLED, round_.id, None, {"reason": reason})


def open_now(session: Session, round_: Round, *, who: str, reason: str = "") -> None:
    """Open a round by hand; the first claim opens it as well.

    Raises Refused("round-over"), and Refused("round-not-started") more than 30 minutes before the announced
    start.
    """
    if now(session) < round_.starts_at - EARLY:
        raise Refused("round-not-started", "citizens expect nobody yet")
    if not round_.opened_at:
        audit.record(session, who, "round-opened", f"round {round_.id}", reason)
    end_earlier(session, round_)
    phases.open_round(session, round_)


def end(session: Session, round_: Round, *, who: str, reason: str = "") -> None:
    """End a round by hand. Raises Refused("wrong-state" | "round-not-started").

    A round that has not begun must be cancelled instead, so that citizens read the reason.
    """
    at = now(session)
    if round_.is_operators_line or round_.cancelled_at:
        raise Refused("wrong-state", "the operators' line and a cancelled round are not ended")
    if at < round_.starts_at and not round_.opened_at:
        raise Refused("round-not-started", "a round that has not begun is cancelled, not ended")
    if not round_.ended_at:
        audit.record(session, who, "round-ended", f"round {round_.id}", reason)
    phases.end_round(session, round_)


def end_earlier(session: Session, round_: Round) -> bool:
    """End the official's earlier rounds that are past their end, because this one begins; return if there
    were any.

    An opened round stays live past its end until its official stops; who begins the next one has stopped. The
    end of a round is final, so the trusted clock decides.
    """
    at = trusted_now(session)
    past = select(Round).where(
        Round.official_id == round_.official_id,
        Round.id != round_.id,
        Round.is_operators_line.is_(False),
        Round.opened_at.is_not(None),
        Round.ended_at.is_(None),
        Round.cancelled_at.is_(None),
        Round.ends_at <= at,
        Round.ends_at > at - phases.OVERTIME,
    )
    found = session.scalars(past.order_by(Round.id)).all()
    for earlier in found:
        if phases.record(session, earlier, "ended"):
            why = f"round {round_.id} begins"
            audit.record(session, audit.SYSTEM, "round-ended", f"round {earlier.id}", why)
    return bool(found)


def _tell_hours(session: Session, round_: Round) -> None:
    """Send the new hours to the waiting citizens, but not before the round's notice.

    Citizens carried over to the round hear of it with the notice.
    """
    if round_.announce_at > now(session):
        return
    waiting = session.scalars(
        select(Registration).where(
            Registration.round_id == round_.id, Registration.state == RegistrationState.WAITING
        )
    ).all()
    outbox.tell_all(
        session,
        OutboxKind.ROUND_CHANGED,
        waiting,
        about_round=round_.id,
        nth=round_.changes,
        expires_at=round_.ends_at,
        starts_at=round_.starts_at.isoformat(),
        ends_at=round_.ends_at.isoformat(),
    )


def _check(session: Session, round_: Round, *, short_notice: bool) -> None:
    r = round_
    if not r.announce_at <= r.registration_from:
        raise Refused("round-times", "notice <= registration_from", "registration_from")
    if not r.registration_from < r.registration_until <= r.ends_at:
        raise Refused("round-times", "registration_from < registration_until <= end", "registration_until")
    if not r.starts_at < r.ends_at:
        raise Refused("round-times", "the end must be after the start", "ends_at")
    if (r.capacity is not None and r.capacity < 1) or r.minutes < 1:
        raise Refused("round-values", "capacity and minutes are at least 1")
    if not r.languages or not set(r.languages.split(",")) <= set(LANGUAGES):
        raise Refused("round-values", f"languages are some of {', '.join(LANGUAGES)}")
    if not short_notice and r.starts_at - phases.find_known_at(r) < NOTICE:
        raise Refused("notice-too-short", "a round is announced a day ahead; say so if less is meant")
    _check_free(session, r)


def _hold_officials(session: Session, officials: Sequence[object]) -> Sequence[int]:
    """Lock these officials and return their ids; they are always locked before a round."""
    ids = sorted({o.id for o in officials if isinstance(o, Official) and o.id})
    session.scalars(
        select(Official.id).where(Official.id.in_(ids)).order_by(Official.id).with_for_update()
    ).all()
    return ids


def _check_free(session: Session, round_: Round) -> None:
    """Check that each official answers in one round at a time; their lock protects against a second planner.

    Raises Refused("official-busy" | "official-inactive").
    """
    ids = _hold_officials(session, [round_.official, round_.substitute])
    officials.check_active(session, ids)
    speaks = Round.official_id.in_(ids) & Round.substitute_id.is_(None) | Round.substitute_id.in_(ids)
    busy = session.scalar(
        select(Round.id)
        .where(
            speaks,
            Round.id.is_not(round_.id) if round_.id is None else Round.id != round_.id,
            Round.is_operators_line.is_(False),
            Round.cancelled_at.is_(None),
            Round.ended_at.is_(None),
            Round.starts_at < round_.ends_at,
            Round.ends_at > round_.starts_at,
        )
        .limit(1)
    )
    if busy is not None:
        raise Refused("official-busy", f"the official answers in round {busy} at that time")
