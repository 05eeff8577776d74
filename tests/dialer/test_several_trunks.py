"""The dialer and several trunks: it says by which a call goes, and writes down what each made of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.models import PlacedCall, TrunkState
from db.states import CallbackState, Outcome
from dialer import call_ahead, trunks
from hotline.trunk import circuit_breaker
from settings import Settings
from tests.dialer.hall import Hall
from tests.kit.fake_manager import FakeManager

pytestmark = [pytest.mark.parametrize("backend", ["sqlite"]), pytest.mark.usefixtures("quick")]

C, O = CallbackState, Outcome  # noqa: E741
FIRST, SECOND = "first", "second"


def several(settings: Settings, *names: str) -> Settings:
    (one,) = settings.trunks
    account = {"user": "137", "registers": True}
    made = tuple(one.model_copy(update={"name": name, **account}) for name in names)
    return settings.model_copy(update={"trunks": made})


@pytest.fixture
def hall(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    hall = Hall(several(settings, FIRST, SECOND), engine, manager)
    monkeypatch.setattr(call_ahead.round_statistics, "count_calls_wanted", hall.calls_wanted)
    monkeypatch.setattr(trunks, "_ASKED_S", 0.0)
    yield hall
    hall.close()


def state(hall: Hall, name: str) -> TrunkState:
    with reading(hall.engine) as session:
        return session.get(TrunkState, name) or TrunkState(name=name, failures=0, taken=0, refused=0)


def goes_by(manager: FakeManager) -> str:
    return manager.named("Originate")[-1]["Variable"]


def test_call_gets_the_trunk_order_and_time_for_both(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    hall.dials()
    assert goes_by(manager) == "HOTLINE_TRUNKS=first&second"
    assert manager.named("Originate")[-1]["Timeout"] == str((2 * settings.ring_seconds + 5) * 1000)


def test_silent_first_trunk_is_tried_last_in_the_next_call(hall: Hall, manager: FakeManager) -> None:
    token = hall.dials()
    manager.goes_on(token, FIRST, 0)
    manager.ringing(token, "trunk-second")
    hall.until(lambda: hall.state(token) is C.RINGING)
    manager.refuses(token, 486, SECOND)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()

    assert hall.callback(token).outcome is O.BUSY, "as of any call"
    assert (state(hall, FIRST).refused, state(hall, SECOND).taken) == (1, 1)
    with reading(hall.engine) as session:
        assert circuit_breaker.find_outage(session) is None and not circuit_breaker.has_failures(
            session, circuit_breaker.TRUNK
        )
    hall.dials()
    assert goes_by(manager) == "HOTLINE_TRUNKS=second&first"


def test_refusal_by_both_trunks_blames_each_once(hall: Hall, manager: FakeManager) -> None:
    token = hall.dials()
    manager.goes_on(token, FIRST, 503)
    manager.goes_on(token, SECOND, 503)  # what was left had no channel free
    manager.refuses(token, 503, SECOND)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()

    assert hall.callback(token).outcome is O.FAILED
    assert [state(hall, name).refused for name in (FIRST, SECOND)] == [1, 1]
    with reading(hall.engine) as session:
        assert session.get_one(PlacedCall, token).ours


def test_ring_on_a_trunk_that_fell_silent_is_free(hall: Hall, manager: FakeManager) -> None:
    manager.event("ContactStatus", AOR="alive-first", ContactStatus="Reachable")
    manager.event("ContactStatus", AOR="alive-second", ContactStatus="Reachable")
    token = hall.dials()
    manager.ringing(token, "trunk-first")
    hall.until(lambda: hall.state(token) is C.RINGING)
    manager.event("ContactStatus", AOR="alive-first", ContactStatus="Unreachable")
    manager.refuses(token, 180, FIRST)
    hall.until(lambda: hall.state(token) is C.CLOSED)

    assert hall.callback(token).outcome is O.FAILED
    with reading(hall.engine) as session:
        assert circuit_breaker.is_answering_options(session) is True, "calls flow by the other"


def test_silent_trunk_is_recorded_before_it_is_logged(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[bool] = []

    def warning(text: str, *_: object) -> None:
        if text == "trunk %s: %s":
            recorded.append(state(hall, FIRST).down_since is not None)

    monkeypatch.setattr(trunks.log, "warning", warning)
    manager.event("ContactStatus", AOR="alive-second", ContactStatus="Reachable")
    for status in ("Reachable", "Unreachable"):
        manager.event("ContactStatus", AOR="alive-first", ContactStatus=status)
    hall.until(lambda: recorded)
    assert recorded == [True], "who reads the log finds it in the database"


def test_calls_stop_with_the_last_reachable_trunk(
    hall: Hall, manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "dialer")

    def down() -> bool:
        with reading(hall.engine) as session:
            return circuit_breaker.find_outage(session) is not None

    for status in ("Reachable", "Unreachable"):
        manager.event("ContactStatus", AOR="alive-first", ContactStatus=status)
        manager.event("ContactStatus", AOR="alive-second", ContactStatus="Reachable")
    hall.until(lambda: state(hall, FIRST).down_since)
    assert not down()
    manager.event("ContactStatus", AOR="alive-second", ContactStatus="Unreachable")
    hall.until(down)
    manager.event("ContactStatus", AOR="alive-first", ContactStatus="Reachable")
    hall.until(lambda: not down())
    hall.dials()
    assert goes_by(manager) == "HOTLINE_TRUNKS=first&second"
    said = [each for each in caplog.messages if each.startswith("trunk first")]
    gone = "trunk first: does not answer any more, and is tried last"
    assert said == ["trunk first: answers", gone, "trunk first: answers"], "for who asks why, the next day"


def test_registration_event_sets_whether_a_trunk_can_call_us(
    hall: Hall, manager: FakeManager, settings: Settings
) -> None:
    account = f"sip:137@{settings.trunks[0].host}"
    for status, yes in (("Rejected", False), ("Registered", True)):
        manager.event("Registry", ChannelType="PJSIP", Username=account, Domain="x", Status=status)
        hall.until(lambda yes=yes: state(hall, SECOND).registered is yes)  # both have that account here


def test_measured_latency_is_kept_until_the_trunk_is_gone(hall: Hall, manager: FakeManager) -> None:
    manager.trunk_is, manager.latency = "Reachable", "23456"
    hall.until(lambda: state(hall, FIRST).latency_ms == 23.456)
    manager.trunk_is, manager.latency = "Unreachable", "0"
    hall.until(lambda: state(hall, FIRST).down_since and state(hall, FIRST).latency_ms is None)


def test_removed_trunk_leaves_no_state(hall: Hall, manager: FakeManager, settings: Settings) -> None:
    for name in ("alive-first", "alive-second"):
        manager.event("ContactStatus", AOR=name, ContactStatus="Reachable")
    hall.until(lambda: state(hall, FIRST).answers and state(hall, SECOND).answers)
    hall._settings = several(settings, SECOND)
    hall.restart()

    def names() -> list[str]:
        with reading(hall.engine) as session:
            return list(session.scalars(select(TrunkState.name)))

    hall.until(lambda: names() == [SECOND])


def test_browser_phone_credits_no_trunk(hall: Hall, manager: FakeManager) -> None:
    token = hall.dials()
    manager.ringing(token, "phone-1")
    manager.refuses(token, 486, "")
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()
    assert state(hall, FIRST).taken == state(hall, SECOND).taken == 0
