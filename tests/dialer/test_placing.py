"""Calls that the dialer places: once, only where it may, and what becomes of an answer that was lost."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, writing
from db.states import CallbackState, Outcome, RegistrationState
from dialer import asterisk_events
from dialer.loop import Dialer
from hotline.callbacks import placing
from settings import Settings
from tests import factories as make
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import PATIENCE_S, FakeManager

C, O = CallbackState, Outcome  # noqa: E741


# --- placing ---


def test_a_call_that_the_desk_asks_for_is_placed_with_its_token(
    office: Office, manager: FakeManager, settings: Settings
):
    token = office.claims(number="+989131234567")
    office.until_at_rest()
    assert manager.named("Originate") == [], "a claim alone rings no phone"

    office.asks_call(token)
    office.until(lambda: manager.named("Originate"))

    assert manager.named("Originate")[0] == {
        "Action": "Originate",
        "ActionID": token,
        "ChannelId": token,
        "Channel": "Local/+989131234567@dial/n",
        "Context": "callback",
        "Exten": "s",
        "Priority": "1",
        "CallerID": "137 <137>",
        "Timeout": str((settings.ring_seconds + 5) * 1000),
        "Async": "true",
    }
    assert office.callback(token).placed_at is not None


def test_call_is_placed_once_despite_restart_or_cut(office: Office, manager: FakeManager):
    token = office.call()

    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.until_at_rest()
    office.restart()
    office.until_at_rest()

    assert [action["ChannelId"] for action in manager.named("Originate")] == [token]
    assert office.state(token) is C.DIALING


def test_two_dialers_by_mistake_place_a_call_once(
    office: Office, manager: FakeManager, settings: Settings, engine: Engine
):
    tokens = []
    for _ in range(5):
        with writing(engine) as session:
            desk = make.a_desk(session)
            channel = {"Channel": f"PJSIP/desk-{desk.id}-00000001", "Application": "ConfBridge"}
            manager.channels[f"desk.{desk.id}"] = channel
            callback = make.a_callback(session, C.DIALING, make.a_user(session, desk))
            callback.called_at = now(session)
            tokens.append(callback.token)
    other = Dialer(settings, engine, office.ami)
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(PATIENCE_S)
        for _ in range(10):
            other.step()

    thread = threading.Thread(target=work)
    office.until(office.ami.connected.is_set)
    thread.start()
    gate.wait(PATIENCE_S)
    office.until(lambda: len(manager.named("Originate")) >= 5)
    thread.join(PATIENCE_S)
    office.until_at_rest()

    assert sorted(action["ChannelId"] for action in manager.named("Originate")) == sorted(tokens)


@on_sqlite
@pytest.mark.parametrize("number", ["+4930123456", "+982122334455", "+5371234567", "+97144123456"])
def test_a_number_outside_the_allowed_prefixes_is_never_dialled(
    office: Office, manager: FakeManager, caplog: pytest.LogCaptureFixture, number: str
):
    token = office.claims(number=number)
    office.asks_call(token)

    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.FAILED
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert f"{token}: not placed: its number is outside HOTLINE_ALLOWED_PREFIXES" in caplog.text
    assert number not in caplog.text


def test_call_asked_long_ago_is_given_up(office: Office, manager: FakeManager):
    token = office.claims()
    office.asks_call(token)
    called = office.callback(token).called_at
    assert called is not None
    office.change(token, called_at=called - placing.STALE - timedelta(seconds=1))

    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert callback.outcome is O.RETURNED
    assert (callback.registration.state, callback.registration.attempts) == (RegistrationState.WAITING, 0)
    assert callback.registration.not_before is None
    office.until_at_rest()
    assert manager.named("Originate") == []


def test_a_call_that_the_desk_took_back_in_time_is_not_placed(office: Office, manager: FakeManager):
    token = office.claims()
    office.asks_call(token)
    office.asks_hangup(token)

    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert callback.outcome is O.RETURNED
    assert (callback.registration.state, callback.registration.not_before) == (
        RegistrationState.WAITING,
        None,
    )
    office.until_at_rest()
    assert manager.named("Originate") == []


@on_sqlite
def test_refused_call_costs_the_citizen_nothing(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    manager.refused = {"Originate": "Permission denied"}
    token = office.claims()
    office.asks_call(token)

    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    callback = office.callback(token)
    assert (callback.state, callback.outcome) == (C.CLOSED, O.FAILED)
    assert callback.registration.attempts == 0
    assert len(manager.named("Originate")) == 1


@on_sqlite
def test_a_call_that_fails_without_a_channel_is_our_own_fault(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    token = office.call()
    del manager.channels[token]
    manager.event("OriginateResponse", ActionID=token, Response="Failure", Reason="0")

    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.FAILED


@on_sqlite
@pytest.mark.parametrize("failure_first", [True, False])
def test_cause_of_the_hang_up_outranks_the_originate_failure(
    office: Office, manager: FakeManager, failure_first: bool, monkeypatch: pytest.MonkeyPatch
):
    if failure_first:  # the hang-up comes in time, however slow this machine is at the moment
        monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 60.0)
    token = office.call()

    def failure() -> None:
        manager.event("OriginateResponse", ActionID=token, Response="Failure", Reason="0")

    if failure_first:
        failure()
    manager.refuses(token, 486)
    if not failure_first:
        failure()
    office.until(lambda: office.state(token) is C.CLOSED)
    office.until_at_rest()

    assert office.callback(token).outcome is O.BUSY


# --- a lost answer ---


@on_sqlite
@pytest.mark.parametrize("how", ["unanswered", "cut_on"])
def test_ringing_call_with_a_lost_answer_is_kept(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 0)
    setattr(manager, how, {"Originate"})

    token = office.call(C.RINGING)
    office.until_at_rest()
    office.until_at_rest()

    assert office.state(token) is C.RINGING
    assert len(manager.named("Originate")) == 1
    manager.refuses(token, 486)
    office.until(lambda: office.state(token) is C.CLOSED)
    assert office.callback(token).outcome is O.BUSY


@on_sqlite
def test_lost_answer_without_a_channel_leaves_it_to_the_desk(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    manager.unanswered = {"Originate"}
    manager.before = {"Originate": manager.channels.clear}
    token = office.claims()
    office.asks_call(token)

    office.until(lambda: office.state(token) not in (C.CLAIMED, C.DIALING))
    office.until_at_rest()

    callback = office.callback(token)
    assert (callback.state, callback.outcome) == (C.ENDED, None)
    assert len(manager.named("Originate")) == 1
