"""Citizens on the phone, and how many packets of sound Asterisk has had from each telephone."""

from typing import Any, cast

import pytest

from db.states import CallbackState
from dialer import silent_lines
from dialer.ami import Ami, NotAccepted
from dialer.rooms import WITH_MUSIC
from dialer.silent_lines import SilentLines
from dialplan.variables import Context
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import FakeManager, leg_of

TOKEN = "callback-" + "a" * 32
LEG = "PJSIP/trunk-0000002a"


class Asterisk:
    """Counts the packets of one telephone; notes each re-INVITE and when it was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        self.packets = 0
        self.is_there = True
        self.asked: list[float] = []
        self.located = {TOKEN: WITH_MUSIC}
        self.callers: list[str] = []
        self.caller: str | None = None
        self.leg = LEG
        monkeypatch.setattr(silent_lines.time, "monotonic", lambda: self.at)
        self.lines = SilentLines(
            cast(Ami, self),
            lambda: self.located,
            callers=lambda: self.callers,
            caller_of=lambda _: self.caller,
        )

    def value(self, function: str, channel: str) -> str:
        assert (function, channel) == ("CHANNEL(rtcp,rxcount)", self.leg)
        if not self.is_there:
            raise NotAccepted("Getvar: No such channel")
        return str(self.packets)

    def request(self, action: str, **keys: Any) -> None:
        wanted = {"Channel": self.leg, "Variable": "PJSIP_SEND_SESSION_REFRESH()", "Value": "invite"}
        assert (action, keys) == ("Setvar", wanted)
        self.asked.append(self.at)

    def lasts(self, seconds: int, packets: int = 0) -> None:
        """Let the telephone send this many packets each second for that long."""
        for _ in range(seconds):
            self.at += 1
            self.packets += packets
            self.lines.ask_silent()


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Asterisk:
    asterisk = Asterisk(monkeypatch)
    asterisk.lines.rings(TOKEN, LEG)
    return asterisk


def test_silence_is_asked_about_soon_then_seldom(phone: Asterisk) -> None:
    phone.lasts(60, packets=50)
    assert phone.asked == []

    phone.lasts(8)
    (first,) = phone.asked
    phone.lasts(24)
    assert phone.asked == [first]
    phone.lasts(8)
    assert len(phone.asked) == 2


def test_sparse_sound_is_never_asked_about(phone: Asterisk) -> None:
    for _ in range(20):
        phone.lasts(1, packets=1)
        phone.lasts(2)

    assert phone.asked == []


@pytest.mark.parametrize("where", ["desk-1", Context.ON_HOLD, Context.HELD])
def test_citizen_of_a_desk_is_asked_in_time(phone: Asterisk, where: str) -> None:
    """The re-INVITE takes 15 s: the desk hears within 30 s that the line is dead."""
    phone.lasts(2, packets=50)
    phone.located = {TOKEN: where}
    phone.lasts(2, packets=50)
    silent_since = phone.at
    phone.lasts(7)
    assert phone.asked == [], "a gateway may be silent while a citizen listens"
    phone.lasts(8)
    (asked,) = phone.asked
    assert asked - silent_since <= 12


def test_silence_on_the_way_to_a_desk_is_counted(phone: Asterisk) -> None:
    """A telephone that dies before it comes to a desk is asked no later for that."""
    phone.lasts(4, packets=50)
    silent_since = phone.at
    phone.lasts(3)
    phone.located = {TOKEN: "desk-1"}
    phone.lasts(9)
    (asked,) = phone.asked
    assert asked - silent_since <= 12


def test_caller_on_the_operators_line_is_asked(phone: Asterisk) -> None:
    phone.located, phone.callers, phone.leg = {}, ["1764190000.7"], "1764190000.7"
    phone.lasts(20, packets=50)
    assert phone.asked == []
    phone.lasts(12)
    assert len(phone.asked) == 1


def test_caller_whom_an_operator_meets_is_asked(phone: Asterisk) -> None:
    phone.located, phone.caller, phone.leg = {TOKEN: "desk-1"}, "1764190000.7", "1764190000.7"
    phone.lasts(12)
    assert len(phone.asked) == 1


def test_channel_that_is_gone_is_not_asked(phone: Asterisk) -> None:
    phone.is_there = False
    phone.lasts(60)

    assert phone.asked == []


def test_new_dialer_learns_the_legs_from_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    asterisk = Asterisk(monkeypatch)
    channels = {
        TOKEN: {"Channel": "Local/x@dial-00000001;1", "Linkedid": TOKEN},
        f"{TOKEN};2": {"Channel": "Local/x@dial-00000001;2", "Linkedid": TOKEN},
        leg_of(TOKEN): {"Channel": LEG, "Linkedid": TOKEN},
        "1764190000.7": {"Channel": "PJSIP/trunk-00000007", "Linkedid": "1764190000.7"},
    }
    asterisk.lines.adopt(channels)
    asterisk.lasts(10)
    assert len(asterisk.asked) == 1

    asterisk.lines.adopt({})
    asterisk.lasts(60)
    assert len(asterisk.asked) == 1


@on_sqlite
def test_dialer_counts_packets_of_whoever_waits(office: Office, manager: FakeManager) -> None:
    office.call(CallbackState.WAITING)

    office.until(lambda: any("rxcount" in asked["Variable"] for asked in manager.named("Getvar")))

    (leg,) = {asked["Channel"] for asked in manager.named("Getvar") if "rxcount" in asked["Variable"]}
    assert leg == LEG
