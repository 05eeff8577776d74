"""kill -9 in the middle: nobody is lost, nobody is dialled twice, no caller hears silence."""

import sqlite3
from contextlib import closing

from db.models import Callback
from db.states import Outcome
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.sipp import SippPhone
from tests.kit.system import System


def _until_heard(phone: Phone, system: System, clip: str, timeout: float = 30.0) -> None:
    path = system.clips[clip]
    sound.until_heard(
        lambda: sound.best_score(phone.recording(), path) > sound.THRESHOLD, f"heard {clip}", timeout
    )


_GIVES_UP_S = 90
"""The time until a script gives up. It waits 30 s at most for its turn to write, and 20 for another process's
lock. All is asked once more then, and the caller hears over and over that it goes on.
"""


def test_database_locked_for_good_ends_in_an_apology(
    system: System,
) -> None:
    with (
        system.only_round() as round_id,
        Caller(system, system.number()) as caller,
        closing(sqlite3.connect(system.settings.state_dir / "hotline.db", 30, isolation_level=None)) as lock,
    ):
        caller.call()
        caller.at("greeting", "1")
        caller.at("confirm-number")
        lock.execute("BEGIN IMMEDIATE")
        caller.press("1")
        caller.at("one-moment")
        caller.at("main-menu", "1", timeout=_GIVES_UP_S)
        caller.at("confirm-number", "1")
        caller.at("apology", timeout=_GIVES_UP_S)
        caller.wait_for("closed", timeout=30)
        lock.execute("ROLLBACK")
        assert system.registrations(round_id) == []


def _called(system: System, operator: Operator, round_id: int) -> int:
    system.register(round_id, system.number())
    callback = operator.claim(round_id)
    operator.call(callback)
    return callback


def test_killed_dialer_is_replaced_without_a_second_ring(
    system: System,
) -> None:
    operator = system.operator()
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account)) as desk,
        Phone(port=system.trunk_port) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        callback = _called(system, operator, round_id)
        citizen.wait_for_call()
        system.kill("dialer")
        citizen.answer()
        _until_heard(citizen, system, "callback-intro")
        citizen.press("1")
        operator.wait_for(callback, "talking")
        citizen.hangup()
        operator.wait_for(callback, "ended")
        assert citizen.rang == 1


def test_conversation_survives_a_killed_dialer(
    system: System,
) -> None:
    operator = system.operator()
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account)) as desk,
        SippPhone.answering(port=system.trunk_port, keys="1") as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        callback = _called(system, operator, round_id)
        operator.wait_for(callback, "talking")
        dead = system.kill("dialer")
        until(lambda: _other_pid(system, dead), "a new dialer")
        system.wait_healthy()
        assert system.callback(callback).state == "talking"

        operator.hangup(callback)
        operator.wait_for(callback, "ended")
        citizen.wait_for("BYE")
        assert citizen.rang == 1


def test_call_that_ends_without_a_dialer_is_not_repeated(
    system: System,
) -> None:
    operator = system.operator()
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account)) as desk,
        SippPhone.answering(port=system.trunk_port, hangup_after_ms=1000) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        callback = _called(system, operator, round_id)
        citizen.wait_for("ACK")
        system.kill("dialer")
        operator.wait_for(callback, "ended", "closed")
        assert citizen.rang == 1
        _ends_truly(system.callback(callback))


def _ends_truly(callback: Callback) -> None:
    assert callback.state == "ended" or callback.outcome == Outcome.HUNG_UP


def test_killed_asterisk_leaves_the_outcome_to_the_desk(
    system: System,
) -> None:
    operator = system.operator()
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account)) as desk,
        SippPhone.answering(port=system.trunk_port, keys="1") as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        callback = _called(system, operator, round_id)
        operator.wait_for(callback, "talking")
        system.kill("asterisk")
        operator.wait_for(callback, "ended")
        until(lambda: not operator.phone_connected(), "the desk's phone is gone")
        assert citizen.rang == 1
    system.wait_healthy()


def _other_pid(system: System, dead: int) -> bool:
    try:
        return system.pid("dialer") != dead
    except LookupError:
        return False
