"""Small rounds, several at once, in which parts of the system break, and the judgement of them by figures."""

import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotline.ledger.verify import verify
from tests.faults.breaking import Breakable, Fault, Faults, Odd
from tests.kit import round_checks
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres
from tests.kit.proxy import Proxy
from tests.kit.registrant import Registrant
from tests.kit.simulated_round import (
    Person,
    SimulatedRound,
    fast_system,
    played_at_once,
    settled,
    wait_until_done,
)

HEALTHY_S = 60.0
_ROUND_S = 120.0
_SPEED = 200
_CALLS_WITHIN_S = 10.0
_PHONE_AWAY = "desk-phone-away"
"""The official's refusal while Asterisk starts again; they ask once more when the phone is back."""

LOST, TWICE, ORDER, BURNED, BLIP, OTHER = (
    "registrations lost",
    "double calls",
    "order broken",
    "attempts burned by our faults",
    "conversations ended by a desk's blip",
    "anything else wrong",
)
FIGURES = (LOST, TWICE, ORDER, BURNED, BLIP, OTHER)

_PRESSES = 80
"""How often a citizen presses again who hears the question again after a fault."""

_PHONES = [
    *[Behaviour(rings=0.4, presses_after=0.3, presses=_PRESSES)] * 10,
    Behaviour(rings=0.3, status="486 Busy Here"),
    Behaviour(rings=0.5, status="603 Decline"),
    Behaviour(rings=0.2, status="404 Not Found", hears=""),
    Behaviour(rings=1.0, status="480 Temporarily Unavailable"),
    Behaviour(rings=None),
    Behaviour(presses_after=None),
    Behaviour(presses_after=None, leaves_after=0.3),
    Behaviour(leaves_after=1.5),
]


@dataclass
class Broken:
    """The faults of some rounds, and what is wrong after them."""

    seed: int
    faults: Sequence[Fault] = ()
    wrongs: dict[str, list[str]] = field(default_factory=lambda: {figure: [] for figure in FIGURES})
    seconds: float = 0.0

    def all_wrongs(self) -> list[str]:
        """Return all that is wrong, each with its figure."""
        return [f"{figure}: {wrong}" for figure, wrongs in self.wrongs.items() for wrong in wrongs]


@contextmanager
def breakable(
    postgres: Postgres | None = None, *, folder: Path | None = None, odd: Mapping[str, Odd] | None = None
) -> Iterator[Breakable]:
    """A fast system whose dialer reaches Asterisk's manager interface over a line that can be cut.

    Its state is kept in `folder`, if one is named; `odd` is what else can happen to its machine.
    """
    manager = f"127.0.0.1:{free_port()}"
    database = {"HOTLINE_DATABASE_URL": postgres.create_database("breakable")} if postgres else {}
    with (
        Proxy(manager) as proxy,
        fast_system(
            _SPEED,
            inherited={"ACCELERATED_AMI": f"127.0.0.1:{proxy.port}"},
            folder=folder,
            HOTLINE_AMI=manager,
            HOTLINE_MAX_ATTEMPTS="2",
            HOTLINE_DESKS="500",  # each round has an official of its own
            HOTLINE_RETRY_SECONDS="2",
            HOTLINE_RING_SECONDS="8",  # longer than a silent trunk is waited for, as in life
            **database,
        ) as system,
    ):
        yield Breakable(system, proxy, postgres, odd or {})


def play(
    target: Breakable,
    seed: int,
    *,
    rounds: int = 1,
    citizens: int = 8,
    callers: int = 2,
    faults: int = 3,
    kinds: Sequence[str] = (),
    amid_calls: bool = False,
) -> Broken:
    """Play rounds at once, each with citizens, and faults that hit all of them, all by chance.

    Meanwhile callers dial 137 to register. The same seed asks for the same of everything.
    """
    chance, began = random.Random(seed), time.monotonic()
    people = [[_person(chance) for _ in range(citizens)] for _ in range(rounds)]
    by_number = {target.system.number(): _person(chance) for _ in range(callers)}
    registering = [Registrant(target.system, n, chance.uniform(0, _CALLS_WITHIN_S)) for n in by_number]
    broken, logged = Broken(seed), len(target.system.log())
    with (
        played_at_once(target.system, people, by_number) as games,
        Faults(
            target,
            games[0].crowd,
            [game.official for game in games],
            chance,
            faults,
            kinds or target.kinds,
            amid_calls,
        ) as breaking,
        ExitStack() as calling,
    ):
        for each in registering:
            calling.enter_context(each)
        try:
            breaking.wait(_ROUND_S)
            target.system.wait_healthy(HEALTHY_S)
            for each in registering:
                if not each.wait(_ROUND_S):
                    broken.wrongs[OTHER].append(f"{each.number} heard no ticket number, but {each.heard}")
            wait_until_done(*games, timeout=_ROUND_S)
        except TimeoutError as error:
            broken.wrongs[OTHER].append(str(error))
        _judge(games, registering, breaking.done, broken)
    if broken.all_wrongs():
        broken.wrongs[OTHER] += ends(target.system.log()[logged:])
    broken.faults, broken.seconds = breaking.done, time.monotonic() - began
    return broken


def _judge(
    games: Sequence[SimulatedRound],
    registering: Sequence[Registrant],
    faults: Sequence[Fault],
    broken: Broken,
) -> None:
    there = {round_checks.number_of(r) for game in games for r in game.facts().registrations}
    for each in registering:
        if each.spoken_at and each.number not in there:
            broken.wrongs[LOST].append(f"{each.number} heard a ticket number, and has no registration")
    for fault in faults:
        if fault.recovered_s is None:
            broken.wrongs[OTHER].append(f"{fault.kind}: not all worked again, {fault.left}")
    for game in games:
        settled(lambda game=game: [wrong for wrongs in figures(game).values() for wrong in wrongs])
        for figure, wrongs in figures(game).items():
            broken.wrongs[figure] += wrongs
        broken.wrongs[OTHER] += [t for t in game.official.troubles if _PHONE_AWAY not in t]
    broken.wrongs[OTHER] += settled(
        lambda: list(round_checks.left_on_the_line(games[0].system, games[0].crowd))
    )
    broken.wrongs[OTHER] += [f"the ledger: {problem}" for problem in verify(games[0].system.engine).problems]


_ENDED = re.compile(r"\S+ \w+ +\| (?:ended with|has done nothing)")


def ends(log: str) -> Iterator[str]:
    """Return the log lines about ended processes: unexpected ends explain what is wrong."""
    return (f"the log: {line}" for line in log.splitlines() if _ENDED.match(line))


def figures(game: SimulatedRound) -> Mapping[str, list[str]]:
    """Return what is wrong in one round, by figure: from what the phones and the official saw."""
    facts = game.facts()
    return {
        LOST: list(round_checks.lost(facts, game.numbers)),
        TWICE: [*round_checks.double_calls(facts), *round_checks.redialled(facts)],
        ORDER: list(round_checks.out_of_order(game.system, facts)),
        BURNED: list(round_checks.burned(facts)),
        BLIP: list(round_checks.cut_by_blips(facts, game.official.blips)),
        OTHER: [*round_checks.untrue(facts), *round_checks.without_outcome(facts)],
    }


def _person(chance: random.Random) -> Person:
    first, second = chance.choice(_PHONES), chance.choice(_PHONES)
    return Person([first, second], Script(chance.uniform(0.5, 3), citizen_ends=chance.random() < 0.3))
