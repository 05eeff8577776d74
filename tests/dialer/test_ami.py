"""The connection to the manager interface: it heals itself, and no answer is never taken for a yes."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asterisk.ami.event import Event
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from dialer import ami as module
from dialer import hold_notices
from dialer.ami import Ami, AmiError
from settings.addresses import Address
from tests.kit.fake_manager import PATIENCE_S, FakeManager
from tests.kit.ports import free_port
from tests.kit.process import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten delays from seconds to moments."""
    monkeypatch.setattr(module, "_READ_S", 1.0)
    monkeypatch.setattr(module, "_RETRY_S", 0.02)


@pytest.fixture
def address() -> Address:
    return Address("127.0.0.1", free_port())


@pytest.fixture
def manager(address: Address) -> Iterator[FakeManager]:
    with FakeManager(address) as manager:
        yield manager


@pytest.fixture
def ami(address: Address, quick: None) -> Iterator[Ami]:
    """A connection that is being made; it may be used once its first Resync has come."""
    ami = Ami(address, "dialer", "secret")
    thread = threading.Thread(target=ami.run)
    thread.start()
    yield ami
    ami.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "stop() did not end run()"


def next_event(ami: Ami, name: str) -> Event:
    """The next event of this name; those before it are passed over."""
    while True:
        event = ami.events.get(timeout=PATIENCE_S)
        if event.name == name:
            return event


@pytest.fixture
def connected(manager: FakeManager, ami: Ami) -> Ami:
    """A connection at rest: logged in, and the Resync of that is over."""
    next_event(ami, "Resync")
    return ami


# --- connecting ---


def test_logging_in_asks_for_a_resync(manager: FakeManager, ami: Ami):
    first = ami.events.get(timeout=PATIENCE_S)

    assert first.name == "Resync"
    assert ami.connected.is_set()
    assert manager.wait_for("Login")[0].items() >= {"Username": "dialer", "Secret": "secret"}.items()


def test_asterisk_that_boots_is_asked_nothing(address: Address, ami: Ami):
    manager = FakeManager(address)
    manager.is_booted = False
    with manager:
        manager.wait_for("Ping")  # it has logged in, and waits

        with pytest.raises(AmiError, match="not connected"):
            ami.request("CoreShowChannels")
        assert ami.events.empty()

        manager.event("FullyBooted", Status="Fully Booted")
        next_event(ami, "Resync")
        ami.request("CoreShowChannels")


def test_asterisk_having_booted_asks_for_a_resync(manager: FakeManager, connected: Ami):
    manager.event("FullyBooted", Status="Fully Booted")

    assert connected.events.get(timeout=PATIENCE_S).name == "Resync"


def test_it_waits_for_an_asterisk_that_is_not_there_yet(address: Address, ami: Ami):
    with pytest.raises(AmiError, match="not connected"):
        ami.request("Ping")

    with FakeManager(address):
        next_event(ami, "Resync")

        ami.request("Ping")


def test_refused_login_is_retried_and_sends_nothing_else(address: Address, ami: Ami):
    with FakeManager(address, secret="another") as manager:
        manager.wait_for("Login", 3)
        assert not ami.connected.is_set()
        with pytest.raises(AmiError, match="not connected"):
            ami.request("Originate", ChannelId="callback-1")

        manager.secret = "secret"
        next_event(ami, "Resync")

        assert {action["Action"] for action in manager.actions} == {"Login"}


def test_what_is_no_manager_interface_is_not_told_the_password(manager: FakeManager, address: Address):
    manager.banner = b"SSH-2.0-OpenSSH_9.2\r\n"
    ami = Ami(address, "dialer", "secret")
    ami.connect()

    with pytest.raises(AmiError, match="not Asterisk"):
        ami.listen()
    ami.stop()

    assert manager.actions == []


# --- staying connected ---


def test_a_silent_asterisk_is_pinged_and_kept(manager: FakeManager, connected: Ami):
    manager.wait_for("Ping", 3)

    assert connected.connected.is_set()
    assert len(manager.named("Login")) == 1


def test_an_asterisk_that_answers_no_ping_hangs_until_it_does(
    manager: FakeManager, connected: Ami, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_READ_S", 60.0)
    monkeypatch.setattr(module, "_ANSWERS_S", 0.5)
    assert not connected.hangs()
    manager.unanswered = {"Ping"}
    until(connected.hangs, "it says nothing")
    assert connected.connected.is_set()
    manager.unanswered = set()
    until(lambda: not connected.hangs(), "it says something")


def test_an_asterisk_that_answers_no_ping_is_left_and_tried_anew(manager: FakeManager, connected: Ami):
    manager.unanswered = {"Ping"}
    manager.wait_for("Login", 2)
    manager.unanswered = set()

    next_event(connected, "Resync")
    connected.request("Ping")


def test_a_cut_connection_is_made_again_with_a_resync(manager: FakeManager, connected: Ami):
    manager.cut()

    next_event(connected, "Resync")
    assert len(manager.named("Login")) == 2
    connected.request("Ping")


def test_half_a_packet_of_a_cut_connection_is_forgotten(manager: FakeManager, connected: Ami):
    manager.send(b"Event: Hangup\r\nUniqueid: callback-1\r\nCau")
    manager.cut()
    next_event(connected, "Resync")
    manager.event("Hangup", Uniqueid="callback-2")

    assert next_event(connected, "Hangup").keys["Uniqueid"] == "callback-2"


def test_connection_made_while_stopping_ends(
    manager: FakeManager, address: Address, monkeypatch: pytest.MonkeyPatch
):
    ami, connect = Ami(address, "dialer", "secret"), socket.create_connection

    def stopped_meanwhile(*where: Any, **how: Any) -> socket.socket:
        ami.stop()
        return connect(*where, **how)

    monkeypatch.setattr(socket, "create_connection", stopped_meanwhile)
    thread = threading.Thread(target=ami.run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()


# --- packets ---


def test_packets_may_be_split_at_any_byte(manager: FakeManager, ami: Ami):
    manager.piecemeal = True
    manager.channels = {"callback-1": {"Channel": "PJSIP/a"}}
    next_event(ami, "Resync")

    manager.event("Hangup", Uniqueid="callback-1", Cause="17")

    assert next_event(ami, "Hangup").keys.items() >= {"Uniqueid": "callback-1", "Cause": "17"}.items()
    assert [c.keys["Uniqueid"] for c in ami.live_channels()] == ["callback-1"]


def test_packets_may_come_many_at_once_and_keep_their_order(manager: FakeManager, connected: Ami):
    manager.send(b"".join(b"Event: Newstate\r\nUniqueid: %d\r\n\r\n" % number for number in range(500)))

    came = [connected.events.get(timeout=PATIENCE_S).keys["Uniqueid"] for _ in range(500)]

    assert came == [str(number) for number in range(500)]


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_unicode_line_break_in_a_caller_name_adds_no_header(manager: FakeManager, connected: Ami, mark: str):
    manager.event("ConfbridgeJoin", Uniqueid="1.1", Name=f"Zohreh{mark}Channel: PJSIP/desk-1-00000001")

    assert "Channel" not in next_event(connected, "ConfbridgeJoin").keys


def test_bad_utf_8_is_taken_as_it_is(manager: FakeManager, connected: Ami):
    manager.event("Newstate", CallerIDName="\udcff\udcc3(", Uniqueid="callback-1")

    assert next_event(connected, "Newstate").keys["Uniqueid"] == "callback-1"


@hypothesis(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200) | st.text("EventRespons: \r\n-ActionID0", max_size=60).map(str.encode))
def test_no_junk_stops_it(manager: FakeManager, connected: Ami, junk: bytes):
    manager.send(junk + b"\r\n\r\n")

    manager.event("Newstate", Uniqueid="may be taken for a part of the junk")
    manager.event("Newstate", Uniqueid="after the junk")

    while next_event(connected, "Newstate").keys.get("Uniqueid") != "after the junk":
        continue


# --- actions ---


@pytest.mark.parametrize("line_break", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize(
    "keys",
    [
        {"Channel": "PJSIP/0913@trunk{}Action: Command"},
        {"Channel{}Action: Command": "x"},
        {"ActionID": "callback-1{}"},
    ],
)
def test_a_line_break_in_a_value_is_refused_and_nothing_is_sent(
    manager: FakeManager, connected: Ami, keys: dict[str, str], line_break: str
):
    evil = {key.format(line_break): value.format(line_break) for key, value in keys.items()}

    with pytest.raises(AmiError, match="line break"):
        connected.request("Originate", **evil)

    connected.request("Ping")
    assert {action["Action"] for action in manager.actions} == {"Login", "Ping"}


def test_a_line_break_in_the_action_itself_is_refused(manager: FakeManager, connected: Ami):
    with pytest.raises(AmiError, match="line break"):
        connected.request("Ping\r\nAction: Originate")


def test_an_action_is_sent_whole_however_long(manager: FakeManager, connected: Ami):
    long = "x" * (4 << 20)

    connected.request("Ping", Long=long)

    assert manager.named("Ping")[-1]["Long"] == long


def test_a_refused_action_raises_with_the_reason(manager: FakeManager, connected: Ami):
    with pytest.raises(AmiError, match="Hangup: No such channel"):
        connected.request("Hangup", Channel="callback-1")


def test_late_answer_is_not_taken_for_the_next(manager: FakeManager, connected: Ami):
    manager.unanswered = {"Originate"}
    with pytest.raises(AmiError, match="no answer to Originate"):
        connected.request("Originate", ActionID="callback-1", ChannelId="callback-1")

    manager.refused = {"Hangup": "not yours"}
    manager.send(b"Response: Success\r\nActionID: callback-1\r\n\r\n")

    with pytest.raises(AmiError, match="not yours"):
        connected.request("Hangup", Channel="callback-1")


def test_an_answer_lost_with_the_connection_raises(manager: FakeManager, connected: Ami):
    manager.cut_on = {"Originate"}

    with pytest.raises(AmiError):
        connected.request("Originate", ActionID="callback-1", ChannelId="callback-1")

    assert len(manager.named("Originate")) == 1
    next_event(connected, "Resync")


# --- live channels ---


def test_live_channels_are_all_of_this_answer_and_no_other(manager: FakeManager, connected: Ami):
    manager.channels = {f"callback-{n}": {"Channel": f"PJSIP/trunk-{n}"} for n in range(100)}
    manager.event("CoreShowChannel", Uniqueid="callback-of-another-answer", ActionID="channels-x")

    found = connected.live_channels()

    assert {c.keys["Uniqueid"]: c.keys["Channel"] for c in found} == {
        f"callback-{n}": f"PJSIP/trunk-{n}" for n in range(100)
    }


def test_no_live_channels_is_an_answer(manager: FakeManager, connected: Ami):
    assert connected.live_channels() == []


def test_live_channels_without_an_end_is_no_answer(manager: FakeManager, connected: Ami):
    manager.endless_lists = True

    with pytest.raises(AmiError, match="no end"):
        connected.live_channels()


def test_refused_live_channels_is_no_answer(manager: FakeManager, connected: Ami):
    manager.refused = {"CoreShowChannels": "Permission denied"}

    with pytest.raises(AmiError, match="Permission denied"):
        connected.live_channels()


def test_an_answer_that_a_cut_connection_owed_is_not_waited_for(
    manager: FakeManager, connected: Ami, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_READ_S", 60.0)
    manager.unanswered = {"Originate"}
    cut = threading.Thread(target=lambda: (manager.wait_for("Originate"), manager.cut()))
    cut.start()

    with pytest.raises(AmiError, match="no answer"):
        connected.request("Originate", ChannelId="callback-1")
    cut.join(PATIENCE_S)


# --- what is told at once ---


def test_withdrawn_call_is_announced_with_its_time(manager: FakeManager, connected: Ami):
    hold_notices.tell_scripts(connected)
    before_ns = time.monotonic_ns()
    manager.event("Unhold", Channel="PJSIP/trunk-1")
    manager.event("Unhold")  # of no channel: what is told then is every channel's
    manager.event("Unhold", Channel="PJSIP/gone")

    first, second = manager.wait_for("Setvar", 2)
    connected.request("Ping")  # a channel that has gone is nobody's fault

    assert (first["Channel"], first["Variable"]) == ("PJSIP/trunk-1", "HOTLINE_BACK")
    assert before_ns <= int(first["Value"]) <= time.monotonic_ns()
    assert second["Channel"] == "PJSIP/gone"
