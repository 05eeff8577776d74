"""A person's day at a desk in order of time: conversations, wrap-up, waiting, breaks, and the phone away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Break, BreakReason, Callback, Desk, Event, Registration, User
from hotline.callbacks import direct_routing
from hotline.control.person_states import Did, Point, State, Stretch, list_stretches
from hotline.errors import Refused
from hotline.timetable import days

_DAY = timedelta(days=1)
_PHONE, _LIVE = ("connected", "disconnected"), ("live-on", "live-off")


@dataclass(frozen=True)
class DaySpan:
    """One activity of the day; one that continues has no end yet."""

    did: Did
    since: datetime
    until: datetime | None
    reason: BreakReason | None
    ticket: str | None


@dataclass(frozen=True)
class PersonDay:
    """A day by the city's clock."""

    person: str
    day: date
    spans: list[DaySpan]


def show(session: Session, person_id: int, day: date) -> PersonDay:
    """Return what this person did at their desk on this day. Raises Refused("not-found").

    The day begins when their phone first connects. An absence at the end of a past day is left out.
    """
    person = session.get(User, person_id)
    if person is None:
        raise Refused("not-found", f"no person {person_id}")
    start, at = days.find_moment(day, time()), now(session)
    end = min(days.find_moment(day + _DAY, time()), at)
    found = [each for each in _did(session, person, start, end) if each.until > start]
    here = [place for place, each in enumerate(found) if each.did is not Did.AWAY]
    goes_on = end == at
    last = len(found) if goes_on else max(here, default=-1) + 1
    shown = found[min(here, default=last) : last]
    tickets = _tickets(session, shown)
    return PersonDay(
        person.name,
        day,
        [
            DaySpan(
                did=each.did,
                since=max(each.since, start),
                until=None if goes_on and each.until == at else each.until,
                reason=each.reason,
                ticket=tickets.get(each.callback_id) if each.callback_id else None,
            )
            for each in shown
        ],
    )


def list_week(session: Session, person_id: int, day: date) -> list[PersonDay]:
    """Return what this person did on each day of the week of `day`, from Saturday until today at most.

    Raises Refused("not-found").
    """
    saturday, today = days.find_week_start(day), days.find_local_day(now(session))
    of_week = (saturday + place * _DAY for place in range(7))
    return [show(session, person_id, each) for each in of_week if each <= today]


def _did(session: Session, person: User, start: datetime, end: datetime) -> list[Stretch]:
    """Return the activities since the day before, so that one that began before midnight is complete."""
    begins = start - _DAY
    told = select(Event).where(Event.user_id == person.id, Event.at >= begins, Event.at < end)
    events = session.scalars(told.order_by(Event.at, Event.id)).all()
    seats = [(desk_id, list(at_it)) for desk_id, at_it in groupby(events, lambda event: event.desk_id)]
    if person.desk_id and (not seats or seats[-1][0] != person.desk_id):
        seats.append((person.desk_id, []))
    found = []
    for place, (desk_id, at_it) in enumerate(seats):
        since = at_it[0].at if place and at_it else begins
        until = at_it[-1].at if desk_id != person.desk_id or place + 1 < len(seats) else end
        desk = session.get_one(Desk, desk_id)
        state = _state(session, desk, at_it, sits=desk_id == person.desk_id)
        breaks = _breaks(session, person, desk, begins - _DAY, end)
        points = sorted([*_points(at_it), *breaks], key=lambda point: point.at)
        found += list_stretches(state, points, since, until)
    return found


def _points(events: Sequence[Event]) -> list[Point]:
    return [Point(event.at, event.kind, event.what, event.callback_id) for event in events]


def _state(session: Session, desk: Desk, events: Sequence[Event], *, sits: bool) -> State:
    """Return the desk's state before these events.

    If an event changes a value, its opposite held before. Otherwise the present value holds.
    """
    told = [event.what for event in events if event.kind == "desk"]
    phone = next((what for what in told if what in _PHONE), None)
    live = next((what for what in told if what in _LIVE), None)
    return State(
        phone=phone == "disconnected" if phone else desk.phone_connected or not sits,
        live=live == "live-off" if live else sits and direct_routing.takes_live_calls(session, desk),
    )


def _breaks(session: Session, person: User, desk: Desk, first: datetime, end: datetime) -> list[Point]:
    """Return the beginnings and ends of the breaks, including the present one."""
    between = Break.began_at >= first, Break.began_at < end
    at_it = select(Break).where(Break.user_id == person.id, Break.desk_id == desk.id, *between)
    found = []
    for over in session.scalars(at_it.order_by(Break.began_at)):
        found += [Point(over.began_at, "pause", reason=over.reason), Point(over.ended_at, "pause")]
    if desk.break_since and person.desk_id == desk.id and desk.break_since < end:
        found.append(Point(desk.break_since, "pause", reason=desk.break_reason))
    return found


def _tickets(session: Session, shown: Sequence[Stretch]) -> dict[int, str]:
    ids = [each.callback_id for each in shown if each.callback_id]
    rows = select(Callback.id, Registration.ticket).join(Callback.registration).where(Callback.id.in_(ids))
    return {id_: ticket for id_, ticket in session.execute(rows)}
