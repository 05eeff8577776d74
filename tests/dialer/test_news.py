"""Changes of the database wake the dialer, unless there is nobody to serve."""

import pytest
from asterisk.ami.event import Event
from sqlalchemy import Engine

from db.engine import writing
from db.models import Round
from dialer import polling
from dialer.call_ahead import CallAhead
from hotline.line import registration
from hotline.rounds import phases
from tests import factories as make
from tests.dialer.office import DESK_CHANNEL, Office
from tests.kit.fake_manager import FakeManager


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each time that the dialer looked whom it should call."""
    seen: list[int] = []
    match = CallAhead.match
    monkeypatch.setattr(CallAhead, "match", lambda self: (seen.append(1), match(self))[1])
    return seen


def registers(engine: Engine, round_id: int) -> None:
    with writing(engine) as session:
        registration.register(session, round_id=round_id, number=make.a_number())


def test_rush_without_a_desk_does_not_wake_the_dialer(
    office: Office, engine: Engine, manager: FakeManager, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    office.until_heard()
    for desk in ("desk.1", "desk.2"):
        manager.hangs_up(desk)
    office.until(lambda: not (office.phone_connected(1) or office.phone_connected(2)))
    with writing(engine) as session:
        round_id = make.a_round(session).id
    office.step()
    for name in ("CALM_S", "REST_S", "EMPTY_S"):
        monkeypatch.setattr(polling, name, 60.0)
    office.until(lambda: _rests(office, looks))

    for _ in range(3):
        registers(engine, round_id)
        office.step()
    assert not looks

    with writing(engine) as session:
        phases.pause(session, session.get_one(Round, round_id))
    office.step()
    assert looks, "whatever else is changed may be for it"

    manager.joins("desk.1", DESK_CHANNEL)
    office.until(office.phone_connected)
    office.until(lambda: _rests(office, looks))
    registers(engine, round_id)
    office.step()
    assert looks, "somebody is there for whom this citizen may be the next one"


def _rests(office: Office, looks: list[int]) -> bool:
    looks.clear()
    office.step()
    return not looks


def test_hold_events_do_not_wake_the_dialer(
    office: Office, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CALM_S", "REST_S", "EMPTY_S"):
        monkeypatch.setattr(polling, name, 60.0)
    office.until_heard()
    office.until(lambda: _rests(office, looks))

    for _ in range(3):
        office.ami.events.put(Event("Unhold"))
        office.step()
    assert not looks
