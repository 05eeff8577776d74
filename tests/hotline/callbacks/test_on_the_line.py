"""Waiting for an operator on the line: who stays, and what they are told."""

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import CallerNow, Registration, WaitingCaller
from db.states import CallbackState, RegistrationState
from hotline import heartbeats
from hotline.callbacks import on_the_line
from hotline.line import engaged
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


def test_given_a_caller_when_they_stay_and_leave_then_so_it_is_written(session: Session) -> None:
    (id_,) = joins(session)
    assert on_the_line.find(session, id_) is None
    stays(session, id_)
    caller = on_the_line.find(session, id_)
    assert caller and caller.channel == f"channel-{id_}"
    assert on_the_line.is_there(session, id_, caller.channel)
    assert on_the_line.waiting(session) == (1, caller.since)

    on_the_line.leave(session, "a channel of somebody else")
    assert on_the_line.find(session, id_)
    on_the_line.leave(session, caller.channel)
    assert on_the_line.find(session, id_) is None
    assert on_the_line.waiting(session) == (0, None)
    assert on_the_line.is_there(session, id_, caller.channel)  # was only believed to be gone
    assert on_the_line.find(session, id_)


def test_given_a_caller_who_has_left_when_it_is_told_again_or_they_are_back_then_each_counts_once(
    session: Session,
) -> None:
    (id_,) = joins(session)
    stays(session, id_)
    on_the_line.leave(session, f"channel-{id_}")
    caller = session.get_one(WaitingCaller, id_, populate_existing=True)
    left = caller.left_at = now(session) - make.SECOND
    session.flush()
    on_the_line.leave(session, f"channel-{id_}")
    session.refresh(caller)
    assert caller.left_at == left, "the phone is left in peace for no longer"

    seen = make.newest_event(session)
    stays(session, id_)
    assert len(make.told(session, seen)) == 1, "the pages see that they are back"
    stays(session, id_)
    assert len(make.told(session, seen)) == 1


def test_given_a_place_that_is_over_when_its_caller_would_stay_then_they_do_not(session: Session) -> None:
    (id_,) = joins(session)
    session.get_one(Registration, id_).state = R.CANCELLED
    assert not on_the_line.stay(session, id_, "channel")
    assert not on_the_line.stay(session, 999_999, "channel")


def test_newer_call_does_not_replace_an_older_that_is_there(session: Session) -> None:
    """Caller ID is easily forged."""
    (id_,) = joins(session)
    stays(session, id_)
    assert not on_the_line.stay(session, id_, "newer")
    assert not on_the_line.is_there(session, id_, "newer")
    on_the_line.leave(session, "newer")
    caller = on_the_line.find(session, id_)
    assert caller and caller.channel == f"channel-{id_}"
    assert on_the_line.is_there(session, id_, caller.channel)


@pytest.mark.parametrize("how", ["left", "stale", "lost"])
def test_newer_call_replaces_an_older_that_is_gone(session: Session, how: str) -> None:
    (id_,) = joins(session)
    stays(session, id_)
    older = session.get_one(WaitingCaller, id_)
    if how == "left":
        on_the_line.leave(session, older.channel)
    elif how == "stale":
        older.seen_at -= on_the_line.STALE + make.SECOND
    else:  # Asterisk has no such channel any more
        older.since -= make.MINUTE
        session.flush()
        on_the_line.only(session, set())
    session.flush()
    assert on_the_line.stay(session, id_, "newer")
    assert not on_the_line.is_there(session, id_, f"channel-{id_}")
    caller = on_the_line.find(session, id_)
    assert caller and caller.channel == "newer"


def test_given_a_script_that_says_nothing_for_long_when_looked_at_then_its_caller_is_not_believed(
    session: Session,
) -> None:
    first, second = joins(session, 2)
    stays(session, first, second)
    session.get_one(WaitingCaller, first).seen_at -= on_the_line.STALE + make.SECOND
    session.flush()
    on_the_line.leave_stale(session)
    assert on_the_line.among(session, [first, second]) == {second}


def test_given_an_asterisk_without_the_channel_when_asked_then_the_caller_is_gone(session: Session) -> None:
    first, second, fresh = joins(session, 3)
    stays(session, first, second, fresh)
    for id_ in (first, second):
        session.get_one(WaitingCaller, id_).since -= make.MINUTE
    session.flush()
    on_the_line.only(session, {f"channel-{second}"})
    assert on_the_line.among(session, [first, second, fresh]) == {second, fresh}


# --- what a caller is told ---


def test_given_a_free_desk_when_nobody_stands_before_then_the_caller_hears_that_it_is_now(
    session: Session,
) -> None:
    first, second = joins(session, 2)
    a_live_desk(session)
    assert on_the_line.outlook(session, first).free
    told = on_the_line.outlook(session, second)
    assert (told.before_me, told.free, told.minutes) == (1, False, None)


def test_given_conversations_of_late_when_desks_are_busy_then_the_estimate_grows_with_who_stands_before(
    session: Session,
) -> None:
    ids = joins(session, 4)
    stays(session, *ids)
    busy = a_live_desk(session)
    for _ in range(2):
        talked(session, 4, busy)
    make.a_callback(session, C.TALKING, person_at(session, busy)).round_id = operators_line(session).id
    session.flush()
    assert on_the_line.outlook(session, ids[0]).minutes is None  # two say nothing yet
    for _ in range(18):
        talked(session, 4, busy)
    one, *_, four = minutes = [on_the_line.outlook(session, id_).minutes or 0 for id_ in ids]
    assert minutes == sorted(minutes)
    assert 2 <= one <= 5 and 14 <= four <= 20
    for id_ in ids[:3]:
        on_the_line.leave(session, f"channel-{id_}")
    assert on_the_line.outlook(session, ids[3]).minutes == four + 1, "three must be called first"
    stays(session, *ids[:3])
    a_live_desk(session, phone_connected=False)
    assert on_the_line.outlook(session, ids[3]).minutes == four
    make.a_callback(session, C.TALKING, person_at(session, a_live_desk(session)))  # of another line
    assert on_the_line.outlook(session, ids[3]).minutes == four


def test_given_nobody_at_the_desks_when_a_caller_asks_then_no_estimate_is_made_up(session: Session) -> None:
    (id_,) = joins(session)
    desk = a_live_desk(session, phone_connected=False)
    for _ in range(20):
        talked(session, 4, desk)
    assert on_the_line.outlook(session, id_) == (0, False, None)


def test_given_callers_in_the_desks_rooms_when_the_trunk_is_counted_then_they_hold_a_channel(
    session: Session,
) -> None:
    callback = make.a_callback(session, C.TALKING)
    before = engaged.callers(session)
    callback.on_the_line = True
    session.flush()
    assert engaged.callers(session) == before + 1
    session.add(CallerNow(channel="x", number="", since=now(session)))
    heartbeats.beat(session, "ivr")
    assert engaged.callers(session) == before + 2
