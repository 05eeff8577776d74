"""Waiting for an operator on the line, and being called back: one line with one order."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, CallerNow, Desk, Registration, Role, Round, WaitingCaller
from db.states import CallbackState, Outcome, RegistrationState
from hotline import heartbeats
from hotline.callbacks import assignment, callbacks, claims, closing, live_desks, on_the_line, toll
from hotline.ledger.verify import verify
from hotline.line import engaged, line, registration
from hotline.rounds import round_permissions, rounds
from settings import Settings
from tests import factories as make
from tests.hotline.line.test_engaged import dials, newest_call

C, R, O = CallbackState, RegistrationState, Outcome  # noqa: E741


def operators_line(session: Session) -> Round:
    return rounds.operators_line(session)


def joins(session: Session, count: int = 1) -> list[int]:
    """So many join the operators' line."""
    return [
        registration.register(
            session, round_id=operators_line(session).id, number=make.a_number(), tell=False
        ).registration_id
        for _ in range(count)
    ]


def stays(session: Session, *ids: int) -> None:
    for id_ in ids:
        assert on_the_line.stay(session, id_, f"channel-{id_}")


def a_live_desk(session: Session, takes: bool | None = True, **values: Any) -> Desk:
    desk = make.a_desk(session)
    make.a_user(session, desk)
    for name, value in {"takes_live": takes, **values}.items():
        setattr(desk, name, value)
    session.flush()
    return desk


def given(engine: Engine, *, may_dial: bool = True) -> list[tuple[int, int | None, bool]]:
    """Whom the free desks get: the place, the desk, and whether they are on the line."""
    while True:
        with writing(engine) as session:
            if not live_desks.give(session, may_dial=may_dial):
                break
    with reading(engine) as session:
        live = session.scalars(select(Callback).where(Callback.state != C.CLOSED).order_by(Callback.id))
        return [(c.registration_id, c.desk_id, on_the_line.is_on_the_line(session, c)) for c in live]


def ends(engine: Engine, settings: Settings, id_: int, outcome: Outcome) -> None:
    with writing(engine) as session:
        callback = callbacks.of_registration(session, id_)
        assert callback and closing.close(session, callback.token, outcome, settings)


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


def test_given_two_calls_for_one_place_when_both_stay_then_the_newer_one_counts(session: Session) -> None:
    (id_,) = joins(session)
    stays(session, id_)
    assert on_the_line.stay(session, id_, "newer")
    assert not on_the_line.is_there(session, id_, f"channel-{id_}")
    on_the_line.leave(session, f"channel-{id_}")
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


# --- one line, one order ---


def test_given_who_waits_behind_who_is_called_back_when_a_desk_is_free_then_each_comes_in_turn(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        called_back, waits, behind = joins(session, 3)
        desk = a_live_desk(session).id
    assert given(engine) == []  # nobody waits on the line
    with writing(engine) as session:
        stays(session, waits)
    assert given(engine, may_dial=False) == []  # nobody passes who cannot be called now
    assert given(engine) == [(called_back, desk, False)]
    ends(engine, settings, called_back, O.REACHED)
    assert given(engine) == [(waits, desk, True)]
    ends(engine, settings, waits, O.REACHED)
    with writing(engine) as session:
        on_the_line.leave(session, f"channel-{waits}")
    assert given(engine) == []
    assert verify(engine).problems == []
    with reading(engine) as session:
        assert line.before_me(session, session.get_one(Registration, behind)) == 0


def test_given_callers_who_wait_when_desks_are_free_then_each_desk_has_one_in_the_order_of_the_line(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        ids = joins(session, 3)
        stays(session, *ids)
        desks = [a_live_desk(session).id for _ in range(2)]
    assert given(engine) == [(ids[0], desks[0], True), (ids[1], desks[1], True)]


def test_given_free_desks_when_a_caller_waits_then_the_one_that_was_idle_longest_has_them(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        just_spoke, spoke, never = (a_live_desk(session) for _ in range(3))
        talked(session, 50, just_spoke)
        talked(session, 10, spoke)
        ids = joins(session, 3)
        stays(session, *ids)
    assert [desk for _, desk, _ in given(engine)] == [never.id, spoke.id, just_spoke.id]


def test_given_desks_that_look_at_once_when_callers_wait_then_nobody_is_given_twice(engine: Engine) -> None:
    with writing(engine) as session:
        ids = joins(session, 4)
        stays(session, *ids)
        for _ in range(3):
            a_live_desk(session)

    def gives(_: int) -> None:
        with writing(engine) as session:
            live_desks.give(session, may_dial=True)

    make.at_once(6, gives)
    assert sorted(id_ for id_, _, _ in given(engine)) == ids[:3]
    assert verify(engine).problems == []


def test_given_a_caller_on_the_line_when_their_turn_comes_then_they_are_not_engaged_for_this_place_alone(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (id_,) = joins(session)
        number = session.get_one(Registration, id_).number
        other = make.a_registration(session, make.a_round(session), number=number)
    dials(engine, number)
    with reading(engine) as session:
        assert engaged.among(session, [id_, other.id]) == {id_, other.id}
    with writing(engine) as session:
        stays(session, id_)
    with reading(engine) as session:
        assert engaged.among(session, [id_, other.id]) == {other.id}
    with writing(engine) as session:
        desk = a_live_desk(session).id
    assert given(engine) == [(id_, desk, True)]


def test_given_who_hung_up_when_a_desk_takes_the_next_then_their_phone_is_left_in_peace_for_a_moment(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        hung_up, other = joins(session, 2)
        stays(session, hung_up)
        on_the_line.leave(session, f"channel-{hung_up}")
        first, second = (make.a_user(session, make.a_desk(session)) for _ in range(2))
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=first.desk_id or 0, user_id=first.id
        )
        assert taken and taken.registration_id == other
    assert newest_call(engine) == {"passed": [hung_up], "engaged": [hung_up]}
    with writing(engine) as session:
        caller = session.get_one(WaitingCaller, hung_up)
        caller.left_at = now(session) - engaged.PUTS_DOWN
        session.flush()
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=second.desk_id or 0, user_id=second.id
        )
        assert taken and taken.registration_id == hung_up
    assert verify(engine).problems == []


def test_given_a_missed_call_whose_wait_is_not_over_when_its_citizen_waits_on_the_line_then_they_are_next(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        missed, _ = joins(session, 2)
        user = make.a_user(session, make.a_desk(session))
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=user.desk_id or 0, user_id=user.id
        )
        assert taken and taken.registration_id == missed
        closing.close(session, taken.token, O.NO_ANSWER, settings)
        assert session.get_one(Registration, missed).not_before
        stays(session, missed)
        desk = a_live_desk(session).id
    assert given(engine) == [(missed, desk, True)]
    assert verify(engine).problems == []


def test_given_a_desk_that_works_by_hand_when_it_takes_the_next_then_who_waits_needs_no_call(
    engine: Engine, settings: Settings
) -> None:
    none = settings.model_copy(update={"calls_per_hour": 1})
    with writing(engine) as session:
        (waits,) = joins(session)
        stays(session, waits)
        user = make.a_user(session, make.a_desk(session))
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=user.desk_id or 0, user_id=user.id
        )
        assert taken and taken.state is C.CLAIMED and on_the_line.is_on_the_line(session, taken)
        assert toll.take(session, "callback-another", make.a_number(), none)
        assert callbacks.ask_call(session, taken, none).state is C.DIALING
        closing.close(session, taken.token, O.RETURNED, none)
        assert on_the_line.find(session, waits)  # and goes on waiting, first in the line


# --- which desks ---


def away(session: Session, desk: Desk) -> None:
    desk.phone_connected = False


def hears(session: Session, desk: Desk) -> None:
    desk.hears_desk_id = make.a_desk(session).id


def has_a_citizen(session: Session, desk: Desk) -> None:
    make.a_callback(session, C.ENDED, callback_user(session, desk))


def serves_another(session: Session, desk: Desk) -> None:
    desk.round_id = make.a_round(session).id


def wants_the_next(session: Session, desk: Desk) -> None:
    desk.round_id, desk.next_asked_at = operators_line(session).id, now(session)


def has_nobody(session: Session, desk: Desk) -> None:
    callback_user(session, desk).disabled_at = now(session)


def takes_none(session: Session, desk: Desk) -> None:
    desk.round_id = operators_line(session).id
    session.flush()
    live_desks.say(session, desk, takes=False)


def says_nothing(session: Session, desk: Desk) -> None:
    desk.takes_live = None


def callback_user(session: Session, desk: Desk) -> Any:
    user = round_permissions.at_desk(session, desk.id)
    assert user
    return user


@pytest.mark.parametrize(
    "how",
    [
        *(away, hears, has_a_citizen, serves_another),
        *(wants_the_next, has_nobody, takes_none, says_nothing),
    ],
)
def test_given_a_desk_that_is_not_free_when_a_caller_waits_then_it_is_left_alone(
    engine: Engine, how: Callable[[Session, Desk], None]
) -> None:
    with writing(engine) as session:
        ids = joins(session)
        stays(session, *ids)
        desk = a_live_desk(session)
        how(session, desk)
        session.flush()
        assert not live_desks.has_work(session)
        assert not on_the_line.outlook(session, ids[0]).free
    assert [callback for callback in given(engine) if callback[0] in ids] == []


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.OFFICIAL])
def test_given_a_desk_that_has_not_said_when_it_serves_the_operators_line_then_an_operators_takes_live_calls(
    session: Session, role: Role
) -> None:
    desk = a_live_desk(session, takes=None)
    callback_user(session, desk).role = role
    assert not live_desks.takes_live(session, desk)
    desk.round_id = operators_line(session).id
    session.flush()
    assert live_desks.takes_live(session, desk) == (role is Role.OPERATOR)
    live_desks.say(session, desk, takes=role is not Role.OPERATOR)
    assert live_desks.takes_live(session, desk) == (role is not Role.OPERATOR)


def test_given_a_paused_line_when_a_caller_waits_then_nobody_is_given(engine: Engine) -> None:
    with writing(engine) as session:
        stays(session, *joins(session))
        a_live_desk(session)
        rounds.pause(session, operators_line(session))
    assert given(engine) == []


def test_given_a_desk_whose_phone_goes_before_they_meet_when_another_is_free_then_it_has_them(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (id_,) = joins(session)
        stays(session, id_)
        first = a_live_desk(session)
    assert given(engine) == [(id_, first.id, True)]
    with writing(engine) as session:
        callback = callbacks.of_registration(session, id_)
        assert callback
        callback.on_the_line = True
        callbacks.move(session, callback.token, C.WAITING)
        on_the_line.leave(session, f"channel-{id_}")
        heartbeats.phone_connected(session, first.id, None)
        assert assignment.take_back(session) == 1
        assert on_the_line.waiting(session)[0] == 1
        second = a_live_desk(session).id
    assert given(engine) == [(id_, second, True)]


def test_given_a_caller_who_is_being_hung_up_when_a_desk_is_free_then_nobody_is_called_for_it(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        leaves, _not_on_the_line = joins(session, 2)
        stays(session, leaves)
        a_live_desk(session)
    given(engine)
    with writing(engine) as session:
        callback = callbacks.of_registration(session, leaves)
        assert callback
        callback.on_the_line, callback.desk_id, callback.user_id = True, None, None
        callbacks.move(session, callback.token, C.WAITING, hangup_asked_at=now(session))
        on_the_line.leave(session, f"channel-{leaves}")
        assert not live_desks.has_work(session)
    assert given(engine) == [(leaves, None, True)]


# --- what a caller is told ---


def talked(session: Session, minutes: float, desk: Desk) -> None:
    """A conversation of the operators' line that lasted so long."""
    at = now(session)
    registration = make.a_registration(session, operators_line(session), state=R.REACHED)
    began = at - timedelta(hours=1)
    session.add(
        Callback(
            registration=registration,
            round_id=registration.round_id,
            desk_id=desk.id,
            token=f"callback-{registration.id}",
            state=C.CLOSED,
            outcome=O.REACHED,
            claimed_at=began,
            placed_at=began,
            talking_at=began,
            ended_at=began + timedelta(minutes=minutes),
        )
    )
    session.flush()


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
    make.a_callback(session, C.TALKING, callback_user(session, busy)).round_id = operators_line(session).id
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
    make.a_callback(session, C.TALKING, callback_user(session, a_live_desk(session)))  # of another line
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
