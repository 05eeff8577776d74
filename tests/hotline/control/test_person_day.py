"""A person's day, told by what their desk did: of this day and this person alone."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Break, BreakReason, Desk, Event, User
from db.states import CallbackState, Outcome
from hotline import heartbeats
from hotline.callbacks import closing, conversations, direct_routing, serving, transitions
from hotline.control import person_day
from hotline.control.person_day import DaySpan
from hotline.control.person_states import Did
from hotline.rounds import phases
from hotline.timetable import days
from settings import Settings
from tests import factories as make
from tests.factories import HOUR, MINUTE, SECOND
from tests.kit.refusal import refusal

C = CallbackState


@pytest.fixture
def yesterday(session: Session) -> date:
    return days.find_local_day(now(session)) - timedelta(days=1)


@pytest.fixture
def noon(yesterday: date) -> datetime:
    return days.find_moment(yesterday, time(12))


@pytest.fixture
def user(session: Session) -> User:
    return make.a_user(session, make.a_desk(session))


def told(session: Session, user: User, at: datetime, what: str, callback_id: int | None = None) -> None:
    """The event log has it that this happened then."""
    kind = "callback" if callback_id else "desk"
    own = {"desk_id": user.desk_id, "user_id": user.id, "callback_id": callback_id}
    session.add(Event(at=at, kind=kind, what=what, **own))
    session.flush()


def paused(session: Session, user: User, began_at: datetime, long: timedelta, reason: BreakReason) -> None:
    own = {"desk_id": user.desk_id, "user_id": user.id}
    session.add(Break(reason=reason, began_at=began_at, ended_at=began_at + long, **own))
    session.flush()


def test_day_at_a_desk_is_listed_in_order(
    session: Session, user: User, yesterday: date, noon: datetime
) -> None:
    callback, other = make.a_callback(session, C.CLOSED, user), make.a_user(session, make.a_desk(session))
    for minute, what, callback_id in (
        (-90, "connected", None),  # it was away before: the day begins here
        (0, "asks-next", None),
        (2, "waiting", callback.id),
        (3, "talking", callback.id),
        (9, "parting", callback.id),
        (10, "reached", callback.id),
        (12, "break", None),
        (32, "break", None),
        (33, "asks-next", None),
        (40, "disconnected", None),
        (45, "connected", None),
        (50, "not-now", None),
        (55, "disconnected", None),  # for good
    ):
        told(session, user, noon + minute * MINUTE, what, callback_id)
    paused(session, user, noon + 12 * MINUTE, 20 * MINUTE, BreakReason.MEAL)
    told(session, user, noon + 24 * HOUR, "connected")
    told(session, other, noon, "asks-next")
    paused(session, other, noon, HOUR, BreakReason.REST)

    shown = person_day.show(session, user.id, yesterday)

    def span(did: Did, since: int, until: int, **also: object) -> DaySpan:
        values = {"reason": None, "ticket": None, **also}
        return DaySpan(did, noon + since * MINUTE, noon + until * MINUTE, **values)  # type: ignore[arg-type]

    assert shown.person == user.name
    assert shown.spans == [
        span(Did.WAITED, 0, 3),
        span(Did.TALKED, 3, 9, ticket=callback.registration.ticket),
        span(Did.WRAP_UP, 9, 12),
        span(Did.PAUSED, 12, 32, reason=BreakReason.MEAL),
        span(Did.WAITED, 33, 40),
        span(Did.AWAY, 40, 45),
        span(Did.WAITED, 45, 50),
    ]


def test_activity_over_midnight_is_split_between_days(session: Session, user: User, yesterday: date) -> None:
    midnight = days.find_moment(yesterday, time())
    callback = make.a_callback(session, C.CLOSED, user)
    told(session, user, midnight - 2 * HOUR, "connected")
    told(session, user, midnight - 10 * MINUTE, "talking", callback.id)
    told(session, user, midnight + 5 * MINUTE, "ended", callback.id)
    told(session, user, midnight + 6 * MINUTE, "disconnected")
    days_ = [person_day.show(session, user.id, yesterday - timedelta(days=n)).spans for n in (1, 0)]
    assert [[(span.did, span.since, span.until) for span in spans] for spans in days_] == [
        [(Did.TALKED, midnight - 10 * MINUTE, midnight)],
        [
            (Did.TALKED, midnight, midnight + 5 * MINUTE),
            (Did.WRAP_UP, midnight + 5 * MINUTE, midnight + 6 * MINUTE),
        ],
    ]


def test_day_at_two_desks_is_listed_as_one(
    session: Session, user: User, yesterday: date, noon: datetime
) -> None:
    told(session, user, noon, "asks-next")
    told(session, user, noon + 5 * MINUTE, "not-now")
    user.desk = make.a_desk(session)
    session.flush()
    told(session, user, noon + 10 * MINUTE, "asks-next")
    told(session, user, noon + 15 * MINUTE, "disconnected")
    spans = person_day.show(session, user.id, yesterday).spans
    assert [(span.did, span.since, span.until) for span in spans] == [
        (Did.WAITED, noon, noon + 5 * MINUTE),
        (Did.WAITED, noon + 10 * MINUTE, noon + 15 * MINUTE),
    ]
    user.desk = None
    session.flush()
    assert person_day.show(session, user.id, yesterday).spans == spans


def test_last_span_of_a_running_day_has_no_end(session: Session, settings: Settings, user: User) -> None:
    """The true deeds, one after the other; the log is theirs."""
    round_, desk = make.a_round(session), user.desk
    make.some_registrations(session, round_, 3)
    assert desk is not None
    serving.serve(session, desk, round_.id, settings)
    serving.ask_next(session, desk, None, settings)
    callback = make.a_callback(session, C.WAITING, user)
    events.append_callback(session, callback)
    assert serving.clear_request(session, callback)
    transitions.move(session, callback.token, C.TALKING, talking_at=now(session))
    conversations.record_line_end(session, callback, settings, hung_up=True)
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    spread(session, user)

    def last() -> tuple[Did, BreakReason | None]:
        *before, shown = person_day.show(session, user.id, days.find_local_day(now(session))).spans
        assert shown.until is None and all(span.until for span in before)
        return shown.did, shown.reason

    assert last() == (Did.WRAP_UP, None)
    spans = person_day.show(session, user.id, days.find_local_day(now(session))).spans
    assert [span.did for span in spans] == [Did.WAITED, Did.TALKED, Did.WRAP_UP]
    assert spans[1].ticket == callback.registration.ticket
    serving.take_break(session, desk, BreakReason.PRAYER)
    spread(session, user)
    assert desk.break_since is not None
    desk.break_since -= MINUTE
    assert last() == (Did.PAUSED, BreakReason.PRAYER)
    serving.take_break(session, desk, None)
    heartbeats.record_phone(session, desk.id, None)
    spread(session, user)
    at = now(session)
    session.execute(update(Break).values(began_at=at - 3 * SECOND, ended_at=at - 2 * SECOND))
    assert last() == (Did.AWAY, None)


def spread(session: Session, user: User) -> None:
    """Space the person's log entries a second apart, the newest a while ago."""
    mine = session.query(Event).where(Event.user_id == user.id).order_by(Event.id.desc())
    for place, event in enumerate(mine, start=1):
        event.at = now(session) - place * SECOND
    session.flush()


def test_live_desk_waits_until_it_takes_no_more_calls(
    session: Session, settings: Settings, user: User
) -> None:
    desk, line = user.desk, phases.get_operators_line(session)
    assert desk is not None
    serving.serve(session, desk, line.id, settings)
    assert what_log_says(session, desk) == ["live-on", "serves"]
    direct_routing.set_live_calls(session, desk, takes=False)
    direct_routing.set_live_calls(session, desk, takes=True)
    serving.leave(session, desk, settings)
    direct_routing.set_live_calls(session, desk, takes=None)
    assert what_log_says(session, desk)[2:] == ["live-off", "live-on", "left", "live-off"]
    spread(session, user)
    spans = person_day.show(session, user.id, days.find_local_day(now(session))).spans
    assert [span.did for span in spans] == [Did.WAITED, Did.WAITED]


def what_log_says(session: Session, desk: Desk) -> list[str]:
    found = session.query(Event).where(Event.desk_id == desk.id).order_by(Event.id)
    return [event.what for event in found]


def test_unknown_person_is_not_found(session: Session) -> None:
    day = days.find_local_day(now(session))
    assert refusal(lambda: person_day.show(session, 404404, day)) == "not-found"


def test_future_day_is_empty(session: Session, user: User, yesterday: date) -> None:
    assert person_day.show(session, user.id, yesterday + timedelta(days=3)).spans == []


def test_week_lists_each_day_from_saturday_to_today(
    session: Session, user: User, yesterday: date, noon: datetime
) -> None:
    told(session, user, noon, "connected")
    told(session, user, noon + HOUR, "asks-next")
    today = yesterday + timedelta(days=1)
    found = person_day.list_week(session, user.id, yesterday)
    shown = {one.day: one for one in found}
    saturday = found[0].day
    assert (saturday.isoweekday(), saturday + timedelta(days=7) > yesterday) == (6, True)
    assert list(shown) == [saturday + timedelta(days=n) for n in range(len(found))]
    assert found[-1].day == min(saturday + timedelta(days=6), today)
    assert shown[yesterday] == person_day.show(session, user.id, yesterday) and shown[yesterday].spans
    assert person_day.list_week(session, user.id, yesterday - timedelta(days=7))[-1].day < saturday
    assert person_day.list_week(session, user.id, yesterday + timedelta(days=9)) == []
