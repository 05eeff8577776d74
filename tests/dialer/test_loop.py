"""The dialer brings citizens and desks together, knows the desks' phones, and says that it works."""

from contextlib import closing

import pytest
from sqlalchemy import Engine

from db import events
from db.engine import reading
from db.states import CallbackState, Outcome
from dialer.loop import Dialer
from hotline import heartbeats
from hotline.nodes import leases
from settings import Settings
from tests.dialer.office import DESK_CHANNEL, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O = CallbackState, Outcome  # noqa: E741
DESK_SIP_CHANNEL = "PJSIP/desk-1-sip-00000020"


# --- bringing together ---


def test_a_confirmed_citizen_is_moved_to_the_desk_that_is_there(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    assert manager.named("Redirect") == [], "a citizen who has not pressed 1 may be a machine"

    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: manager.named("Redirect"))

    wanted = {"Channel": token, "Context": "room", "Exten": "1", "Priority": "1"}
    assert manager.named("Redirect")[0].items() >= wanted.items()


@on_sqlite
def test_confirmed_citizen_waits_for_an_absent_desk_phone(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())

    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: office.state(token) is C.WAITING)
    office.until_at_rest()  # another desk's phone comes and goes
    assert manager.named("Redirect") == []

    manager.joins("desk.1", DESK_CHANNEL)
    office.until(lambda: manager.named("Redirect"))

    assert [(r["Channel"], r["Exten"]) for r in manager.named("Redirect")] == [(token, "1")]


@on_sqlite
@pytest.mark.parametrize("state", [C.RINGING, C.ANSWERED, C.TALKING])
def test_a_desk_that_comes_back_takes_nobody_who_does_not_wait(
    office: Office, manager: FakeManager, state: CallbackState
):
    office.call(state)
    before = len(manager.named("Redirect"))

    manager.joins("desk.9", DESK_SIP_CHANNEL)
    office.until_at_rest()

    assert len(manager.named("Redirect")) == before


@on_sqlite
def test_hang_up_just_before_the_move_is_harmless(office: Office, manager: FakeManager):
    token = office.call(C.ANSWERED)
    manager.refused = {"Redirect": "Channel does not exist"}
    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: manager.named("Redirect"))

    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


# --- the desks' phones ---


def test_desk_phone_is_present_from_join_to_hang_up(office: Office, manager: FakeManager):
    office.until_at_rest()
    assert office.phone_connected()

    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())

    manager.joins("desk.1", DESK_SIP_CHANNEL)
    office.until(office.phone_connected)


@on_sqlite
def test_a_desk_with_two_phones_is_there_while_one_is(office: Office, manager: FakeManager):
    manager.joins("desk.1b", DESK_SIP_CHANNEL)
    office.until_at_rest()

    manager.hangs_up("desk.1")
    office.until_at_rest()
    assert office.phone_connected()

    manager.hangs_up("desk.1b")
    office.until(lambda: not office.phone_connected())


@on_sqlite
def test_presence_is_asked_of_asterisk_and_not_remembered(office: Office, manager: FakeManager):
    office.until_at_rest()

    manager.channels.clear()
    office.restart()
    office.until(lambda: not office.phone_connected())

    manager.channels["desk.1"] = {"Channel": DESK_CHANNEL, "Application": "ConfBridge"}
    office.restart()
    office.until(office.phone_connected)


@on_sqlite
def test_desk_pressing_a_key_during_the_query_is_present(office: Office, manager: FakeManager):
    """The dialplan leaves the room's application for that moment, and nobody tells of the return."""
    office.until_at_rest()
    pressing = {"Channel": DESK_CHANNEL, "ChannelStateDesc": "Up", "Context": "desk-keys", "Exten": "next"}
    manager.channels["desk.1"] = pressing | {"Application": "UserEvent"}
    office.restart()
    office.until_at_rest()

    assert office.phone_connected()


@on_sqlite
def test_ringing_phone_or_similar_channel_is_not_present(office: Office, manager: FakeManager):
    manager.channels = {
        "1": {"Channel": DESK_CHANNEL, "Application": "AGI"},
        "2": {"Channel": "PJSIP/desk-1x-0000001f", "Application": "ConfBridge"},
        "3": {"Channel": "PJSIP/trunk-desk-1-0000001f", "Application": "ConfBridge"},
    }

    office.until(lambda: not office.phone_connected())


@on_sqlite
def test_desk_that_joins_right_after_the_query_stays_present(office: Office, manager: FakeManager):
    office.until_at_rest()
    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())
    manager.after = {"CoreShowChannels": lambda: manager.joins("desk.1", DESK_CHANNEL)}
    manager.event("FullyBooted")
    office.until(office.phone_connected)
    manager.after.clear()
    office.until_heard()

    assert office.phone_connected()


# --- its own life ---


def test_heartbeats_report_the_dialer_and_connected_asterisk(
    settings: Settings, engine: Engine, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    def alive(process: str) -> bool:
        with reading(engine) as session:
            return heartbeats.is_alive(session, process)

    def hangs() -> bool:
        with reading(engine) as session:
            return heartbeats.is_hung(session, "asterisk", settings.node)

    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0)
    manager.secret = "another"
    with closing(Office(settings, engine, manager)) as office:
        manager.wait_for("Login")
        office.until(lambda: alive("dialer"))
        office.step()
        assert not alive("asterisk")
        office.until(hangs)

        manager.secret = "secret"
        office.until(lambda: alive("asterisk"))


@on_sqlite
def test_lost_lease_ends_the_poll_with_one_log_line(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fenced() -> None:
        raise leases.Fenced("the lease of node one is not this dialer's any more")

    with monkeypatch.context() as late:
        late.setattr(office._dialer, "_beat", fenced)
        office.step()
    said = [
        (record.levelname, record.exc_info) for record in caplog.records if "lease" in record.getMessage()
    ]
    assert said == [("WARNING", None)]


@on_sqlite
def test_known_newest_event_is_not_queried(
    settings: Settings, engine: Engine, office: Office, monkeypatch: pytest.MonkeyPatch
):
    newest: list[int | None] = [7]
    dialer = Dialer(settings, engine, office.ami, newest=lambda: newest[0])
    monkeypatch.setattr(events, "fetch_last_id", lambda _engine: pytest.fail("asked"))
    monkeypatch.setattr(events, "has_other_events", lambda _engine, seen: seen < 9)
    assert dialer._something_changed() and not dialer._something_changed()

    newest[0] = 8
    assert dialer._something_changed() and not dialer._something_changed()

    monkeypatch.setattr(events, "fetch_last_id", lambda _engine: 9)
    newest[0] = None
    assert dialer._something_changed(), "nobody tells: it asks"
