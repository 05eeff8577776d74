"""An official at any telephone, and the soft tone near the end, on the real Asterisk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState
from hotline.people import accounts
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.system import System

PIN = "24680"


@pytest.fixture
def official(system: System) -> Operator:
    """A person whose desk has a telephone number instead of a phone of its own."""
    operator = system.operator()
    with writing(system.engine) as session:
        session.get_one(Desk, operator.desk).number = "+989139990000"
        accounts.set_pin(session, operator.username, PIN)
    return operator


@pytest.fixture
def phone(system: System) -> Iterator[Caller]:
    """The phone called through the trunk: the official's, and then the citizen's, in calls of their own."""
    with Caller(system, system.number(), port=system.trunk_port) as phone:
        yield phone


def _call_token(system: System, desk: int) -> str | None:
    with writing(system.engine) as session:
        return session.get_one(Desk, desk).call_token


def test_official_by_telephone_serves_a_round_with_pin_and_keys(
    system: System, official: Operator, phone: Caller
) -> None:
    with system.only_round() as round_id:
        system.register(round_id, system.number())
        assert official.http.put("/desk/round", json={"round_id": round_id}).status_code == 200
        assert official.http.post("/desk/phone/call").status_code == 202
        phone.wait_for_call()
        assert official.http.post("/desk/phone/call").json()["code"] == "desk-phone-called"
        phone.answer()
        phone.at("official-pin", "1111#")
        phone.at("official-wrong")
        assert not official.phone_connected()
        phone.at("official-pin", f"{PIN}#")
        phone.at("official-welcome")
        until(official.phone_connected, "the telephone is in the desk's room")

        with writing(system.engine) as session:
            session.get_one(Desk, official.desk).phone_connected = False
        system.kill("dialer")  # the next one asks Asterisk, and knows the telephone again
        until(official.phone_connected, "the telephone is known to be there")
        phone.press("1")
        phone.wait_for_call()
        assert official.phone_connected()
        phone.answer()
        phone.at("callback-press-one", "1")
        until(
            lambda: (official.http.get("/me").json()["callback"] or {}).get("state") == "talking",
            "they speak",
        )

        callback = official.http.get("/me").json()["callback"]["id"]
        official.hangup(callback)
        official.wait_for(callback, "ended")
        phone.wait_for("closed", call=phone.calls[1])  # the citizen's; what is left is the official's
        phone.hangup_all()
        until(lambda: not official.phone_connected(), "the telephone has left")
        until(lambda: _call_token(system, official.desk) is None, "it may be called again")


def test_dropped_official_phone_is_redialled_into_the_talk(
    system: System, official: Operator, phone: Caller
) -> None:
    with system.only_round() as round_id:
        system.register(round_id, system.number())
        assert official.http.post("/desk/phone/call").status_code == 202
        phone.wait_for_call()
        phone.answer()
        phone.at("official-pin", f"{PIN}#")
        until(official.phone_connected, "the telephone is in the desk's room")
        callback = official.claim(round_id)
        official.call(callback)
        phone.wait_for_call()
        phone.answer()
        phone.at("callback-press-one", "1")
        official.wait_for(callback, "talking")
        with reading(system.engine) as session:
            system.asterisk_says(f"channel request hangup {session.get_one(Desk, official.desk).channel}")
        official.wait_for(callback, "held")
        phone.wait_for_call()  # the official's telephone
        phone.answer()
        phone.at("official-pin", f"{PIN}#")
        official.wait_for(callback, "talking")
        assert _call_token(system, official.desk) is not None
        official.hangup(callback)
        official.wait_for(callback, "ended")


def test_tone_near_the_end_is_heard_by_the_official_alone(system: System, tone: Path) -> None:
    operator = system.operator()
    chime = system.clips["nearly-over"]
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account), sound=tone) as desk,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        system.register(round_id, system.number())
        callback = operator.claim(round_id)
        operator.call(callback)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("callback-press-one", "1")
        operator.wait_for(callback, "talking")
        sound.until_heard(
            lambda: sound.tone_level(citizen.recording(), 440) > 0.6, "the citizen hears the official"
        )
        with writing(system.engine) as session:
            begun = now(session) - timedelta(minutes=system.round(round_id).minutes, seconds=-29)
            session.execute(update(Callback).where(Callback.id == callback).values(talking_at=begun))

        sound.until_heard(
            lambda: sound.best_score(desk.recording(), chime) > sound.THRESHOLD, "the official hears it"
        )
        before = citizen.recording().seconds
        citizen.wait_for_sound(before + 1)
        assert sound.best_score(citizen.recording(), chime) < 0.5
        toned = system.callback(callback)
        assert toned.toned_at is not None
        assert toned.state is CallbackState.TALKING  # nobody is cut off
        operator.hangup(callback)
        operator.wait_for(callback, "ended")
