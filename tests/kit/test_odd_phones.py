"""Phones that do what none should, many at once, and the exchange and the trunk that lead to them."""

import socket

import pytest

from tests.kit.crowd import Behaviour, Crowd
from tests.kit.exchange import Exchange
from tests.kit.phone import Phone
from tests.kit.ports import free_port
from tests.kit.sipp import SippPhone
from tests.kit.sound import tone_level


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "404 Not Found", "480 Away"])
def test_refusing_phone_answers_its_status_once(status):
    with Phone() as caller, SippPhone.refusing(status) as odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        assert caller.wait_for("closed").reason == status
        odd.wait_for("ACK")
        assert odd.rang == 1


def test_answering_phone_speaks_presses_keys_and_hangs_up(tone):
    odd = SippPhone.answering(
        after_ms=150, keys="1#", keys_after_ms=600, hangup_after_ms=3000, sound=tone(1000)
    )
    with Phone() as caller, odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        caller.wait_for("ringing")
        caller.wait_for_keys("1#")
        call = caller.wait_for("closed")
        assert call.reason == "Connection reset by peer"
        assert odd.wait_for("BYE").sent
        assert tone_level(caller.recording(call), 1000) > 0.9


def test_abandoned_call_is_cancelled_at_the_phone():
    with Phone() as caller, SippPhone.ringing() as odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        odd.wait_for("INVITE")
        caller.wait_for("ringing")
        caller.hangup()
        odd.wait_for("CANCEL")
        odd.wait_for("SIP/2.0 487")


@pytest.mark.parametrize(
    "caller",
    ['"Ali [field0] ]]> & \\ علی" <sip:+989131234567;x="$(id)@127.0.0.1>', "<sip:\udcff@127.0.0.1>"],
)
def test_hostile_headers_are_sent_byte_for_byte(caller):
    identity = "<sip:'; DROP TABLE x; --@127.0.0.1>"
    with SippPhone.refusing("486 Busy Here") as other:
        target = f"127.0.0.1:{other.port}"
        with SippPhone.calling(target, caller=caller, identity=identity) as odd:
            odd.wait()
            invite = other.wait_for("INVITE")
    assert invite.header("From").rpartition(";tag=")[0] == caller
    assert invite.header("P-Asserted-Identity") == identity


def test_hang_up_or_cancel_by_sipp_reaches_the_phone():
    with Phone("137", auto_answer=True) as desk:
        target = f"127.0.0.1:{desk.port}"
        # What presses the key is another program, which has to begin before the call is over.
        with SippPhone.calling(target, "09131234567", hangup_after_ms=2000, keys="5", keys_after_ms=0) as odd:
            assert desk.wait_for_keys("5").peer == "sip:09131234567@127.0.0.1"
            assert odd.wait()
            desk.wait_for("closed")
    with Phone("137") as desk:
        target = f"127.0.0.1:{desk.port}"
        with SippPhone.calling(target, cancel_after_ms=200) as odd:
            assert odd.wait()
            assert desk.wait_for("closed").states == ["closed"]


def test_each_of_many_sipp_callers_calls_once():
    numbers = [f"0913000{i:04}" for i in range(30)]
    with SippPhone.answering() as other:
        target = f"127.0.0.1:{other.port}"
        with SippPhone.calling(target, numbers, rate=100, hangup_after_ms=100) as odd:
            assert odd.wait()
        other.wait_for("BYE", 30)
        assert [invite.header("From").split("@")[0] for invite in other.calls()] == [
            f"<sip:{number}" for number in numbers
        ]


def test_exchange_connects_each_number_to_its_phone_once():
    with Exchange() as exchange, Phone() as caller, Phone() as ali, SippPhone.refusing("603 No") as sara:
        exchange.connect("+989131111111", ali)
        exchange.connect("09132222222", sara)
        caller.dial(f"sip:09131111111@{exchange.address}")
        ali.wait_for_call()
        ali.answer()
        caller.wait_for("established")
        caller.hangup()
        ali.wait_for("closed")
        caller.dial(f"sip:+989132222222@{exchange.address}")
        assert caller.wait_for("closed").reason.startswith("603")
        caller.dial(f"sip:09133333333@{exchange.address}")
        assert caller.wait_for("closed").reason.startswith("404")
        assert [number for number, _ in exchange.invites] == ["09131111111", "+989132222222", "09133333333"]
        assert (exchange.rang("09131111111"), sara.rang) == (1, 1)


def test_repeated_request_of_a_refused_call_is_refused_again():
    # The answer was late, and the trunk is back: a phone that rang for it would never hear of anybody.
    with Crowd(free_port(), lambda *_: Behaviour()) as crowd, socket.socket(type=socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(30)
        crowd.trunk_says = "503 Service Unavailable"
        for _ in range(2):
            wire.sendto(_INVITE.replace("\n", "\r\n").encode(), ("127.0.0.1", crowd.port))
            assert wire.recv(2000).startswith(b"SIP/2.0 503")
            crowd.trunk_says = None
        assert (crowd.turned_away(), crowd.calls()) == (["09131230000"], [])


_INVITE = """INVITE sip:09131230000@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1
From: <sip:137@127.0.0.1>;tag=1
To: <sip:09131230000@127.0.0.1>
Call-ID: once
CSeq: 1 INVITE
Contact: <sip:137@127.0.0.1>
Content-Type: application/sdp
Content-Length: 0

v=0
c=IN IP4 127.0.0.1
m=audio 4000 RTP/AVP 8
"""
