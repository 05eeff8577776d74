"""How many callers hear clean prompts at one time, and the share of the CPU that is not Asterisk's.

Some callers have sockets of their own. Their sound is clean if no packet is missing, and nearly all packets
come before a telephone's buffer is empty. The buffer is refilled where the sound starts again (RFC 3550's
marker). The other callers' sound goes to a socket that nobody reads.
"""

import os
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.footprint import OURS, cpu_s, pids
from tests.kit.load import Load
from tests.kit.performance import measured
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.system import System

IN_PROGRESS = sized((400, 500, 600), (2,))
LISTENERS = sized(20, 2)
LASTS_S = sized(40, 3)
BEGIN_WITHIN_S = sized(25, 1)
HEARD_S = sized(8.0, 1.0)
BUFFER_S, IN_TIME, OUR_SHARE = 0.06, 0.999, 0.15
"""A telephone's buffer, the least share of packets in time, and our largest share of the work."""


RTP_HZ, MARKER = 8000, 0x80


class Sound(NamedTuple):
    """The packets of one listener."""

    packets: int
    missing: int
    late: int


def _hears(wire: socket.socket) -> Sound:
    """Receive for HEARD_S from the first packet on."""
    packets = missing = late = last = 0
    soonest, ends = 0.0, float("inf")
    while time.monotonic() < ends:
        packet = wire.recv(2048)
        kind, number, stamp = struct.unpack_from("!xBHI", packet)
        behind = time.monotonic() - stamp / RTP_HZ
        if not packets:
            ends = time.monotonic() + HEARD_S
        else:
            missing += (number - last - 1) % 65536
        soonest = behind if kind & MARKER or not packets else min(soonest, behind)
        late += behind - soonest > BUFFER_S
        last, packets = number, packets + 1
    return Sound(packets, missing, late)


def _in_progress(system: System) -> int:
    return int(system.asterisk_says("core show channels count").split()[0])


def _row(system: System, count: int) -> bool:
    """Measure one line of the table; return whether it is good."""
    with ExitStack() as stack:
        wires = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(LISTENERS)
        ]
        for wire in wires:
            wire.bind(("127.0.0.1", free_port()))
            wire.settimeout(30)
        target, lasts = str(system.settings.sip), LASTS_S * 1000
        others = [system.number() for _ in range(3 * count)]
        stack.enter_context(
            Load(target, others, rate=count / BEGIN_WITHIN_S, at_once=count, hangup_after_ms=lasts)
        )
        until(lambda: _in_progress(system) >= count, "the calls are in progress", 60)
        ports, numbers = [wire.getsockname()[1] for wire in wires], [system.number() for _ in wires]
        known = pids(system)
        before, began = cpu_s(known), time.monotonic()
        with (
            ThreadPoolExecutor(LISTENERS) as pool,
            Load(target, numbers, rate=LISTENERS, hangup_after_ms=lasts, sound_ports=ports),
        ):
            heard = [each.result() for each in [pool.submit(_hears, wire) for wire in wires]]
        took, after, there = time.monotonic() - began, cpu_s(known), _in_progress(system)
    spent = {name: after[name] - before[name] for name in after}
    ours = sum(spent[name] for name in OURS) / (sum(spent.values()) or 1)
    playing_ms = 1000 * spent["asterisk"] / (took * there or 1)
    packets, missing, late = (sum(each) for each in zip(*heard, strict=True))
    clean = not missing and late <= (1 - IN_TIME) * packets
    must_hold(packets > 0, "the listeners hear something")
    print(
        f"{there:<14}{packets:>9}{missing:>9}{late:>7}{'clean' if clean else 'not clean':>11}"
        f"{100 * ours:>8.0f} %{playing_ms:>9.2f} ms",
        flush=True,
    )
    if clean and ours <= OUR_SHARE:
        measured("callers-at-once", count, f"{there} calls, ours {100 * ours:.0f} %", f"{playing_ms:.2f} ms")
    return clean and ours <= OUR_SHARE


def main() -> None:
    """Print the table, up to the first line that is not good."""
    print(
        f"callers who hear prompts, {os.cpu_count()} cores that sipp and this bench share, load of the "
        f"machine before: {os.getloadavg()[0]:.1f}; goal: 500 in clean sound, ours at most {OUR_SHARE:.0%}"
    )
    print(f"{'in progress':<14}{'packets':>9}{'missing':>9}{'late':>7}{'':>11}{'ours':>10}{'a second':>12}")
    for count in IN_PROGRESS:
        # Each row has a system of its own: callers of the row before may not have hung up.
        with System(HOTLINE_MAX_CALLS=str(sized(1000, 60))) as system, system.only_round():
            good = _row(system, count)
        if not good and not brief.BRIEF:
            break


if __name__ == "__main__":
    brief.play(main)
