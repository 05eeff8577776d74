"""A person's day: conversations and breaks in the order of time, of this day and this person alone."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from db.engine import now
from db.models import Break, BreakReason
from db.states import CallbackState
from hotline.callbacks import serving
from hotline.control import person_day
from hotline.control.person_day import Did
from hotline.timetable import days
from tests import factories as make
from tests.factories import SECOND
from tests.kit.refusal import refusal


def test_given_a_day_of_conversations_and_breaks_when_shown_then_they_are_there_in_order_and_no_others(
    session: Session,
) -> None:
    user = make.a_user(session, make.a_desk(session))
    day = days.local_day(now(session))
    start = days.moment(day, time())
    talked = make.a_callback(session, CallbackState.CLOSED, user)
    talked.talking_at, talked.ended_at = start + 60 * SECOND, start + 90 * SECOND
    before = make.a_callback(session, CallbackState.CLOSED, user)
    before.talking_at, before.ended_at = start - 60 * SECOND, start - 30 * SECOND
    make.a_callback(session, CallbackState.TALKING)  # somebody else's
    for began, reason in ((30 * SECOND, BreakReason.REST), (-timedelta(days=1), BreakReason.MEAL)):
        began_at = start + began
        session.add(
            Break(
                desk_id=user.desk_id,
                user_id=user.id,
                reason=reason,
                began_at=began_at,
                ended_at=began_at + SECOND,
            )
        )
    assert user.desk is not None
    serving.take_break(session, user.desk, BreakReason.WRITING)
    shown = person_day.show(session, user.id, day)
    assert shown.person == user.name
    assert {(span.did, span.reason, span.ticket) for span in shown.spans} == {
        (Did.PAUSED, BreakReason.REST, None),
        (Did.TALKED, None, talked.registration.ticket),
        (Did.PAUSED, BreakReason.WRITING, None),
    }
    assert shown.spans == sorted(shown.spans, key=lambda span: span.since)
    [goes_on] = [span for span in shown.spans if span.until is None]
    assert goes_on.reason is BreakReason.WRITING


def test_given_nobody_of_this_number_when_shown_then_it_is_not_found(session: Session) -> None:
    day = days.local_day(now(session))
    assert refusal(lambda: person_day.show(session, 404404, day)) == "not-found"
