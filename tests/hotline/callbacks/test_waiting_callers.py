"""Waiting for an operator on the line: who stays, and what they are told."""

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import CallerNow, Registration, WaitingCaller
from db.states import CallbackState, RegistrationState
from hotline import heartbeats
from hotline.callbacks import waiting_callers
from hotline.line import busy_numbers
from tests import factories as make
from tests.hotline.callbacks.waiting_callers import (
    a_live_desk,
    joins,
    operators_line,
    person_at,
    stays,
    talked,
)

C, R = CallbackState, RegistrationState


# --- staying and leaving ---


def test_joining_and_leaving_the_line_are_recorded(session: Session) -> None:
    (id_,) = joins(session)
    assert waiting_callers.find(session, id_) is None
    stays(session, id_)
    caller = waiting_callers.find(session, id_)
    assert caller and caller.channel == f"channel-{id_}"
    assert waiting_callers.is_there(session, id_, caller.channel)
    assert waiting_callers.count_waiting(session) == (1, caller.since)

    waiting_callers.leave(session, "a channel of somebody else")
    assert waiting_callers.find(session, id_)
    waiting_callers.leave(session, caller.channel)
    assert waiting_callers.find(session, id_) is None
    assert waiting_callers.count_waiting(session) == (0, None)
    assert waiting_callers.is_there(session, id_, caller.channel)  # was only believed to be gone
    assert waiting_callers.find(session, id_)


def test_repeated_join_or_leave_counts_once(
    session: Session,
) -> None:
    (id_,) = joins(session)
    stays(session, id_)
    waiting_callers.leave(session, f"channel-{id_}")
    caller = session.get_one(WaitingCaller, id_, populate_existing=True)
    left = caller.left_at = now(session) - make.SECOND
    session.flush()
    waiting_callers.leave(session, f"channel-{id_}")
    session.refresh(caller)
    assert caller.left_at == left, "the phone is left in peace for no longer"

    seen = make.newest_event(session)
    stays(session, id_)
    assert len(make.told(session, seen)) == 1, "the pages see that they are back"
    stays(session, id_)
    assert len(make.told(session, seen)) == 1


def test_closed_place_cannot_wait_on_the_line(session: Session) -> None:
    (id_,) = joins(session)
    session.get_one(Registration, id_).state = R.CANCELLED
    assert not waiting_callers.record_waiting(session, id_, "channel")
    assert not waiting_callers.record_waiting(session, 999_999, "channel")


def test_newer_call_does_not_replace_an_older_that_is_there(session: Session) -> None:
    """Caller ID is easily forged."""
    (id_,) = joins(session)
    stays(session, id_)
    assert not waiting_callers.record_waiting(session, id_, "newer")
    assert not waiting_callers.is_there(session, id_, "newer")
    waiting_callers.leave(session, "newer")
    caller = waiting_callers.find(session, id_)
    assert caller and caller.channel == f"channel-{id_}"
    assert waiting_callers.is_there(session, id_, caller.channel)


@pytest.mark.parametrize("how", ["left", "stale", "lost"])
def test_newer_call_replaces_an_older_that_is_gone(session: Session, how: str) -> None:
    (id_,) = joins(session)
    stays(session, id_)
    older = session.get_one(WaitingCaller, id_)
    if how == "left":
        waiting_callers.leave(session, older.channel)
    elif how == "stale":
        older.seen_at -= waiting_callers.STALE + make.SECOND
    else:  # Asterisk has no such channel any more
        older.since -= make.MINUTE
        session.flush()
        waiting_callers.record_gone_except(session, set())
    session.flush()
    assert waiting_callers.record_waiting(session, id_, "newer")
    assert not waiting_callers.is_there(session, id_, f"channel-{id_}")
    caller = waiting_callers.find(session, id_)
    assert caller and caller.channel == "newer"


def test_silent_script_removes_its_caller(
    session: Session,
) -> None:
    first, second = joins(session, 2)
    stays(session, first, second)
    session.get_one(WaitingCaller, first).seen_at -= waiting_callers.STALE + make.SECOND
    session.flush()
    waiting_callers.leave_stale(session)
    assert waiting_callers.list_waiting_among(session, [first, second]) == {second}


def test_caller_without_a_channel_is_removed(session: Session) -> None:
    first, second, fresh = joins(session, 3)
    stays(session, first, second, fresh)
    for id_ in (first, second):
        session.get_one(WaitingCaller, id_).since -= make.MINUTE
    session.flush()
    waiting_callers.record_gone_except(session, {f"channel-{second}"})
    assert waiting_callers.list_waiting_among(session, [first, second, fresh]) == {second, fresh}


# --- what a caller is told ---


def test_first_caller_with_a_free_desk_is_told_now(
    session: Session,
) -> None:
    first, second = joins(session, 2)
    a_live_desk(session)
    assert waiting_callers.forecast_for(session, first).free
    told = waiting_callers.forecast_for(session, second)
    assert (told.before_me, told.free, told.minutes) == (1, False, None)


def test_estimate_grows_with_the_callers_ahead(
    session: Session,
) -> None:
    ids = joins(session, 4)
    stays(session, *ids)
    busy = a_live_desk(session)
    for _ in range(2):
        talked(session, 4, busy)
    make.a_callback(session, C.TALKING, person_at(session, busy)).round_id = operators_line(session).id
    session.flush()
    assert waiting_callers.forecast_for(session, ids[0]).minutes is None  # two say nothing yet
    for _ in range(18):
        talked(session, 4, busy)
    one, *_, four = minutes = [waiting_callers.forecast_for(session, id_).minutes or 0 for id_ in ids]
    assert minutes == sorted(minutes)
    assert 2 <= one <= 5 and 14 <= four <= 20
    for id_ in ids[:3]:
        waiting_callers.leave(session, f"channel-{id_}")
    assert waiting_callers.forecast_for(session, ids[3]).minutes == four + 1, "three must be called first"
    stays(session, *ids[:3])
    a_live_desk(session, phone_connected=False)
    assert waiting_callers.forecast_for(session, ids[3]).minutes == four
    make.a_callback(session, C.TALKING, person_at(session, a_live_desk(session)))  # of another line
    assert waiting_callers.forecast_for(session, ids[3]).minutes == four


def test_no_desk_means_no_estimate(session: Session) -> None:
    (id_,) = joins(session)
    desk = a_live_desk(session, phone_connected=False)
    for _ in range(20):
        talked(session, 4, desk)
    assert waiting_callers.forecast_for(session, id_) == (0, False, None)


def test_callers_in_rooms_count_as_trunk_channels(
    session: Session,
) -> None:
    callback = make.a_callback(session, C.TALKING)
    before = busy_numbers.count_callers(session)
    callback.on_the_line = True
    session.flush()
    assert busy_numbers.count_callers(session) == before + 1
    session.add(CallerNow(channel="x", number="", since=now(session)))
    heartbeats.beat(session, "ivr")
    assert busy_numbers.count_callers(session) == before + 2
