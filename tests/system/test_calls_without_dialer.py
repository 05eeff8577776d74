"""The real Asterisk of a node whose lease is over, and nobody of ours to tell it."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from dialer import originate as module
from dialer.ami import Ami
from dialer.originate import originate
from dialplan.accounts import AMI_USER
from dialplan.variables import Context
from hotline import calls_until
from hotline.callbacks.toll import CallPermit
from ops import console
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.process import until

CITIZEN = "09131234567"


@pytest.fixture(scope="module")
def asterisk() -> Iterator[LoneAsterisk]:
    with LoneAsterisk(HOTLINE_URGENT_NUMBER="115") as asterisk:
        yield asterisk


@pytest.fixture
def crowd(asterisk: LoneAsterisk) -> Iterator[Crowd]:
    with Crowd(asterisk.trunk_port, lambda _number, _nth: Behaviour(rings=None)) as crowd:
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


def called(asterisk: LoneAsterisk, ami: Ami, kind: str, number: str = f"+98{CITIZEN[1:]}") -> str:
    token = f"{kind}-{uuid4().hex}"
    originate(ami, asterisk.settings, CallPermit(token, number), Context.CALLBACK)
    return token


def hung_up(ami: Ami, token: str) -> str:
    """The cause with which the half that dialled has ended."""
    while True:
        event = ami.events.get(timeout=20)
        if event.name == "Hangup" and event.keys.get("Uniqueid") == f"{token};2":
            return str(event.keys["Cause"])


def test_given_a_call_that_is_asked_for_in_time_when_asterisk_comes_to_it_too_late_then_nobody_is_dialled(
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
    console._ask(asterisk.settings.state_dir / "asterisk" / "asterisk.ctl", ["channel request hangup all"])


def test_given_a_dialer_that_is_gone_when_its_time_is_over_then_its_calls_are_ended_but_the_rescuers(
    asterisk: LoneAsterisk, ami: Ami, crowd: Crowd
) -> None:
    beside = asterisk.settings.state_dir / "asterisk"
    called(asterisk, ami, "callback")
    called(asterisk, ami, "rescue-7", "+98115" if not asterisk.settings.urgent_number else "115")
    until(lambda: len(crowd.live()) == 2, "both phones ring")

    assert not console.works(beside / "asterisk.ctl"), "no other node is known"
    calls_until.write(beside, calls_until.clock() + 60)
    assert not console.works(beside / "asterisk.ctl")
    assert len(crowd.live()) == 2

    calls_until.write(beside, calls_until.clock() - 1)
    assert "calls are ended" in console.works(beside / "asterisk.ctl")
    until(lambda: len(crowd.live()) == 1, "the citizen's phone is quiet")
    assert crowd.calls(CITIZEN)[-1].ended_by == "hotline"
    until(lambda: not console.works(beside / "asterisk.ctl"), "there is no other to end")
    calls_until.forget(beside)
