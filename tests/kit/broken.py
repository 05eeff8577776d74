"""A small round in which parts of the system break, and the verdict on it."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.kit.crowd import Behaviour
from tests.kit.faults import KINDS, Faults
from tests.kit.official import Script
from tests.kit.played import Person, fast_system, played, wait_until_done
from tests.kit.ports import free_port
from tests.kit.proxy import Proxy
from tests.kit.system import System

HEALTHY_S = 30.0
_ROUND_S = 120.0
_SPEED = 200
_PHONE_AWAY = "desk-phone-away"
"""What the official is told while Asterisk starts again; they ask once more when the phone is back."""

_PHONES = [
    *[Behaviour(rings=0.4, presses_after=0.3)] * 10,
    Behaviour(rings=0.3, status="486 Busy Here"),
    Behaviour(rings=0.5, status="603 Decline"),
    Behaviour(rings=0.2, status="404 Not Found", tells=False),
    Behaviour(rings=1.0, status="480 Temporarily Unavailable"),
    Behaviour(rings=None),
    Behaviour(presses_after=None),
    Behaviour(presses_after=None, leaves_after=0.3),
    Behaviour(leaves_after=1.5),
]


@dataclass(frozen=True)
class Broken:
    """What was broken in a round, and what is wrong after it."""

    seed: int
    faults: list[str]
    wrongs: list[str]
    seconds: float


@contextmanager
def breakable() -> Iterator[tuple[System, Proxy]]:
    """A fast system whose dialer reaches Asterisk's manager interface over a line that can be cut."""
    manager = f"127.0.0.1:{free_port()}"
    with (
        Proxy(manager) as proxy,
        fast_system(
            _SPEED,
            inherited={"ACCELERATED_AMI": f"127.0.0.1:{proxy.port}"},
            HOTLINE_AMI=manager,
            HOTLINE_MAX_ATTEMPTS="2",
            HOTLINE_DESKS="500",  # each round has an official of its own
            HOTLINE_RETRY_SECONDS="2",
        ) as system,
    ):
        yield system, proxy


def play(
    system: System,
    proxy: Proxy,
    seed: int,
    *,
    citizens: int = 8,
    faults: int = 3,
    kinds: tuple[str, ...] = KINDS,
) -> Broken:
    """A round of so many citizens and faults, both by chance; the same seed asks for the same ones."""
    chance, began = random.Random(seed), time.monotonic()
    wrongs: list[str] = []
    with (
        played(system, [_person(chance) for _ in range(citizens)]) as game,
        Faults(system, proxy, game.crowd, chance, faults, kinds) as breaking,
    ):
        started = time.time()
        try:
            breaking.wait(_ROUND_S)
            system.wait_healthy(HEALTHY_S)
            wait_until_done(game, _ROUND_S)
        except TimeoutError as error:
            wrongs.append(str(error))
        wrongs += game.wrongs()
        wrongs += [trouble for trouble in game.official.troubles if _PHONE_AWAY not in trouble]
        done = [f"{kind} at {at - started:.2f}" for at, kind in breaking.done]
    return Broken(seed, done, wrongs, time.monotonic() - began)


def _person(chance: random.Random) -> Person:
    first, second = chance.choice(_PHONES), chance.choice(_PHONES)
    return Person([first, second], Script(chance.uniform(0.5, 3), citizen_ends=chance.random() < 0.3))
