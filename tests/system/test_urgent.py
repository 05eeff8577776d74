"""In danger with nobody at a desk, on the real Asterisk: the emergency service, or a supervisor."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import Desk, PlacedCall, RescueCall, UrgentMatter
from hotline import audit
from hotline.requests import urgent
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.running import SERVICE, SUPERVISOR
from tests.kit.sound import a_tone
from tests.kit.system import System

CALLER_HZ, SERVICE_HZ = 440, 1000
HEARD = 0.1


@pytest.fixture(autouse=True)
def nobody_at_a_desk(system: System) -> Iterator[None]:
    """No desk takes live calls; what is open at the end nobody is called for."""
    with writing(system.engine) as session:
        for desk in session.scalars(select(Desk)):
            desk.takes_live = False
    yield
    with writing(system.engine) as session:
        for matter in urgent.list_open(session):
            urgent.take(session, matter.id, who="test")


def newest(system: System) -> UrgentMatter:
    with reading(system.engine) as session:
        return session.scalars(select(UrgentMatter).order_by(UrgentMatter.id.desc()).limit(1)).one()


def rescue(system: System) -> RescueCall:
    with reading(system.engine) as session:
        return session.scalars(select(RescueCall).order_by(RescueCall.asked_at.desc()).limit(1)).one()


def is_open(system: System) -> bool:
    with reading(system.engine) as session:
        return bool(urgent.list_open(session))


def in_danger(caller: Caller) -> float:
    """The caller says so; when."""
    caller.call()
    caller.at("greeting", "3")
    caller.at("report-danger", "0")
    return time.monotonic()


def test_danger_with_no_desk_connects_the_emergency_service(system: System, tmp_path: Path) -> None:
    with (
        Caller(system, SERVICE, port=system.trunk_port, sound=a_tone(tmp_path, SERVICE_HZ)) as service,
        Caller(system, system.number(), sound=a_tone(tmp_path, CALLER_HZ)) as caller,
    ):
        since = in_danger(caller)
        service.wait_for_call()
        rang = time.monotonic() - since
        assert is_open(system)
        service.answer()
        for who, hz in ((caller, SERVICE_HZ), (service, CALLER_HZ)):
            sound.until_heard(
                lambda who=who, hz=hz: sound.tone_level(who.recording().part(-1.0), hz) > HEARD,
                f"{who.number} hears the other",
                20,
            )
        print(f"danger: rang after {rang:.2f} s, both hear after {time.monotonic() - since:.2f} s")  # noqa: T201
        until(lambda: not is_open(system), "nobody else has to see to them")
        service.hangup()
        caller.wait_for("closed")
        until(lambda: rescue(system).ended_at, "the call is over")
    with reading(system.engine) as session:
        placed = session.scalars(select(PlacedCall).where(PlacedCall.number == SERVICE)).all()
    assert [(call.token, call.ended_at is not None) for call in placed] == [(rescue(system).token, True)]


def test_busy_emergency_service_calls_a_supervisor(
    system: System,
) -> None:
    with Caller(system, system.number()) as caller:
        with Caller(system, SERVICE, port=system.trunk_port) as service:
            in_danger(caller)
            service.wait_for_call()
            service.reject()
            caller.at("urgent-number")
        number = caller.number
    matter = newest(system)
    assert (matter.number, is_open(system)) == (f"+98{number[1:]}", True)
    with Caller(system, f"0{SUPERVISOR[3:]}", port=system.trunk_port) as supervisor:
        with writing(system.engine) as session:
            session.get_one(UrgentMatter, matter.id).made_at = now(session) - timedelta(minutes=5)
        since = time.monotonic()
        supervisor.wait_for_call(timeout=30)
        print(f"late: the supervisor's phone rang after {time.monotonic() - since:.2f} s")  # noqa: T201
        supervisor.answer()
        supervisor.at("urgent-call-question", "1")
        until(lambda: newest(system).taken_by == audit.SUPERVISOR, "it is taken", 40)
        supervisor.wait_for("closed")
    assert not is_open(system)
