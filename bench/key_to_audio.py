"""Time from a key to the next prompt's first sound, with 300 and 500 calls in progress and none.

A measuring caller's sound comes to a socket of this bench, which also presses the keys (RFC 4733). A key
counts from the packet that ends it, when Asterisk knows the key. In alaw a prompt's packets are its file, so
its first 160 bytes show when it begins.
"""

import os
import random
import socket
import statistics
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.load import Load
from tests.kit.performance import measured
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.rtp_sender import FRAME, TELEPHONE_EVENT, key_frames
from tests.kit.system import System

IN_PROGRESS = sized((0, 300, 500), (2,))
CALLERS = sized(100, 2)
RATE = 2
LASTS_S = 60
"""Seconds of a call in progress; 90 in life (docs/scale.md). Shorter calls also measure how calls begin."""
BEGIN_WITHIN_S = sized(30, 1)
HANGUP_MS = 14_000
GOAL = "median under 60, 99th percentile under 200"
# Each key, and the clip that follows it. The transaction that registers comes before the last clip. Its key
# is typed ahead: it answers the question after the prompt about the round.
PATH = [("1", "round-when.1"), ("1", "registered-brief.1")]
COMMITS = "registered-brief.1"


def _press(wire: socket.socket, key: str, number: int, peer: tuple[str, int]) -> int:
    """Send a key's packets up to the first that ends it; return the next packet's number."""
    for frame in key_frames(key):
        assert frame
        first, age, body = frame
        head = struct.pack("!BBHII", 0x80, first << 7 | TELEPHONE_EVENT, number, (number - age) * FRAME, 137)
        wire.sendto(head + body, peer)
        number += 1
        if body[1] & 0x80:
            break
    return number


def _call(wire: socket.socket, begins: dict[str, bytes]) -> dict[str, float]:
    """Return milliseconds to each clip of PATH, in the one call with its sound at `wire`."""
    found, number = {}, 1
    for key, clip in PATH:
        for _ in range(random.randint(40, 80)):  # listens for so many times 20 ms
            _, peer = wire.recvfrom(2048)
        number = _press(wire, key, number, peer)
        pressed = time.monotonic()
        while clip and wire.recv(2048)[12:] != begins[clip]:
            if time.monotonic() - pressed > 5:
                return found
        if clip:
            found[clip] = (time.monotonic() - pressed) * 1000
    return found


def _measure(system: System) -> list[dict[str, float]]:
    folder = system.settings.prompts_dir / "fa"
    begins = {clip: (folder / f"{clip}.alaw").read_bytes()[:FRAME] for _, clip in PATH if clip}
    with ExitStack() as stack:
        wires = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(CALLERS)
        ]
        for wire in wires:
            wire.bind(("127.0.0.1", free_port()))
            wire.settimeout(CALLERS / RATE + 30)
        ports, numbers = [w.getsockname()[1] for w in wires], [system.number() for _ in wires]
        with (
            ThreadPoolExecutor(CALLERS) as pool,
            Load(
                str(system.settings.sip), numbers, rate=RATE, hangup_after_ms=HANGUP_MS, sound_ports=ports
            ) as load,
        ):
            calls = [pool.submit(_call, wire, begins) for wire in wires]
            load.wait(CALLERS / RATE + 60)
            return [call.result() for call in calls]


def _row(name: str, waits: list[float], of: int) -> None:
    cuts = statistics.quantiles(waits, n=100)
    print(f"{name:<38}{statistics.median(waits):>8.0f}{cuts[98]:>8.0f}{max(waits):>8.0f}{of - len(waits):>8}")


def _in_progress(system: System) -> int:
    return int(system.asterisk_says("core show channels count").split()[0])


def main() -> None:
    """Print the table."""
    print(
        f"ms from a key to the next prompt's first sound, {os.cpu_count()} cores that sipp and this bench "
        f"share, load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    print(f"{'calls in progress':<38}{'median':>8}{'99 %':>8}{'most':>8}{'lost':>8}   goal: {GOAL}")
    with (
        System(HOTLINE_MAX_CALLS=str(sized(1000, 60)), HOTLINE_ANSWER_SECONDS="1") as system,
        system.only_round(),
    ):
        for count in IN_PROGRESS:
            numbers = [system.number() for _ in range(10 * count)]
            with ExitStack() as stack:
                if count:
                    stack.enter_context(
                        Load(
                            str(system.settings.sip),
                            numbers,
                            rate=count / BEGIN_WITHIN_S,
                            at_once=count,
                            hangup_after_ms=LASTS_S * 1000,
                        )
                    )
                    until(lambda count=count: _in_progress(system) >= count, "the calls are in progress", 60)
                calls = _measure(system)
                there = _in_progress(system)
            commits = [call[COMMITS] for call in calls if COMMITS in call]
            others = [ms for call in calls for clip, ms in call.items() if clip != COMMITS]
            must_hold(len(commits) == len(others) == CALLERS, f"{CALLERS} callers hear what follows: {calls}")
            if count >= 300:
                cuts = statistics.quantiles(others, n=100)
                measured(f"key-{count}-median", cuts[49])
                measured(f"key-{count}-99", cuts[98])
            _row(f"{there}: keys without a transaction", others, CALLERS)
            _row(f"{there}: the key that registers", commits, CALLERS)


if __name__ == "__main__":
    brief.play(main)
