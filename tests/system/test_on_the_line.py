"""Key 0 on the real Asterisk: an operator at once, on the line, or by callback; no place is lost."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import (
    Callback,
    CallerNow,
    Desk,
    Heartbeat,
    OutboundKind,
    PlacedCall,
    Registration,
    WaitingCaller,
)
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import transitions, waiting_callers
from hotline.outbound import queue
from hotline.rounds import phases
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import slowness, until
from tests.kit.sound import a_tone
from tests.kit.system import System

CITIZEN_HZ, DESK_HZ = 440, 1000
HEARD = 0.1
AT_ONCE_S = 4.0
"""On a machine with nothing else to do."""


@contextmanager
def a_desk(system: System, folder: Path, *, takes: bool = True) -> Iterator[Operator]:
    """An operator whose phone is in its room, and says a tone."""
    operator = system.operator()
    tone = a_tone(folder, DESK_HZ)
    with Phone(account=Account(*operator.phone_account), sound=tone) as operator.phone:
        operator.phone.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        _takes(system, operator, takes)
        yield operator


def _takes(system: System, operator: Operator, takes: bool) -> None:
    with writing(system.engine) as session:
        session.get_one(Desk, operator.desk).takes_live = takes


def _presses_0(caller: Caller) -> None:
    """Calls 137 and presses 0 at once."""
    caller.call()
    caller.at("greeting", "0")


def _waits(system: System, caller: Caller) -> int:
    """Presses 0, and chooses to wait on the line; the place."""
    _presses_0(caller)
    caller.at("operator-choice", "1")
    place = _place(system, caller)
    until(lambda: _is_there(system, place), "the caller waits on the line")
    return place


def _place(system: System, caller: Caller) -> int:
    number = f"+98{caller.number[1:]}"
    with reading(system.engine) as session:
        newest = select(Registration.id).where(Registration.number == number)
        return session.scalars(newest.order_by(Registration.id.desc())).first() or 0


def _is_there(system: System, place: int) -> bool:
    with reading(system.engine) as session:
        return waiting_callers.find(session, place) is not None


def _has_dialled(system: System, caller: Caller) -> bool:
    """Return whether the caller is recorded on the line of 137: that takes up to a second."""
    with reading(system.engine) as session:
        here = select(CallerNow).where(CallerNow.number == f"+98{caller.number[1:]}")
        return session.scalar(here) is not None


def _callback(system: System, place: int) -> Callback | None:
    with reading(system.engine) as session:
        return transitions.find_by_registration(session, place)


def _talks(system: System, place: int) -> bool:
    callback = _callback(system, place)
    return callback is not None and callback.state is CallbackState.TALKING


def _calls(system: System, caller: Caller) -> int:
    """How often the number was dialled."""
    with reading(system.engine) as session:
        placed = select(PlacedCall).where(PlacedCall.number == f"+98{caller.number[1:]}")
        return len(session.scalars(placed).all())


def _hear_each_other(system: System, caller: Caller, operator: Operator) -> None:
    for who, hz in ((caller, DESK_HZ), (operator.phone, CITIZEN_HZ)):
        try:
            sound.until_heard(
                lambda who=who, hz=hz: sound.tone_level(who.recording().part(-1.0), hz) > HEARD,
                f"{who.number} hears the other",
                20,
            )
        except TimeoutError:
            for asked in ("core show channels concise", "bridge show all", "local show channels"):
                sys.stdout.write(f"--- {asked}\n{system.asterisk_says(asked)}\n")
            raise


def _says(operator: Operator, callback: int, outcome: str) -> None:
    operator.hangup(callback)
    operator.wait_for(callback, "ended", "parting")
    answer = operator.http.put(f"/callbacks/{callback}/outcome", json={"outcome": outcome, "note": ""})
    assert answer.status_code == 200, answer.text


@contextmanager
def a_caller(system: System, folder: Path) -> Iterator[Caller]:
    with Caller(system, system.number(), port=system.trunk_port, sound=a_tone(folder, CITIZEN_HZ)) as caller:
        yield caller


def test_key_3_connects_a_caller_in_danger(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path) as operator, a_caller(system, tmp_path) as caller:
        caller.call()
        caller.at("greeting", "3")
        caller.at("report-danger", "0")
        until(lambda: _talks(system, _place(system, caller)), "they speak")
        _hear_each_other(system, caller, operator)
        callback = _callback(system, _place(system, caller))
        assert callback and callback.registration.moved_up
        caller.hangup()
        operator.wait_for(callback.id, "ended", "parting")


def test_key_0_with_a_free_desk_connects_within_5_s(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path) as operator, a_caller(system, tmp_path) as caller:
        slow = slowness()
        _presses_0(caller)
        since = time.monotonic()
        until(lambda: _talks(system, _place(system, caller)), "they speak", every=0.02)
        assert time.monotonic() - since <= AT_ONCE_S * max(slow, slowness())
        _hear_each_other(system, caller, operator)
        place = _place(system, caller)
        callback = _callback(system, place)
        assert callback and callback.on_the_line and callback.desk_id == operator.desk
        _says(operator, callback.id, "reached")
        caller.wait_for("closed")
        assert operator.wait_for(callback.id, "closed") == Outcome.REACHED
        assert (_calls(system, caller), caller.rang) == (0, 0)


def test_key_0_in_an_overflow_callback_connects_in_that_call(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path) as operator, a_caller(system, tmp_path) as caller:
        with writing(system.engine) as session:
            at = now(session)
            queue.add(session, OutboundKind.OVERFLOW, f"+98{caller.number[1:]}", at)
        caller.wait_for_call()
        caller.answer()
        caller.at("left-call-intro")
        caller.at("left-call-question", "1")
        caller.at("greeting", "0")
        until(lambda: _talks(system, _place(system, caller)), "they speak")
        _hear_each_other(system, caller, operator)
        callback = _callback(system, _place(system, caller))
        assert callback and callback.on_the_line
        _says(operator, callback.id, "reached")
        caller.wait_for("closed")
        assert (_calls(system, caller), caller.rang) == (1, 1)


def test_desk_takes_waiting_and_callback_citizens_in_line_order(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path, takes=False) as operator, a_caller(system, tmp_path) as first:
        place = _waits(system, first)
        line_id = _operators_line(system)
        with a_caller_elsewhere(system, tmp_path) as second:
            _presses_0(second)
            second.at("operator-choice", "2")
            second.at("operator-registered")
            second.hangup()
            called_back = _place(system, second)

        # by hand: the head of the line waits, so nobody's phone rings
        taken = operator.claim(line_id)
        assert system.callback(taken).registration_id == place
        operator.call(taken)
        operator.wait_for(taken, "talking")
        _hear_each_other(system, first, operator)
        assert first.rang == 0
        _says(operator, taken, "reached")
        first.wait_for("closed")

        # the next one is not on the line, and is not passed
        following = operator.claim(line_id)
        assert system.callback(following).registration_id == called_back
        operator.returned(following)


def test_live_desk_calls_back_before_serving_the_waiting(system: System, tmp_path: Path) -> None:
    with (
        a_desk(system, tmp_path, takes=False) as operator,
        a_caller(system, tmp_path) as called_back,
        a_caller_elsewhere(system, tmp_path) as waits,
    ):
        _presses_0(called_back)
        called_back.at("operator-choice", "2")
        called_back.at("operator-registered")
        called_back.hangup()
        first, second = _place(system, called_back), _waits(system, waits)
        _takes(system, operator, True)
        called_back.wait_for_call()
        assert _callback(system, second) is None
        called_back.answer()
        called_back.at("callback-intro", "1")
        until(lambda: _talks(system, first), "who was called back speaks first")
        callback = _callback(system, first)
        assert callback and not callback.on_the_line
        _says(operator, callback.id, "reached")
        until(lambda: _talks(system, second), "then who waited")
        _hear_each_other(system, waits, operator)
        assert (called_back.rang, waits.rang) == (1, 0)


@contextmanager
def a_caller_elsewhere(system: System, folder: Path) -> Iterator[Caller]:
    """A caller whose phone nobody reaches."""
    with Caller(system, system.number(), sound=a_tone(folder, CITIZEN_HZ)) as caller:
        yield caller


def _operators_line(system: System) -> int:
    with writing(system.engine) as session:
        return phases.get_operators_line(session).id


def test_hang_up_while_waiting_leads_to_one_callback(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path, takes=False) as operator, a_caller(system, tmp_path) as caller:
        place = _waits(system, caller)
        caller.hangup()
        until(lambda: not _is_there(system, place), "the wait is over")
        until(lambda: not _has_dialled(system, caller), "nobody believes them to be on the line")
        line_id = _operators_line(system)
        assert operator.http.post(f"/rounds/{line_id}/claims").status_code == 204  # left in peace
        with writing(system.engine) as session:
            waited = session.get_one(WaitingCaller, place)
            assert waited.left_at
            waited.left_at -= 2 * waiting_callers.busy_numbers.PUTS_DOWN
        taken = operator.claim(line_id)
        assert system.callback(taken).registration_id == place
        operator.call(taken)
        caller.wait_for_call()
        caller.answer()
        caller.at("callback-intro", "1")
        operator.wait_for(taken, "talking")
        assert caller.rang == 1


@pytest.mark.parametrize("part", ["ivr", "dialer"])
def test_waiting_caller_survives_a_killed_process(system: System, tmp_path: Path, part: str) -> None:
    with a_desk(system, tmp_path, takes=False) as operator, a_caller(system, tmp_path) as caller:
        place = _waits(system, caller)
        caller.at("operator-stay")
        system.kill(part)
        if part == "ivr":
            caller.at("one-moment")
        system.wait_healthy()
        until(lambda: _is_there(system, place), "the caller waits on the line again")
        _takes(system, operator, True)
        until(lambda: _talks(system, place), "they speak")
        _hear_each_other(system, caller, operator)
        assert (_calls(system, caller), caller.rang) == (0, 0)


def test_waiting_caller_of_a_killed_asterisk_is_called_back(system: System, tmp_path: Path) -> None:
    with a_desk(system, tmp_path, takes=False) as operator, a_caller(system, tmp_path) as caller:
        place = _waits(system, caller)
        system.kill("asterisk")
        until(lambda: not _is_there(system, place), "the wait is over", 30)
        with reading(system.engine) as session:
            kept = session.get_one(Registration, place)
            assert (kept.state, kept.attempts) == (RegistrationState.WAITING, 0)
            assert session.get(Heartbeat, "ivr")
        assert operator
    system.wait_healthy()


def test_key_2_while_waiting_gives_the_ticket_and_a_callback(system: System, tmp_path: Path) -> None:
    with a_caller(system, tmp_path) as caller:
        place = _waits(system, caller)
        caller.at("operator-stay", "2")
        caller.at("operator-registered")
        caller.wait_for("closed", timeout=40)
        assert not _is_there(system, place)
        with reading(system.engine) as session:
            assert session.get_one(Registration, place).state is RegistrationState.WAITING


def test_dead_line_of_a_caller_who_waits_is_given_to_nobody(system: System, tmp_path: Path) -> None:
    with a_caller(system, tmp_path) as caller:
        place = _waits(system, caller)
        caller.freeze()
        until(lambda: not _is_there(system, place), "nobody waits there", 40)
        assert _callback(system, place) is None
