"""Which desks are given a caller who waits on the line."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Desk, Role
from db.states import CallbackState
from hotline import heartbeats
from hotline.callbacks import assignment, direct_routing, transitions, waiting_callers
from hotline.rounds import phases
from tests import factories as make
from tests.hotline.callbacks.waiting_callers import (
    a_live_desk,
    given,
    joins,
    operators_line,
    person_at,
    stays,
)

C = CallbackState


def away(session: Session, desk: Desk) -> None:
    desk.phone_connected = False


def hears(session: Session, desk: Desk) -> None:
    desk.hears_desk_id = make.a_desk(session).id


def has_a_citizen(session: Session, desk: Desk) -> None:
    make.a_callback(session, C.ENDED, person_at(session, desk))


def serves_another(session: Session, desk: Desk) -> None:
    desk.round_id = make.a_round(session).id


def wants_the_next(session: Session, desk: Desk) -> None:
    desk.round_id, desk.next_asked_at = operators_line(session).id, now(session)


def has_nobody(session: Session, desk: Desk) -> None:
    person_at(session, desk).disabled_at = now(session)


def takes_none(session: Session, desk: Desk) -> None:
    desk.round_id = operators_line(session).id
    session.flush()
    direct_routing.set_live_calls(session, desk, takes=False)


def says_nothing(session: Session, desk: Desk) -> None:
    desk.takes_live = None


@pytest.mark.parametrize(
    "how",
    [
        *(away, hears, has_a_citizen, serves_another),
        *(wants_the_next, has_nobody, takes_none, says_nothing),
    ],
)
def test_desk_that_is_not_free_gets_no_caller(engine: Engine, how: Callable[[Session, Desk], None]) -> None:
    with writing(engine) as session:
        ids = joins(session)
        stays(session, *ids)
        desk = a_live_desk(session)
        how(session, desk)
        session.flush()
        assert not direct_routing.has_work(session)
        assert not waiting_callers.forecast_for(session, ids[0]).free
    assert [callback for callback in given(engine) if callback[0] in ids] == []


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.OFFICIAL])
def test_operators_desk_takes_live_calls_by_default(session: Session, role: Role) -> None:
    desk = a_live_desk(session, takes=None)
    person_at(session, desk).role = role
    assert not direct_routing.takes_live_calls(session, desk)
    desk.round_id = operators_line(session).id
    session.flush()
    assert direct_routing.takes_live_calls(session, desk) == (role is Role.OPERATOR)
    direct_routing.set_live_calls(session, desk, takes=role is not Role.OPERATOR)
    assert direct_routing.takes_live_calls(session, desk) == (role is not Role.OPERATOR)


def test_paused_line_assigns_no_caller(engine: Engine) -> None:
    with writing(engine) as session:
        stays(session, *joins(session))
        a_live_desk(session)
        phases.pause(session, operators_line(session))
    assert given(engine) == []


def test_caller_of_a_vanished_phone_goes_to_another_desk(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (id_,) = joins(session)
        stays(session, id_)
        first = a_live_desk(session)
    assert given(engine) == [(id_, first.id, True)]
    with writing(engine) as session:
        callback = transitions.find_by_registration(session, id_)
        assert callback
        callback.on_the_line = True
        transitions.move(session, callback.token, C.WAITING)
        waiting_callers.leave(session, f"channel-{id_}")
        heartbeats.record_phone(session, first.id, None)
        assert assignment.take_back(session) == 1
        assert waiting_callers.count_waiting(session)[0] == 1
        second = a_live_desk(session).id
    assert given(engine) == [(id_, second, True)]


def test_caller_being_hung_up_is_not_assigned(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        leaves, _not_on_the_line = joins(session, 2)
        stays(session, leaves)
        a_live_desk(session)
    given(engine)
    with writing(engine) as session:
        callback = transitions.find_by_registration(session, leaves)
        assert callback
        callback.on_the_line, callback.desk_id, callback.user_id = True, None, None
        transitions.move(session, callback.token, C.WAITING, hangup_asked_at=now(session))
        waiting_callers.leave(session, f"channel-{leaves}")
        assert not direct_routing.has_work(session)
    assert given(engine) == [(leaves, None, True)]
