"""Callers who wait on the line and citizens who are called back: one line with one order."""

from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Registration, WaitingCaller
from db.states import CallbackState, Outcome
from hotline.callbacks import claims, closing, direct_routing, transitions, waiting_callers
from hotline.ledger.verify import verify
from hotline.line import busy_numbers, order
from hotline.trunk import call_caps
from settings import Settings
from tests import factories as make
from tests.hotline.callbacks.waiting_callers import a_live_desk, given, joins, operators_line, stays, talked
from tests.hotline.line.test_busy_numbers import dials, newest_call

C, O = CallbackState, Outcome  # noqa: E741


def ends(engine: Engine, settings: Settings, id_: int, outcome: Outcome) -> None:
    with writing(engine) as session:
        callback = transitions.find_by_registration(session, id_)
        assert callback and closing.close(session, callback.token, outcome, settings)


def test_waiting_caller_and_callbacks_are_served_in_order(engine: Engine, settings: Settings) -> None:
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
        waiting_callers.leave(session, f"channel-{waits}")
    assert given(engine) == []
    assert verify(engine).problems == []
    with reading(engine) as session:
        assert order.count_before(session, session.get_one(Registration, behind)) == 0


def test_free_desks_get_waiting_callers_in_line_order(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        ids = joins(session, 3)
        stays(session, *ids)
        desks = [a_live_desk(session).id for _ in range(2)]
    assert given(engine) == [(ids[0], desks[0], True), (ids[1], desks[1], True)]


def test_longest_idle_desk_gets_the_caller(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        just_spoke, spoke, never = (a_live_desk(session) for _ in range(3))
        talked(session, 50, just_spoke)
        talked(session, 10, spoke)
        ids = joins(session, 3)
        stays(session, *ids)
    assert [desk for _, desk, _ in given(engine)] == [never.id, spoke.id, just_spoke.id]


def test_concurrent_desks_get_no_caller_twice(engine: Engine) -> None:
    with writing(engine) as session:
        ids = joins(session, 4)
        stays(session, *ids)
        for _ in range(3):
            a_live_desk(session)

    def gives(_: int) -> None:
        with writing(engine) as session:
            direct_routing.give(session, may_dial=True)

    make.at_once(6, gives)
    assert sorted(id_ for id_, _, _ in given(engine)) == ids[:3]
    assert verify(engine).problems == []


def test_own_wait_on_the_line_does_not_mark_as_busy(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (id_,) = joins(session)
        number = session.get_one(Registration, id_).number
        other = make.a_registration(session, make.a_round(session), number=number)
    dials(engine, number)
    with reading(engine) as session:
        assert busy_numbers.list_busy(session, [id_, other.id]) == {id_, other.id}
    with writing(engine) as session:
        stays(session, id_)
    with reading(engine) as session:
        assert busy_numbers.list_busy(session, [id_, other.id]) == {other.id}
    with writing(engine) as session:
        desk = a_live_desk(session).id
    assert given(engine) == [(id_, desk, True)]


def test_overflow_caller_on_the_line_is_assigned(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        (id_,) = joins(session)
        number = session.get_one(Registration, id_).number
        token = f"left-{id_}"
        assert not isinstance(call_caps.claim_call(session, token, number, settings), call_caps.Cap)
        assert waiting_callers.record_waiting(session, id_, token)
        desk = a_live_desk(session).id
    dials(engine, number)
    assert given(engine) == [(id_, desk, True)]


def test_caller_who_hung_up_is_not_called_for_a_moment(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        hung_up, other = joins(session, 2)
        stays(session, hung_up)
        waiting_callers.leave(session, f"channel-{hung_up}")
        first, second = (make.a_user(session, make.a_desk(session)) for _ in range(2))
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=first.desk_id or 0, user_id=first.id
        )
        assert taken and taken.registration_id == other
    assert newest_call(engine) == {"passed": [hung_up], "engaged": [hung_up]}
    with writing(engine) as session:
        caller = session.get_one(WaitingCaller, hung_up)
        caller.left_at = now(session) - busy_numbers.PUTS_DOWN
        session.flush()
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=second.desk_id or 0, user_id=second.id
        )
        assert taken and taken.registration_id == hung_up
    assert verify(engine).problems == []


def test_missed_citizen_waiting_on_the_line_is_next(engine: Engine, settings: Settings) -> None:
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


def test_manual_desk_takes_the_waiting_caller_without_a_call(engine: Engine, settings: Settings) -> None:
    none = settings.model_copy(update={"calls_per_hour": 1})
    with writing(engine) as session:
        (waits,) = joins(session)
        stays(session, waits)
        user = make.a_user(session, make.a_desk(session))
        taken = claims.claim(
            session, round_id=operators_line(session).id, desk_id=user.desk_id or 0, user_id=user.id
        )
        assert taken and taken.state is C.CLAIMED and waiting_callers.is_on_the_line(session, taken)
        assert call_caps.claim_call(session, "callback-another", make.a_number(), none)
        assert transitions.ask_call(session, taken, none).state is C.DIALING
        closing.close(session, taken.token, O.RETURNED, none)
        assert waiting_callers.find(session, waits)  # and goes on waiting, first in the line
