"""doc later"""

import heapq
import math
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pool

from hotline.pacing import Experience, Situation, Speaker, calls_wanted

HOURS_S = 3 * 3600.0
MEAN_S = 300.0
LIMIT = HOURS_S / MEAN_S
ANSWERS, RING_S, PRESS_S, UNANSWERED_S = 0.65, 12.0, 8.0, 25.0
ASKED_EVERY_S = 0.1
LOOK_S = 8.0
Rule = Callable[[Situation, Experience], int]


@dataclass(frozen=True)
class World:
    cv: float = 0.5
    key_used: float = 0.0
    key_before_s: float = 40.0
    handling_s: float = 0.0
    speakers: int = 1
    mean_s: float = MEAN_S
    answers: float = ANSWERS
    ring: str = "constant"


@dataclass
class Desk:
    started: float | None = None
    ends: float = 0.0
    free_since: float = 0.0
    pressed: float | None = None
    used: float | None = None


@dataclass
class Figures:
    conversations: int = 0
    talk: float = 0.0
    calls: int = 0
    idle: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    left: int = 0
    first: float = 0.0
    elapsed: float = 0.0


class Round:
    def __init__(self, world: World, rule: Rule, seed: int) -> None:
        self.world = world
        self.rule = rule
        self.chance = random.Random(seed)
        self.lengths = random.Random(-seed - 1)
        self.answered: dict[int, float] = {}
        self.desks = [Desk() for _ in range(world.speakers)]
        self.now = 0.0
        self.events: list[tuple[float, int, str, int]] = []
        self.placed: dict[int, float] = {}
        self.ready: list[tuple[int, float]] = []
        self.figures = Figures()
        self.seen = Experience([], [], [], [], [])

    def run(self) -> Figures:
        """Conversations begin within three hours; the last one is finished, and who is ready by then counts."""
        while self.now < HOURS_S or any(d.started is not None for d in self.desks):
            until = self.events[0][0] if self.events else math.inf
            if self.dial(until):
                continue
            self.now, _, what, who = heapq.heappop(self.events)
            getattr(self, what)(who)
            if self.now < HOURS_S:
                self.connect()
        self.figures.left = len(self.ready)
        self.figures.waits += [self.now - since for _, since in self.ready]
        if self.ready: self.figures.idle.append(0.0)
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
            len(self.answered),
        )

    def wanted(self, at: float) -> int:
        return self.rule(self.situation(at), self.seen)

    def dial(self, until: float) -> bool:
        """Move to the first moment before `until` at which a call is wanted, and place; False if none is."""
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

    def around(self, mean: float) -> float:
        law = self.world.ring
        if law == "constant":
            return mean
        if law == "exponential":
            return self.chance.expovariate(1 / mean)
        if law == "uniform":
            return self.chance.uniform(0, 2 * mean)
        if law == "uniform2":
            return self.chance.uniform(0.5 * mean, 1.5 * mean)
        if law == "normal":
            return max(1.0, self.chance.gauss(mean, mean / 4))
        if law.startswith("gamma"):
            shape = float(law[5:])
            return self.chance.gammavariate(shape, mean / shape)
        if law == "capped":
            return min(25.0, self.chance.expovariate(1 / mean))
        return self.chance.gammavariate(4.0, mean / 4.0)

    def place(self) -> None:
        self.figures.calls += 1
        call = self.figures.calls
        self.placed[call] = self.now
        answers, ring = self.chance.random() < self.world.answers, self.around(RING_S)
        if answers:
            self.later(ring, "picked_up", call)
            self.later(ring + PRESS_S, "pressed", call)
        else:
            self.later(UNANSWERED_S, "failed", call)

    def picked_up(self, call: int) -> None:
        self.answered[call] = self.placed.pop(call)
        self.seen.answered_after.append(self.now - self.answered[call])

    def pressed(self, call: int) -> None:
        self.seen.ready_after.append(self.now - self.answered.pop(call))
        heapq.heappush(self.ready, (call, self.now))

    def failed(self, call: int) -> None:
        self.seen.failed_after.append(self.now - self.placed.pop(call))

    def key(self, desk: int) -> None:
        pass

    def ended(self, which: int) -> None:
        desk = self.desks[which]
        length = self.now - desk.started
        self.seen.conversations.append(length)
        self.figures.talk += length
        self.figures.conversations += 1
        if desk.pressed is not None:
            self.seen.finishing.append(self.now - desk.pressed)
        desk.started = desk.pressed = None
        desk.free_since = self.now

    def connect(self) -> None:
        world = self.world
        for which, desk in enumerate(self.desks):
            if desk.started is not None or not self.ready:
                continue
            _, since = heapq.heappop(self.ready)
            self.figures.waits.append(self.now - since)
            if not desk.ends: self.figures.first=self.now
            if desk.ends:
                self.figures.idle.append(self.now - desk.free_since)
            spread = math.log1p(world.cv**2)
            length = self.lengths.lognormvariate(math.log(world.mean_s) - spread / 2, math.sqrt(spread))
            desk.started, desk.ends = self.now, self.now + length
            if self.lengths.random() < world.key_used and length > world.key_before_s:
                desk.pressed = desk.ends - world.key_before_s
                self.later(length - world.key_before_s, "key", which)
            self.later(length, "ended", which)


def ours(situation: Situation, seen: Experience) -> int:
    return calls_wanted(situation, seen, minutes=6, most=2)


def fixed(situation: Situation, _: Experience) -> int:
    (speaker,) = situation.speakers
    due = speaker.talking_for is None or speaker.talking_for >= 150
    return int(due and not situation.ringing_for and not situation.answered and not situation.ready)


def one_at_a_time(situation: Situation, _: Experience) -> int:
    return int(
        situation.speakers[0].talking_for is None and not situation.ringing_for and not situation.answered and not situation.ready
    )


def pct(values: list[float], share: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def figures(world: World, rule: Rule, rounds: int, seed: int = 1) -> str:
    all_ = [Round(world, rule, seed * 1_000_003 + n).run() for n in range(rounds)]
    idle = [x for f in all_ for x in f.idle]
    waits = [x for f in all_ for x in f.waits]
    conv = sum(f.conversations for f in all_)
    talk = sum(f.talk for f in all_)
    return (
        f"conv {conv / rounds:5.2f} share {talk / sum(f.elapsed for f in all_):.4f} w/o start {talk / sum(f.elapsed-f.first for f in all_):.4f} "
        f"idle {pct(idle, .5):4.1f} {pct(idle, .9):5.1f} mean {statistics.fmean(idle):.2f} "
        f"wait {pct(waits, .5):5.1f} {pct(waits, .95):5.1f} calls {sum(f.calls for f in all_) / conv:.2f} left {sum(f.left for f in all_)/rounds:.2f}"
    )
