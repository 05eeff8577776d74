"""The real Asterisk, and nobody of ours beside it: whom a call meets, and what ends with a lease."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dialer import asterisk_watchdog
from dialer import originate as module
from dialer.ami import Ami
from dialer.originate import connect_waiting_caller, originate
from dialplan.accounts import AMI_USER
from dialplan.variables import Context, Stage
from hotline import call_deadlines
from hotline.trunk.call_caps import CallPermit
from ops import console
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.process import until

CITIZEN, WHO_ANSWERS = "09131234567", "09131234560"


@pytest.fixture(scope="module")
def asterisk() -> Iterator[LoneAsterisk]:
    with LoneAsterisk(HOTLINE_URGENT_NUMBER="115") as asterisk:
        yield asterisk


@pytest.fixture
def crowd(asterisk: LoneAsterisk) -> Iterator[Crowd]:
    with Crowd(
        asterisk.trunk_port, lambda number, _nth: Behaviour(rings=0.1 if number == WHO_ANSWERS else None)
    ) as crowd:
        yield crowd


@pytest.fixture
def ami(asterisk: LoneAsterisk) -> Iterator[Ami]:
    ami = Ami(asterisk.settings.ami, AMI_USER, asterisk.settings.secret_for(AMI_USER))
    thread = threading.Thread(target=ami.run)
    thread.start()
    assert ami.connected.wait(10)
    yield ami
    ami.stop()
    thread.join(10)


def called(
    asterisk: LoneAsterisk,
    ami: Ami,
    kind: str,
    number: str = f"+98{CITIZEN[1:]}",
    context: Context = Context.CALLBACK,
    meets: str = "",
) -> str:
    token = f"{kind}-{uuid4().hex}"
    originate(ami, asterisk.settings, CallPermit(token, number), context, meets=meets)
    return token


def stage(ami: Ami, token: str) -> str:
    """The next stage that the dialplan tells of this call."""
    while True:
        event = ami.events.get(timeout=20)
        if event.name == "UserEvent" and event.keys.get("Uniqueid") == token and "Stage" in event.keys:
            return str(event.keys["Stage"])


def console_of(asterisk: LoneAsterisk) -> Path:
    """The socket on which it is asked."""
    return asterisk.settings.state_dir / "asterisk" / "run" / "asterisk.ctl"


def bridges(asterisk: LoneAsterisk) -> dict[str, str]:
    """The bridge in which a channel is, by the channel's id."""
    said = console._ask(console_of(asterisk), ["core show channels concise"]).decode()
    lines = [line.split("!") for line in said.splitlines() if line.count("!") > 1]
    return {fields[-1].strip("\0"): fields[-2] for fields in lines if fields[-2]}


def hung_up(ami: Ami, token: str) -> str:
    """The cause with which the half that dialled has ended."""
    while True:
        event = ami.events.get(timeout=20)
        if event.name == "Hangup" and event.keys.get("Uniqueid") == f"{token};2":
            return str(event.keys["Cause"])


def test_late_call_request_is_not_dialled(
    asterisk: LoneAsterisk, ami: Ami, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    ami.may_place_for = lambda: 5.0
    with monkeypatch.context() as late:  # as if it had lain in Asterisk's socket for so long
        late.setattr(module.time, "time", lambda at=time.time: at() - 6.0)
        token = called(asterisk, ami, "callback")
    assert hung_up(ami, token) == "45", "as one that there was no room for: as if never called"
    assert not crowd.calls()
    called(asterisk, ami, "callback")
    until(lambda: len(crowd.live()) == 1, "in time the citizen's phone rings")
    console._ask(console_of(asterisk), ["channel request hangup all"])


def test_lost_dialers_calls_end_except_rescues(asterisk: LoneAsterisk, ami: Ami, crowd: Crowd) -> None:
    beside = asterisk.settings.state_dir / "asterisk"
    called(asterisk, ami, "callback")
    called(asterisk, ami, "rescue-7", "+98115" if not asterisk.settings.urgent_number else "115")
    until(lambda: len(crowd.live()) == 2, "both phones ring")

    assert not console.check_node(console_of(asterisk)), "no other node is known"
    asterisk_watchdog.write(beside, call_deadlines.read_clock() + 60)
    assert not console.check_node(console_of(asterisk))
    assert len(crowd.live()) == 2

    asterisk_watchdog.write(beside, call_deadlines.read_clock() - 1)
    assert "calls are ended" in console.check_node(console_of(asterisk))
    until(lambda: len(crowd.live()) == 1, "the citizen's phone is quiet")
    assert crowd.calls(CITIZEN)[-1].ended_by == "hotline"
    until(lambda: not console.check_node(console_of(asterisk)), "there is no other to end")
    asterisk_watchdog.forget(beside)


def test_bridge_meets_the_person_called_not_the_dialing_half(
    asterisk: LoneAsterisk, ami: Ami, crowd: Crowd
) -> None:
    # four names in a row: in half of them, Asterisk's list has the other half of the call first
    for nth in range(1, 5):
        caller = called(asterisk, ami, "left", f"+98{WHO_ANSWERS[1:]}", Context.WAITING)
        until(lambda caller=caller: caller in bridges(asterisk), f"{nth}: the caller waits with music")
        meeting = f"callback-{uuid4().hex}"
        connect_waiting_caller(ami, meeting, caller, "fa")
        until(lambda meeting=meeting: f"{meeting};2" in bridges(asterisk), f"{nth}: somebody is met")
        at = bridges(asterisk)
        assert at[caller] == at[f"{meeting};2"] != at[f"{caller};2"], f"{nth}: {at}"
    console._ask(console_of(asterisk), ["channel request hangup all"])
    until(lambda: not bridges(asterisk), "all calls are over")


def test_rescuer_hears_that_the_caller_has_gone(asterisk: LoneAsterisk, ami: Ami, crowd: Crowd) -> None:
    rescuer = called(asterisk, ami, "rescue-9", f"+98{WHO_ANSWERS[1:]}", Context.RESCUER, meets="1796.1")
    assert (stage(ami, rescuer), stage(ami, rescuer)) == (Stage.ANSWERED, Stage.ALONE)
