"""Calls made ahead and the caps on them: what is not placed costs nobody a place."""

from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import PlacedCall, Registration, Round
from db.states import CallbackState, Outcome, RegistrationState
from dialer import call_ahead
from dialplan.variables import CAPPED_CAUSE
from hotline.callbacks import claims, closing, transitions
from settings import Settings
from tests import factories as make
from tests.dialer.hall import Hall
from tests.dialer.office import on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


@on_sqlite
def test_busy_trunk_channels_take_nobody_out_of_the_line(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall(settings.model_copy(update={"calls_at_once": 2}), engine, manager)
    monkeypatch.setattr(call_ahead.round_statistics, "count_calls_wanted", hall.calls_wanted)
    try:
        hall.wanted = 5
        hall.until(lambda: len(manager.named("Originate")) == 2)
        hall.until_at_rest()
        assert len(manager.named("Originate")) == len(hall.live()) == 2
        hall.wanted = 1
        manager.refuses(manager.named("Originate")[0]["ChannelId"], 486)
        hall.until(lambda: len(manager.named("Originate")) == 3)
        assert hall.live()[-1].registration_id == hall.line[2]
    finally:
        hall.close()


@on_sqlite
def test_cap_reached_at_the_last_moment_returns_the_call(
    hall: Hall, manager: FakeManager, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(hall.engine) as session:
        made = claims.call_ahead(session, session.get_one(Round, hall.round_id))
        for number in range(settings.calls_at_once):
            session.add(PlacedCall(token=f"x{number}", number=f"+98913{number:07}", at=now(session)))
    assert made is not None
    hall._dialer._placing.place(made.token)
    assert hall.ended_with(made.token) == (O.RETURNED, R.WAITING, 0)
    assert hall.callback(made.token).registration.not_before is None
    assert manager.named("Originate") == []
    held_back = [
        (r.levelname, r.getMessage()) for r in caplog.records if "no call is placed" in r.getMessage()
    ]
    assert held_back == [("WARNING", "no call is placed now: at-once")]


def _is_called_so_often(session: Session, number: str, settings: Settings) -> datetime:
    """Strangers have used up the number's calls of the day; when."""
    at = now(session)
    for which in range(settings.calls_per_number):
        session.add(PlacedCall(token=f"x{which}", number=number, at=at, ended_at=at))
    return at


@on_sqlite
def test_place_whose_number_was_called_so_often_has_its_call(hall: Hall, settings: Settings) -> None:
    with writing(hall.engine) as session:
        _is_called_so_often(session, session.get_one(Registration, hall.line[0]).number, settings)
    token = hall.dials()
    assert hall.callback(token).registration_id == hall.line[0]


@on_sqlite
def test_place_that_had_its_call_is_passed_over_for_a_day(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    first_call = hall.dials()
    manager.hangs_up(first_call, CAPPED_CAUSE)
    hall.until(lambda: hall.state(first_call) is C.CLOSED)
    with writing(hall.engine) as session:
        session.get_one(PlacedCall, first_call).ours = False  # as if the phone had rung
        at = _is_called_so_often(session, session.get_one(Registration, hall.line[0]).number, settings)
    token = hall.dials()
    assert hall.callback(token).registration_id == hall.line[1]
    with reading(hall.engine) as session:
        first = session.get_one(Registration, hall.line[0])
        assert (first.state, first.last_outcome, first.attempts) == (R.WAITING, O.FAILED, 0)
        assert first.not_before is not None
        assert first.not_before > at + 23 * make.HOUR


@on_sqlite
def test_call_refused_by_the_dialplan_cap_was_never_made(hall: Hall, manager: FakeManager) -> None:
    token = hall.dials()
    manager.hangs_up(token, CAPPED_CAUSE)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)


@on_sqlite
def test_citizen_in_a_room_after_the_callback_is_hung_up(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    talking = hall.brings(C.TALKING)
    with writing(hall.engine) as session:
        transitions.move(session, talking, C.ENDED)
        closing.close(session, talking, O.REACHED, settings)
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [talking])
