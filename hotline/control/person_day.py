"""A person's day at a desk: their conversations and breaks, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Break, BreakReason, Callback, Desk, User
from hotline.errors import Refused
from hotline.timetable import days

_DAY = timedelta(days=1)


class Did(StrEnum):
    """What a person did for a while."""

    TALKED = "talked"
    PAUSED = "paused"  # a break


@dataclass(frozen=True)
class DaySpan:
    """One stretch of the day; one that goes on has no end yet."""

    did: Did
    since: datetime
    until: datetime | None
    reason: BreakReason | None
    ticket: str | None


@dataclass(frozen=True)
class PersonDay:
    """A day by the city's clock."""

    person: str
    spans: list[DaySpan]


def show(session: Session, person_id: int, day: date) -> PersonDay:
    """What this person did at their desk on this day. Raises Refused("not-found")."""
    person = session.get(User, person_id)
    if person is None:
        raise Refused("not-found", f"no person {person_id}")
    start = days.moment(day, time())
    found = [*_talks(session, person.id, start), *_breaks(session, person, start)]
    return PersonDay(person.name, sorted(found, key=lambda span: span.since))


def _talks(session: Session, person_id: int, start: datetime) -> list[DaySpan]:
    begun = Callback.talking_at >= start, Callback.talking_at < start + _DAY
    found = session.scalars(select(Callback).where(Callback.user_id == person_id, *begun))
    return [
        DaySpan(Did.TALKED, call.talking_at, call.ended_at, None, call.registration.ticket)
        for call in found
        if call.talking_at
    ]


def _breaks(session: Session, person: User, start: datetime) -> list[DaySpan]:
    over = Break.user_id == person.id, Break.began_at >= start - _DAY, Break.began_at < start + _DAY
    found: Sequence[Break] = session.scalars(select(Break).where(*over, Break.ended_at >= start)).all()
    spans = [DaySpan(Did.PAUSED, one.began_at, one.ended_at, one.reason, None) for one in found]
    desk = session.get(Desk, person.desk_id) if person.desk_id else None
    if desk and desk.break_since and start <= desk.break_since < start + _DAY:
        spans.append(DaySpan(Did.PAUSED, desk.break_since, None, desk.break_reason, None))
    return spans
