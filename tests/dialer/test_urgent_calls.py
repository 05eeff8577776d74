"""The dialer calls supervisors, and the emergency service: once each, by the one way out, by all caps."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import PlacedCall, RescueCall, UrgentMatter
from hotline.callbacks import rescue_calls
from hotline.requests import urgent
from hotline.trunk import circuit_breaker
from settings import Settings
from tests import factories as make
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import FakeManager

SUPERVISOR, SERVICE, CALLER = "+989130000001", "125", "1700000000.7"


@pytest.fixture
def city(office: Office, settings: Settings) -> Office:
    """It has a supervisor, and an emergency service."""
    more = {"supervisor_numbers": (SUPERVISOR,), "urgent_number": SERVICE}
    office._settings = settings.model_copy(update=more)
    office.restart()
    return office


def late(office: Office) -> None:
    """Nobody has taken an urgent request for five minutes."""
    with writing(office.engine) as session:
        request = make.a_request(session)
        made_at = now(session) - timedelta(minutes=5)
        session.add(UrgentMatter(request_id=request.id, made_at=made_at))


def matter(office: Office) -> UrgentMatter:
    with reading(office.engine) as session:
        return session.scalars(select(UrgentMatter)).one()


def in_danger(office: Office, channel: str = CALLER) -> str:
    """A caller is to be connected with the emergency service; the token of the call."""
    with writing(office.engine) as session:
        one = urgent.record_from_caller(session, make.a_number())
        return rescue_calls.ask(session, one.id, channel).token


def rescue(office: Office, token: str) -> RescueCall:
    with reading(office.engine) as session:
        return session.get_one(RescueCall, token)


def is_open(office: Office) -> bool:
    with reading(office.engine) as session:
        return bool(urgent.list_open(session))


def test_overdue_matter_calls_the_supervisor_once(city: Office, manager: FakeManager) -> None:
    late(city)
    city.until(lambda: manager.named("Originate"))
    city.until_at_rest()
    city.restart()
    city.until_at_rest()
    (placed,) = manager.named("Originate")
    assert placed["Channel"] == f"Local/{SUPERVISOR}@dial/n"
    assert (placed["ChannelId"], placed["Context"]) == (matter(city).token, "urgent")
    token = matter(city).token or ""
    manager.hangs_up(token)
    city.until(lambda: matter(city).token is None)
    city.until_at_rest()
    assert (matter(city).tries, len(manager.named("Originate"))) == (1, 1)


@on_sqlite
def test_urgent_call_during_an_outage_costs_no_attempt(city: Office, manager: FakeManager) -> None:
    manager.refused = {"Originate": "Permission denied"}
    late(city)
    city.until(lambda: manager.named("Originate"))
    city.until(lambda: matter(city).token is None)
    assert matter(city).tries == 0


def rang(office: Office, calls: int, ago: timedelta) -> None:
    """The supervisor was called so often, so long ago."""
    with writing(office.engine) as session:
        at = now(session) - ago
        for n in range(calls):
            session.add(PlacedCall(token=f"urgent-{n}", number=SUPERVISOR, at=at, ended_at=at))


@on_sqlite
def test_forged_requests_do_not_use_up_the_supervisors_calls(city: Office, manager: FakeManager) -> None:
    rang(city, 30, timedelta(hours=2))
    late(city)
    city.until(lambda: manager.named("Originate"))
    assert matter(city).tries == 1


@on_sqlite
def test_supervisor_at_the_hourly_cap_costs_no_attempt(city: Office, manager: FakeManager) -> None:
    rang(city, 12, timedelta(minutes=30))
    late(city)
    city.until(lambda: matter(city).again_at)
    assert (matter(city).tries, matter(city).token, manager.named("Originate")) == (0, None, [])


def test_rescue_call_connects_the_emergency_service(city: Office, manager: FakeManager) -> None:
    token = in_danger(city)
    city.until(lambda: manager.named("Originate"))
    (placed,) = manager.named("Originate")
    assert (placed["Channel"], placed["Context"]) == (f"Local/{SERVICE}@dial/n", "rescuer")
    assert placed["Variable"] == f"HOTLINE_MEETS={CALLER}"
    assert is_open(city)
    manager.ringing(token)
    manager.stage(token, "answered")
    city.until(lambda: rescue(city, token).connected_at)
    assert not is_open(city)
    manager.hangs_up(token)
    city.until(lambda: rescue(city, token).ended_at)
    city.restart()
    city.until_at_rest()
    assert len(manager.named("Originate")) == 1


@on_sqlite
def test_rescue_answered_after_the_hang_up_stays_open(city: Office, manager: FakeManager) -> None:
    token = in_danger(city)
    city.until(lambda: manager.named("Originate"))
    manager.ringing(token)
    manager.stage(token, "answered")
    manager.stage(token, "alone")
    city.until(lambda: rescue(city, token).connected_at is None and is_open(city))


@on_sqlite
def test_unknown_emergency_number_opens_no_breaker(city: Office, manager: FakeManager) -> None:
    for channel in ("1.1", "1.2", "1.3", "1.4"):
        token = in_danger(city, channel)
        city.until(lambda token=token: rescue(city, token).placed_at)
        manager.refuses(token, 503)
        city.until(lambda token=token: rescue(city, token).ended_at)
    with reading(city.engine) as session:
        assert circuit_breaker.count_allowed(session) is None
    assert is_open(city)
