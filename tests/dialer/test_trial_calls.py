"""The dialer places an administrator's test call once, and writes down each step that it hears of."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import PlacedCall, TrialCall, TrialResult
from dialplan.variables import CAPPED_CAUSE
from hotline.errors import Refused
from hotline.setup import trial_calls
from hotline.trunk import circuit_breaker
from settings import Settings
from tests.dialer.office import LONG_AGO, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

R = TrialResult
NUMBER = "+989131234567"


def ask(session: Session, settings: Settings, trunk: str = "") -> None:
    trial_calls.ask(session, NUMBER, who="admin", language="fa", settings=settings, trunk=trunk)


def asked(office: Office, settings: Settings) -> None:
    with writing(office.engine) as session:
        ask(session, settings)


def trial(office: Office) -> TrialCall:
    with reading(office.engine) as session:
        (call,) = trial_calls.list_latest(session)
        return call


@pytest.fixture
def token(office: Office, manager: FakeManager, settings: Settings) -> str:
    """A test call that is on its way."""
    asked(office, settings)
    office.until(lambda: manager.named("Originate"))
    return trial(office).token or ""


def become(office: Office, step: Callable[[], object]) -> TrialCall:
    step()
    office.until(lambda: trial(office).result)
    return trial(office)


def test_test_call_is_placed_once_despite_a_restart(office: Office, manager: FakeManager, token: str) -> None:
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()
    (placed,) = manager.named("Originate")
    assert placed["Channel"] == f"Local/{NUMBER}@dial/n"
    assert (placed["ChannelId"], placed["Context"], placed["Exten"]) == (token, "trial", "s")
    manager.ringing(token)
    office.until(lambda: trial(office).rang_at)
    manager.stage(token, "answered")
    office.until(lambda: trial(office).answered_at)
    manager.stage(token, "spoke")
    office.until(lambda: trial(office).heard_at)
    call = become(office, lambda: manager.hangs_up(token))
    assert (call.result, call.trunk) == (R.HEARD, "trunk")
    with reading(office.engine) as session:
        assert session.scalars(select(PlacedCall.ended_at)).one(), "its line is free"


@on_sqlite
@pytest.mark.parametrize(
    ("sip", "result"),
    [
        (486, R.BUSY),
        (480, R.UNREACHABLE),
        (603, R.REJECTED),
        (403, R.REFUSED),
        (503, R.REFUSED),
        (0, R.SILENT),
    ],
)
def test_refusal_by_the_network_keeps_its_code(
    office: Office, manager: FakeManager, token: str, sip: int, result: TrialResult
) -> None:
    manager.goes_on(token, "first", 500)
    call = become(office, lambda: manager.refuses(token, sip))
    assert (call.result, call.said, call.trunk, call.tried) == (result, sip, "trunk", "first 500")


@on_sqlite
def test_unanswered_test_call_is_reported(office: Office, manager: FakeManager, token: str) -> None:
    manager.ringing(token)
    assert become(office, lambda: manager.refuses(token, 480)).result is R.NO_ANSWER


@on_sqlite
@pytest.mark.parametrize(("stage", "result"), [("answered", R.LEFT), ("failed", R.NO_SCRIPT)])
def test_hang_up_of_an_answered_test_call_is_reported(
    office: Office, manager: FakeManager, token: str, stage: str, result: TrialResult
) -> None:
    manager.stage(token, "answered")
    manager.stage(token, stage)
    office.until(lambda: trial(office).answered_at)
    assert become(office, lambda: manager.hangs_up(token)).result is result


@on_sqlite
def test_full_or_refusing_asterisk_is_reported(
    office: Office, manager: FakeManager, token: str, settings: Settings
) -> None:
    call = become(office, lambda: manager.hangs_up(token, CAPPED_CAUSE))
    assert (call.result, call.cap) == (R.HELD_BACK, "trunk-channels")
    manager.refused = {"Originate": "Permission denied"}
    asked(office, settings)
    office.until(lambda: len(manager.named("Originate")) == 2)
    with reading(office.engine) as session:
        assert trial_calls.list_latest(session)[0].result is R.NOT_PLACED


@on_sqlite
def test_test_call_to_an_exhausted_number_names_the_cap(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    with writing(office.engine) as session:
        at = now(session) - LONG_AGO
        for which in range(settings.calls_per_number):
            session.add(PlacedCall(token=f"callback-{which}", number=NUMBER, at=at, ended_at=at))
    asked(office, settings)
    office.until(lambda: trial(office).result)
    assert manager.named("Originate") == []
    assert (trial(office).result, trial(office).cap) == (R.HELD_BACK, "per-number")


@on_sqlite
def test_test_call_unknown_to_asterisk_is_unknown(office: Office, manager: FakeManager, token: str) -> None:
    manager.channels.pop(token)
    with writing(office.engine) as session:
        session.scalars(select(TrialCall)).one().placed_at = now(session) - LONG_AGO
        session.scalars(select(PlacedCall)).one().at = now(session) - LONG_AGO
    manager.cut()
    manager.wait_for("Login", 2)
    office.until(lambda: trial(office).result)
    assert trial(office).result is R.UNKNOWN


@on_sqlite
def test_successful_test_call_resumes_calls(office: Office, manager: FakeManager, settings: Settings) -> None:
    with writing(office.engine) as session:
        circuit_breaker.record_options(session, yes=True)
        circuit_breaker.record_options(session, yes=False)
        assert circuit_breaker.find_outage(session)
        circuit_breaker.record_options(session, yes=True)
    asked(office, settings)
    office.until(lambda: manager.named("Originate"))
    token = trial(office).token or ""
    manager.ringing(token)
    office.until(lambda: trial(office).rang_at)
    with reading(office.engine) as session:
        assert circuit_breaker.find_outage(session) is None


def test_test_call_of_one_trunk_uses_it_alone(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    (one,) = settings.trunks
    named = tuple(one.model_copy(update={"name": name}) for name in ("first", "second"))
    several = settings.model_copy(update={"trunks": named})
    with writing(office.engine) as session:
        with pytest.raises(Refused, match="no such trunk"):
            ask(session, several, trunk="third")
        ask(session, several, trunk="second")
    office.until(lambda: manager.named("Originate"))
    assert manager.named("Originate")[-1]["Variable"] == "HOTLINE_TRUNKS=second"
