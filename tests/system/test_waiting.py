"""Waiting for the official, on the real Asterisk: what is heard, how one is connected, and «later»."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import Callback, PlacedCall
from db.states import Outcome, RegistrationState
from ops.hang_timeouts import IDLE_S
from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.process import until
from tests.kit.system import System


@contextmanager
def a_waiting_citizen(system: System, desk: Operator, round_id: int) -> Iterator[tuple[Caller, int]]:
    """A citizen called ahead who has pressed 1; the desk does not want them yet. And their callback."""
    number = system.number()
    system.register(round_id, number)
    assert desk.http.put("/desk/round", json={"round_id": round_id}).status_code == 200
    with Caller(system, number, port=system.trunk_port) as citizen:
        assert desk.http.post("/desk/next", json={"after": None}).status_code == 200
        citizen.wait_for_call()
        assert desk.http.post("/desk/not-now").status_code == 200
        citizen.answer()
        citizen.at("callback-press-one", "1")
        until(lambda: desk.http.get(f"/rounds/{round_id}/stage").json()["ready"], "the citizen waits")
        yield citizen, desk.http.get(f"/rounds/{round_id}/stage").json()["ready"][0]["id"]


def _asks_next(desk: Operator, after: int | None = None) -> None:
    assert desk.http.post("/desk/next", json={"after": after, "confirmed": True}).status_code == 200


def _is_called(system: System, number: str) -> bool:
    """Whether it is written down that a call to this number goes on, which is not called meanwhile."""
    with reading(system.engine) as session:
        goes_on = select(PlacedCall).where(PlacedCall.number == number, PlacedCall.ended_at.is_(None))
        return session.scalar(goes_on) is not None


def _mine(desk: Operator) -> dict[str, Any]:
    until(lambda: desk.http.get("/me").json()["callback"], "the desk has a callback")
    return dict(desk.http.get("/me").json()["callback"])


def test_key_2_while_waiting_returns_the_citizen_to_the_place(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        a_waiting_citizen(system, desk, round_id) as (citizen, callback),
    ):
        system.register(round_id, system.number())
        citizen.at("wait-press-two", "2")
        assert desk.wait_for(callback, "closed") == Outcome.CALL_AGAIN
        citizen.at("wait-later")
        citizen.wait_for("closed", timeout=40)

        first, later = system.registrations(round_id)
        assert (first.state, first.attempts) == (RegistrationState.WAITING, 0)
        until(lambda: not _is_called(system, first.number), "the end of the call is written down")
        _asks_next(desk)  # whoever registered later is not called before them
        citizen.wait_for_call()
        assert (_is_called(system, first.number), _is_called(system, later.number)) == (True, False)
        assert desk.http.post("/desk/not-now").status_code == 200
        citizen.reject()


def test_next_by_the_official_interrupts_the_estimate(system: System, desk: Operator) -> None:
    with system.only_round() as round_id, Caller(system, system.number(), port=system.trunk_port) as citizens:
        system.register(round_id, system.number())
        system.register(round_id, system.number())
        assert desk.http.put("/desk/round", json={"round_id": round_id}).status_code == 200
        _asks_next(desk)
        citizens.wait_for_call()
        citizens.answer()
        citizens.at("callback-press-one", "1")
        first = _mine(desk)["id"]
        desk.wait_for(first, "talking")
        with writing(system.engine) as session:  # it has lasted for a while
            callback = session.get_one(Callback, first)
            callback.talking_at = now(session) - timedelta(minutes=4)
        citizens.wait_for_call()
        citizens.answer()
        citizens.at("callback-press-one", "1")
        citizens.at("wait-intro")
        citizens.at("wait-minutes.2", timeout=60)  # after the number of minutes

        _asks_next(desk, after=first)
        desk.wait_for(_mine(desk)["id"], "talking")
        assert _mine(desk)["id"] != first
        assert desk.wait_for(first, "closed") == Outcome.REACHED


@pytest.mark.parametrize("what", [signal.SIGSTOP, signal.SIGKILL])
def test_waiting_music_survives_a_stalled_or_dead_ivr(
    system: System, desk: Operator, what: signal.Signals
) -> None:
    with (
        system.only_round() as round_id,
        a_waiting_citizen(system, desk, round_id) as (citizen, callback),
    ):
        citizen.at("wait-press-two")
        ivr = system.pid("ivr")
        with writing(system.engine) as session:
            session.connection()  # nobody else writes now: who stood still at it would keep all from writing
            os.kill(ivr, what)
        try:
            _asks_next(desk)
            desk.wait_for(callback, "talking", timeout=IDLE_S - 1)  # nobody has replaced it yet
        finally:
            with suppress(ProcessLookupError):
                os.kill(ivr, signal.SIGCONT)
