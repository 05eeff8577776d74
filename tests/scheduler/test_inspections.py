"""The scheduler's slow checks: ends of certificates, and the ledger once a night."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Registration
from db.states import RegistrationState
from hotline import certificates, inspections
from scheduler.inspections import inspect_certificates, inspect_ledger
from settings import CITY, QuietHours, Settings
from tests.kit.story import Story

END = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def secure(settings: Settings) -> Settings:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    urls = {"public_url": "https://137.city.example", "websocket_url": "wss://137.city.example/ws"}
    return settings.model_copy(update=urls)


def _show(monkeypatch: pytest.MonkeyPatch, answer: datetime | Exception) -> None:
    def find_end(_host: str, _port: int) -> datetime:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(certificates, "find_end", find_end)


def test_ends_are_recorded_and_kept_while_nothing_answers(
    engine: Engine, secure: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = dict.fromkeys(("HOTLINE_PUBLIC_URL", "HOTLINE_WEBSOCKET_URL"), END.timestamp())
    _show(monkeypatch, END)
    inspect_certificates(engine, secure)
    assert inspections.read(secure).certificates == both
    _show(monkeypatch, ConnectionRefusedError())
    inspect_certificates(engine, secure)
    assert inspections.read(secure).certificates == both
    _show(monkeypatch, ssl.SSLCertVerificationError())
    inspect_certificates(engine, secure)
    assert set(inspections.read(secure).certificates.values()) == {0}
    inspect_certificates(engine, secure.model_copy(update={"public_url": "", "websocket_url": ""}))
    assert inspections.read(secure).certificates == {}, "an address that is gone needs no certificate"


def test_ledger_is_checked_at_night_and_its_problems_are_counted(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    story = Story(engine, settings)
    for _ in range(3):
        story.registers()
    with reading(engine) as session:
        at = now(session)
    night = settings.model_copy(update={"quiet_hours": _hours_of(at)})
    inspect_ledger(engine, night)
    assert inspections.read(settings).ledger_problems == 0
    first = inspections.read(settings).ledger_at
    assert abs(first - at.timestamp()) < 60

    with writing(engine) as session:
        session.execute(update(Registration).values(state=RegistrationState.CANCELLED))
    inspect_ledger(engine, night)
    assert inspections.read(settings).ledger_at == first, "once a night"
    inspections.write(settings, ledger_at=first - 21 * 3600)
    inspect_ledger(engine, night)
    assert inspections.read(settings).ledger_problems > 0
    assert "the ledger is not in order" in caplog.text


def test_ledger_rests_by_day_for_two_days_at_most(engine: Engine, settings: Settings) -> None:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with reading(engine) as session:
        at = now(session)
    day = settings.model_copy(update={"quiet_hours": _hours_of(at + timedelta(hours=12))})
    yesterday, long_ago = (at - timedelta(hours=hours) for hours in (30, 49))
    inspections.write(settings, ledger_at=yesterday.timestamp())
    inspect_ledger(engine, day)
    assert inspections.read(settings).ledger_at == yesterday.timestamp()
    inspections.write(settings, ledger_at=long_ago.timestamp())
    inspect_ledger(engine, day)
    assert inspections.read(settings).ledger_at >= at.timestamp()


def _hours_of(at: datetime) -> QuietHours:
    """Return quiet hours of an hour before and after this moment."""
    begin, end = ((at + timedelta(hours=hours)).astimezone(CITY).time() for hours in (-1, 1))
    return QuietHours(begin, end)
