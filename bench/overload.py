"""Twice as many callers as one node behind Kamailio carries: what still works, and how soon all is well.

The anchor is the same system at the highest carried rate. There nobody is rejected, and everybody registers
as fast as they call. A rejected caller hears that all lines are full, or gets 503. An admitted caller must
register as fast as ever.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psutil
from sqlalchemy import func, select

from db.engine import reading
from db.models import Incoming, IncomingCalls
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.kamailio import Kamailio
from tests.kit.load import Load, Pressed
from tests.kit.performance import measured
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.system import System

RATES = sized((150, 120, 100, 80, 60, 40), (3,))
"""The first carried rate is the anchor."""
CARRIED = 0.95
TIMES = sized((2, 3), (2,))
SECONDS = sized(20, 1)
KEYS = [Pressed(sized(300, 1_000), "1"), *(Pressed(sized(300, 400), key) for key in "13#")]
HANGUP_MS = sized(500, 2_000)
GOAL = "0.95 of what is done at the rate that is carried"


def _counted(system: System, incoming: Incoming) -> int:
    with reading(system.engine) as session:
        return (
            session.scalar(select(func.sum(IncomingCalls.calls)).where(IncomingCalls.kind == incoming)) or 0
        )


class Played(NamedTuple):
    """A row's results."""

    done: float
    """Registrations a second, while the calls come."""
    away: int


@contextmanager
def _city(*, behind: bool) -> Iterator[tuple[System, str]]:
    """Start one node; return its address, `behind` Kamailio or direct."""
    room = {"HOTLINE_MAX_CALLS": str(sized(2000, 60))}
    if not behind:
        with System(**room) as system:
            yield system, str(system.settings.sip)
        return
    sip, proxy = (f"127.0.0.1:{free_port()}" for _ in range(2))
    known = {"HOTLINE_SIP": sip, "HOTLINE_SIP_PROXY": proxy, "HOTLINE_SIP_NODES": f"main={sip}"}
    with (
        System(**room, **known, HOTLINE_SIP_PROXY_CALLS_PER_SECOND="5000") as system,
        Kamailio(system.settings, memory_mb=256) as kamailio,
    ):
        _go_first(kamailio.pid)
        until(lambda: "FLAGS: A" in kamailio.nodes(), "the node is asked for callers")
        yield system, proxy


def _go_first(pid: int) -> None:
    """Carrier and proxy have machines of their own in life: here they take no CPU from the node."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        for thread in process.threads():
            with suppress(PermissionError):
                os.sched_setscheduler(thread.id, os.SCHED_RR, os.sched_param(10))


def _row(rate: int, best: float | None = None, *, behind: bool = True) -> Played:
    """Measure one line of the table, on a system of its own."""
    with _city(behind=behind) as (system, called), system.only_round() as round_id:
        numbers = [system.number() for _ in range(rate * SECONDS)]
        began = time.monotonic()
        per_second: list[int] = []
        over = threading.Event()

        def look() -> None:
            before = 0
            while not over.wait(1):
                rows = len(system.registrations(round_id))
                per_second.append(rows - before)
                before = rows

        looking = threading.Thread(target=look)
        looking.start()
        with Load(called, numbers, rate=rate, at_once=6000, keys=KEYS, hangup_after_ms=HANGUP_MS) as load:
            _go_first(load.pid)
            load.wait(SECONDS + sized(120, 60))
        took = time.monotonic() - began
        over.set()
        looking.join()
        rows = len(system.registrations(round_id))
        last, ended = system.number(), time.monotonic()

        def gets_through() -> bool:
            with Load(called, [last], rate=1, keys=KEYS, hangup_after_ms=HANGUP_MS) as one:
                return one.wait(60).successful == 1

        until(gets_through, "a caller gets through", 180)
        well = time.monotonic() - ended
        answered, away = (_counted(system, each) for each in (Incoming.ANSWERED, Incoming.TURNED_AWAY))
    steady = per_second[3 : SECONDS - 1] or per_second
    done = sum(steady) / len(steady)
    must_hold(rows <= len(numbers), "nobody is registered twice")
    print(
        f"{'' if behind else 'straight':<9}{rate:>8}{done:>14.1f}{done / (best or done):>8.2f}{rows:>12}"
        f"{answered:>10}{away:>8}{took:>8.0f}{well:>8.1f}"
        + (f"   {per_second}" if os.environ.get("EACH") else ""),
        flush=True,
    )
    return Played(done, away)


def _carried() -> tuple[int, float]:
    """Return the highest carried rate of RATES with its registrations; the lowest rate if none is carried."""
    for rate in RATES:
        done, away = _row(rate)
        if done >= CARRIED * rate and not away:
            break
    return rate, done


def main() -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores that sipp shares, load before: {os.getloadavg()[0]:.1f}; goal: {GOAL}")
    print(
        f"{'':<9}{'calls/s':>8}{'registered/s':>14}{'ratio':>8}{'registered':>12}{'let in':>10}{'away':>8}"
        f"{'s':>8}{'well s':>8}"
    )
    rate, best = _carried()
    for times, behind in ((TIMES[0], True), (TIMES[0], False), *((more, True) for more in TIMES[1:])):
        done, away = _row(times * rate, best, behind=behind)
        if times == TIMES[0] and behind:
            ours = f"{done:.1f}/s of {times * rate}/s, {away} turned away"
            measured("overload", done / (best or 1), ours, f"{best:.1f}/s of {rate}/s")


if __name__ == "__main__":
    brief.play(main)
