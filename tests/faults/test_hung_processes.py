"""A process that hangs, not dies: stopped, or locked in itself. Nobody tells it to end; the watchdog does."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from db.engine import now, reading
from db.models import Heartbeat
from hotline import heartbeats
from ops.hang_timeouts import IDLE_S
from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.phone import Phone
from tests.kit.process import slowness, until
from tests.kit.system import System

BACK_S = 15.0
"""From the moment a process hangs until all work again, on a machine with nothing else to do."""
TOLD_S = 6.0
"""From the moment Asterisk hangs until /healthz says so; its parent kills it after eight."""
OURS = ("ivr", "dialer", "scheduler", "api")


@contextmanager
def talking(system: System, desk: Operator) -> Iterator[tuple[int, Phone]]:
    """A citizen speaks with the desk."""
    number = system.number()
    with system.only_round() as round_id, Caller(system, number, port=system.trunk_port) as citizen:
        system.register(round_id, number)
        callback = desk.claim(round_id)
        desk.call(callback)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("callback-intro", "1")
        desk.wait_for(callback, "talking")
        yield callback, citizen


def stop(system: System, *names: str) -> dict[str, int]:
    """Stop the processes as a debugger would: they live, and do nothing."""
    stopped = {name: system.pid(name) for name in names}
    for pid in stopped.values():
        os.kill(pid, signal.SIGSTOP)
    return stopped


def others_live(system: System, dead: dict[str, int]) -> bool:
    try:
        return all(system.pid(name) != pid for name, pid in dead.items())
    except LookupError:
        return False


def beats(system: System) -> dict[str, float]:
    """How old each heartbeat is, in seconds."""
    with reading(system.engine) as session:
        at = now(session)
        return {
            name: (at - session.get_one(Heartbeat, heartbeats.find_row(name)).at).total_seconds()
            for name in ("ivr", "dialer", "scheduler", "asterisk")
        }


def assert_all_work_in_time(system: System, dead: dict[str, int], since: float) -> None:
    """New processes have worked, all of them, within BACK_S; all takes longer on a busy machine."""
    until(lambda: others_live(system, dead), "there are new processes", 4 * BACK_S)
    assert_they_work(system, BACK_S, since)


def assert_they_work(system: System, within: float, since: float) -> None:
    started = time.monotonic()
    slow = slowness()
    until(
        lambda: (
            all(age < time.monotonic() - started for age in beats(system).values())
            and system.answers_calls()
            and system.healthy()
        ),
        "all work again",
        4 * BACK_S,
        every=0.1,
    )
    assert time.monotonic() - since <= within * max(slow, slowness())


def test_hung_processes_recover_during_a_conversation(system: System, desk: Operator) -> None:
    with talking(system, desk) as (callback, citizen):
        since = time.monotonic()
        hung = stop(system, *OURS)

        assert_all_work_in_time(system, hung, since)
        assert system.callback(callback).state == "talking"
        desk.hangup(callback)
        desk.wait_for(callback, "ended")
        assert citizen.rang == 1


def test_hung_asterisk_recovers_and_the_desk_may_call_again(system: System, desk: Operator) -> None:
    with system.only_round() as round_id, Phone(port=system.trunk_port) as citizen:
        system.register(round_id, system.number())
        callback = desk.claim(round_id)
        desk.call(callback)
        citizen.wait_for_call()
        since = time.monotonic()
        os.kill(system.keeper, signal.SIGSTOP)  # starts no other Asterisk before this one is told of
        hung = stop(system, "asterisk")

        until(lambda: '"asterisk":"down"' in system.health(), "it is told", every=0.1)
        assert time.monotonic() - since <= TOLD_S * slowness()
        os.kill(system.keeper, signal.SIGCONT)
        assert_all_work_in_time(system, hung, since)
        desk.wait_for(callback, "ended", "closed")
        assert citizen.rang == 1


@contextmanager
def a_lock_for_ever(system: System) -> Iterator[None]:
    """Within it each channel locks itself up: Asterisk waits for a file that nobody writes, its lock held."""
    manager = system.settings.state_dir / "asterisk" / "etc" / "manager.conf"
    never = system.settings.state_dir / "never-written"
    os.mkfifo(never)
    before = manager.read_text()
    manager.write_text(before.replace("[general]\n", f"[general]\nchannelvars = FILE({never})\n", 1))
    system.asterisk_says("module load func_env.so")
    system.asterisk_says("manager reload")
    manager.write_text(before)  # for the next one
    yield
    never.unlink()


def test_deadlocked_core_with_a_live_manager_is_restarted(
    system: System,
) -> None:
    before, written = {"asterisk": system.pid("asterisk")}, len(system.log())
    with a_lock_for_ever(system), Phone(system.number()) as phone:
        phone.dial(system.hotline)
        until(lambda: others_live(system, before), "it is started again", 2 * IDLE_S + 4)  # patience doubles
        assert "Asterisk does not answer" not in system.log()[written:], "no ping of the dialer's was lost"

    assert_they_work(system, BACK_S - IDLE_S, time.monotonic())
