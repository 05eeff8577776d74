"""Rounds of three hours, simulated with the live system's own `calls_wanted`.

The model: lognormal conversations of 300 s on average. A ring is answered with probability 0.65 after 12 s on
average, and 1 is pressed 8 s later. An unanswered ring costs 25 s, and the next in line follows at once.
RoundStatistics starts empty in each round. The rule is asked as if every 0.1 s. Its first yes between two
events is searched in steps of 8 s, then by halves to 0.1 s. That is equivalent as long as a yes stays a yes
for 8 s.

The fixed rule's given figures (0.978, idle 0 / 22, waiting 86 / 408) were interpreted by experiment. The
share is talk / (talk + idle between two). The waits are the long run's, without a round's end and without its
first citizen, who never waits. That gives 0.979, 0 / 22, 83 to 86 / 398 to 406: the last row. Constant ring
times would give 20.0 for idle's 90th percentile, exponential ones 25; gamma ones of shape 9 give 22. In
rounds of three hours the same rule waits a few seconds less.

Share: talk / time from the first connection to the end of the last conversation. Conversations: those of the
three hours, with the wait for the first citizen. A conversation that the end cuts counts by its part before
the end. Dialling goes on until the last one ends, so that no measured wait is cut short. All rules meet the
same lengths and key presses.

python bench/pacing.py [rounds, 1000]
"""

import heapq
import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pool
from typing import Any

from hotline.callbacks.pacing import RoundStatistics, Situation, Speaker, count_calls_wanted
from tests.kit import brief
from tests.kit.brief import sized

HOURS_S = sized(3 * 3600.0, 3600.0)
MEAN_S = 300.0
LIMIT = HOURS_S / MEAN_S
ANSWERS, RING_S, PRESS_S, UNANSWERED_S = 0.65, 12.0, 8.0, 25.0
SILENT_S, MACHINE_S = 41.0, 15.0
"""Seconds from picking up until we give up without a 1; a machine is asked only once."""
REACH = (0.35, 0.5, 0.8)
ASKED_EVERY_S = 0.1
LOOK_S = 8.0
HARD: dict[str, Any] = {"silent": 0.1, "unanswered_s": 30.0, "press_shape": 4.0}
"""A tenth of the calls are picked up without a 1; the other unanswered calls ring out."""
Rule = Callable[[Situation, RoundStatistics], int]


@dataclass(frozen=True)
class World:
    cv: float = 0.5
    key_used: float = 0.0
    key_before_s: float = 40.0
    speakers: int = 1
    mean_s: float = MEAN_S
    answers: float = ANSWERS
    handling_s: float = 0.0
    ring_shape: float = 9.0
    """The shape of gamma ring times: 9 varies by a third, 1 is exponential, 0 stands for constant ones."""
    hours_s: float = HOURS_S
    silent: float = 0.0
    """The share of calls picked up without a 1: half of these are people, half machines."""
    unanswered_s: float = UNANSWERED_S
    press_shape: float = 0.0
    """The shape of gamma times from picking up to the 1; 0 stands for constant ones."""


@dataclass
class Desk:
    started: float | None = None
    ends: float = 0.0
    free_since: float = 0.0
    pressed: float | None = None
    used: float | None = None


@dataclass
class Figures:
    conversations: float = 0.0
    talk: float = 0.0
    calls: int = 0
    idle: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    first: float = 0.0
    elapsed: float = 0.0


class Round:
    def __init__(self, world: World, rule: Rule, seed: int) -> None:
        self.world = world
        self.rule = rule
        self.chance = random.Random(seed)
        self.lengths = random.Random(-seed - 1)
        self.answered: dict[int, tuple[float, float]] = {}  # when placed, when picked up
        self.desks = [Desk() for _ in range(world.speakers)]
        self.now = 0.0
        self.events: list[tuple[float, int, str, int]] = []
        self.placed: dict[int, float] = {}
        self.ready: list[tuple[int, float]] = []
        self.figures = Figures()
        self.seen = RoundStatistics([], [], [], [], [], [])

    def run(self) -> Figures:
        """Play the hours; the last conversation is finished, and citizens who are ready by then count."""
        while self.now < self.world.hours_s or any(d.started is not None for d in self.desks):
            until = self.events[0][0] if self.events else math.inf
            if self.dial(until):
                continue
            self.now, _, what, who = heapq.heappop(self.events)
            getattr(self, what)(who)
            if self.now < self.world.hours_s:
                self.connect()
        self.figures.waits += [self.now - since for _, since in self.ready]
        self.figures.elapsed = self.now
        return self.figures

    def situation(self, at: float) -> Situation:
        return Situation(
            [
                Speaker(
                    None if d.started is None else at - d.started,
                    None if d.started is None or d.pressed is None or at < d.pressed else at - d.pressed,
                )
                for d in self.desks
            ],
            [at - placed for placed in self.placed.values()],
            len(self.ready),
            [at - answered for _, answered in self.answered.values()],
        )

    def wanted(self, at: float) -> int:
        return self.rule(self.situation(at), self.seen)

    def dial(self, until: float) -> bool:
        """Move to the first moment before `until` at which a call is wanted, and place it. Return False if
        there is none.
        """
        at, wanted = self.now, self.wanted(self.now)
        while not wanted:
            if at >= until - ASKED_EVERY_S:
                return False
            before, at = at, min(at + LOOK_S, until - ASKED_EVERY_S / 2)
            wanted = self.wanted(at)
        if at > self.now:
            while at - before > ASKED_EVERY_S:
                middle = (before + at) / 2
                if n := self.wanted(middle):
                    at, wanted = middle, n
                else:
                    before = middle
        self.now = at
        for _ in range(wanted):
            self.place()
        return True

    def later(self, after: float, what: str, who: int) -> None:
        heapq.heappush(self.events, (self.now + after, len(self.events), what, who))

    def takes(self, mean: float, shape: float) -> float:
        return self.chance.gammavariate(shape, mean / shape) if shape else mean

    def place(self) -> None:
        self.figures.calls += 1
        call = self.figures.calls
        self.placed[call] = self.now
        becomes, ring = self.chance.random(), self.takes(RING_S, self.world.ring_shape)
        if becomes < self.world.answers:
            self.later(ring, "picked_up", call)
            self.later(ring + self.takes(PRESS_S, self.world.press_shape), "pressed", call)
        elif becomes < self.world.answers + self.world.silent:
            machine = becomes < self.world.answers + self.world.silent / 2
            self.later(ring, "picked_up", call)
            self.later(ring + (MACHINE_S if machine else SILENT_S), "said_nothing", call)
        else:
            self.later(self.world.unanswered_s, "failed", call)

    def picked_up(self, call: int) -> None:
        self.answered[call] = self.placed.pop(call), self.now
        self.seen.answered_after.append(self.now - self.answered[call][0])

    def pressed(self, call: int) -> None:
        placed, answered = self.answered.pop(call)
        self.seen.ready_after.append(self.now - placed)
        self.seen.pressed_after.append(self.now - answered)
        heapq.heappush(self.ready, (call, self.now))

    def said_nothing(self, call: int) -> None:
        placed, _ = self.answered.pop(call)
        self.seen.failed_after.append(self.now - placed)

    def failed(self, call: int) -> None:
        self.seen.failed_after.append(self.now - self.placed.pop(call))

    def key(self, desk: int) -> None:
        """The moment from which the rule sees it."""

    def hung_up(self, which: int) -> None:
        if self.world.handling_s:
            self.later(self.world.handling_s, "ended", which)
        else:
            self.ended(which)

    def ended(self, which: int) -> None:
        desk = self.desks[which]
        length = desk.ends - desk.started
        self.seen.conversations.append(length)
        self.figures.talk += length
        within = min(desk.ends, self.world.hours_s) - desk.started
        self.figures.conversations += within / length
        if desk.pressed is not None:
            self.seen.finishing.append(desk.ends - desk.pressed)
        desk.started = desk.pressed = None
        desk.free_since = desk.ends

    def connect(self) -> None:
        world = self.world
        for which, desk in enumerate(self.desks):
            if desk.started is not None or not self.ready:
                continue
            _, since = heapq.heappop(self.ready)
            self.figures.waits.append(self.now - since)
            if not desk.ends:
                self.figures.first += self.now
            else:
                self.figures.idle.append(self.now - desk.free_since)
            spread = math.log1p(world.cv**2)
            length = self.lengths.lognormvariate(math.log(world.mean_s) - spread / 2, math.sqrt(spread))
            desk.started, desk.ends = self.now, self.now + length
            if self.lengths.random() < world.key_used and length > world.key_before_s:
                desk.pressed = desk.ends - world.key_before_s
                self.later(length - world.key_before_s, "key", which)
            self.later(length, "hung_up", which)


def ours(situation: Situation, seen: RoundStatistics) -> int:
    return count_calls_wanted(situation, seen, minutes=6, most=4)


def fixed(situation: Situation, _: RoundStatistics) -> int:
    (speaker,) = situation.speakers
    due = speaker.talking_for is None or speaker.talking_for >= 150
    return int(due and not situation.ringing_for and not situation.answered_for and not situation.ready)


def one_at_a_time(situation: Situation, _: RoundStatistics) -> int:
    idle = situation.speakers[0].talking_for is None
    return int(idle and not situation.ringing_for and not situation.answered_for and not situation.ready)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(job: tuple[str, World, Rule, int]) -> str:
    name, world, rule, rounds = job
    all_ = [Round(world, rule, n).run() for n in range(rounds)]
    idle = [x for f in all_ for x in f.idle]
    waits = [x for f in all_ for x in f.waits]
    held = sum(f.conversations for f in all_) / rounds / world.speakers
    share = sum(f.talk for f in all_) / sum(f.elapsed * world.speakers - f.first for f in all_)
    calls = sum(f.calls for f in all_) / (len(idle) + rounds * world.speakers)
    return (
        f"{world.cv:3.1f}  {name:32} {held:7.2f} {share:6.4f}   {percentile(idle, 0.5):5.1f} "
        f"{percentile(idle, 0.9):6.1f}   {percentile(waits, 0.5):6.1f} {percentile(waits, 0.95):6.1f}"
        f"   {calls:5.2f}"
    )


def jobs(rounds: int) -> list[tuple[str, World, Rule, int]]:
    listed: list[tuple[str, World, Rule, int]] = []
    for cv in (0.5, 0.3, 0.7):
        listed += [
            ("one at a time, 15 s of handling", World(cv, handling_s=15.0), one_at_a_time, rounds),
            ("fixed, 150 s into it", World(cv), fixed, rounds),
            ("ours", World(cv), ours, rounds),
            ("ours, key 40 s before, 4 of 5", World(cv, key_used=0.8), ours, rounds),
        ]
    few = max(1, rounds // 5)
    return [
        *listed,
        *(
            (f"ours, reach {reach}, a tenth silent", World(answers=reach, **HARD), ours, few)
            for reach in REACH
        ),
        ("ours, conversations of 400 s", World(mean_s=400.0), ours, few),
        ("ours, conversations of 220 s", World(mean_s=220.0), ours, few),
        ("ours, exponential ring times", World(ring_shape=1.0), ours, few),
        ("ours, 4 desks on one line", World(speakers=4), ours, max(1, few // 4)),
        ("fixed, endless round", World(hours_s=sized(1e6, HOURS_S)), fixed, max(1, rounds // 50)),
    ]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else sized(1000, 1)
    held = f"in {HOURS_S / 3600:g} h"
    print(f"cv   {'rule':32} {held:>6}   share   idle50 idle90   wait50 wait95   calls")
    with Pool(2) as pool:
        for line in pool.imap(row, jobs(rounds)):
            print(line, flush=True)


if __name__ == "__main__":
    brief.play(main)
