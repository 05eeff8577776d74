"""Phones that ring, and an Asterisk that never ends a call by itself: its clock was set back."""

from datetime import datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from db.engine import now, reading
from db.states import CallbackState, Outcome
from dialer import ring_timeouts
from dialer.ami import Ami, NotAccepted
from dialer.ring_timeouts import RingTimeouts
from settings import Settings
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import FakeManager, leg_of

pytestmark = on_sqlite  # a matter of Asterisk's

TOKEN = "callback-" + "a" * 32
LEG, NEXT_LEG = "PJSIP/trunk-0000002a", "PJSIP/other-0000002b"
RINGS_S, SLACK_S, UNHEARD_S = 30, 5, 20


class _Channel:
    def __init__(self, **keys: str) -> None:
        self.keys = keys


class Asterisk:
    """Has one call of ours; notes what it was asked to hang up, and when."""

    def __init__(self, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        self.state = "Ringing"
        self.leg: str | None = LEG
        self.is_here = True
        self.hung_up: list[tuple[float, str, int]] = []
        self.lists = 0
        monkeypatch.setattr(ring_timeouts.time, "monotonic", lambda: self.at)
        with reading(engine) as session:
            self._placed_at = now(session)
        settings = settings.model_copy(update={"ring_seconds": RINGS_S})
        self.timeouts = RingTimeouts(settings, engine, cast(Ami, self), lambda _: self._on_the_phone())

    def _on_the_phone(self) -> dict[str, datetime]:
        return {TOKEN: self._placed_at} if self.is_here else {}

    def live_channels(self) -> list[_Channel]:
        self.lists += 1
        state = {"ChannelStateDesc": self.state}
        ours = _Channel(Uniqueid=TOKEN, Linkedid=TOKEN, Channel="Local/x@dial-00000001;1", **state)
        legs = [_Channel(Uniqueid="1.2", Linkedid=TOKEN, Channel=self.leg, **state)] if self.leg else []
        return [ours, *legs]

    def request(self, action: str, *, Channel: str, Cause: int) -> None:
        assert action == "Hangup"
        self.hung_up.append((self.at - 1000, Channel, Cause))
        if self.state == "gone":
            raise NotAccepted("Hangup: No such channel")

    def lasts(self, seconds: int) -> None:
        for _ in range(seconds):
            self.timeouts.hang_up_overdue()
            self.at += 1


@pytest.fixture
def asterisk(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Asterisk:
    return Asterisk(settings, engine, monkeypatch)


def test_phone_that_rings_for_too_long_is_hung_up(asterisk: Asterisk) -> None:
    asterisk.lasts(2)
    asterisk.timeouts.rings(TOKEN, LEG)
    asterisk.lasts(RINGS_S + SLACK_S)
    assert (asterisk.hung_up, asterisk.lists) == ([], 0)
    asterisk.lasts(1)
    assert asterisk.hung_up == [(2 + RINGS_S + SLACK_S, LEG, 19)]


def test_call_that_never_rings_is_hung_up_later(asterisk: Asterisk) -> None:
    asterisk.leg = None
    asterisk.lasts(RINGS_S + UNHEARD_S)
    assert asterisk.hung_up == []
    asterisk.lasts(1)
    assert asterisk.hung_up == [(RINGS_S + UNHEARD_S, TOKEN, 16)]


def test_next_trunk_rings_for_its_whole_time(asterisk: Asterisk) -> None:
    asterisk.timeouts.rings(TOKEN, LEG)
    asterisk.lasts(20)
    asterisk.leg = NEXT_LEG
    asterisk.timeouts.rings(TOKEN, NEXT_LEG)
    asterisk.timeouts.rings(TOKEN, NEXT_LEG)
    asterisk.lasts(RINGS_S + SLACK_S + 1)
    assert asterisk.hung_up == [(20 + RINGS_S + SLACK_S, NEXT_LEG, 19)]


def test_conversation_is_looked_at_once_and_goes_on(asterisk: Asterisk) -> None:
    asterisk.timeouts.rings(TOKEN, LEG)
    asterisk.state = "Up"
    asterisk.lasts(600)
    assert (asterisk.hung_up, asterisk.lists) == ([], 1)


def test_hang_up_without_effect_is_repeated(asterisk: Asterisk) -> None:
    asterisk.timeouts.rings(TOKEN, LEG)
    asterisk.lasts(100)
    assert [channel for _, channel, _ in asterisk.hung_up] == [LEG, LEG]


def test_call_that_has_just_ended_is_no_error(asterisk: Asterisk) -> None:
    asterisk.timeouts.rings(TOKEN, LEG)
    asterisk.state = "gone"
    asterisk.lasts(50)
    asterisk.is_here = False
    asterisk.lasts(100)
    assert len(asterisk.hung_up) == 1


@pytest.mark.parametrize("restarted", [False, True], ids=["same", "restarted"])
def test_dialer_counts_the_hung_up_call_as_unanswered(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    token = office.call(CallbackState.RINGING)
    leg = manager.channels[leg_of(token)]["Channel"]
    monkeypatch.setattr(ring_timeouts, "_LOOK_S", 0.01)
    office.until_at_rest()
    assert manager.named("Hangup") == []
    monkeypatch.setattr(ring_timeouts, "_UNHEARD_S", -1000.0)
    monkeypatch.setattr(ring_timeouts, "_SLACK_S", -1000.0)
    if restarted:
        office.restart()
    else:
        manager.ringing(token, "second")
        leg = "PJSIP/second-0000002a"
    office.until(lambda: manager.named("Hangup"))
    hang_up: dict[str, Any] = manager.named("Hangup")[0]
    assert (hang_up["Channel"], hang_up["Cause"]) == (leg, "19")
    manager.event("UserEvent", Uniqueid=f"{token};2", UserEvent="HotlineSaid", Sip="180")
    manager.hangs_up(token, 19)
    office.until(lambda: office.state(token) is CallbackState.CLOSED)
    assert office.callback(token).outcome is Outcome.NO_ANSWER
