"""The best of all rules in the model of bench/pacing.py for one official, by dynamic programming.

The state is what a rule can know. It holds how far the conversation is, or since when its key is pressed or
the official is idle. It also holds each call's age, ringing or picked up, and how many citizens wait. Time
runs in steps of STEP_S. The state drops a call that rings or stays silent for longer than nearly all
successful ones. It holds at most `most` calls and WAITING citizens. A citizen who presses 1 costs their
future wait: its mean, and the chance that it exceeds LONG_S.

`solve` finds the rule with the least average cost of a conversation, by going backwards through it again and
again. `python bench/pacing_best.py [rounds, 100]` plays that rule beside ours. It also says which idle times
and waits exclude each other: no rule at all has fewer of both.
"""

import math
import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from scipy import sparse, stats

from bench.pacing import HARD, PRESS_S, RING_S, Figures, Round, Rule, Situation, World, ours, percentile
from tests.kit import brief
from tests.kit.brief import sized

STEP_S = sized(2.0, 10.0)
MOST = 3
"""Calls in progress."""
CYCLES = sized(12, 1)
REACHES = sized((0.35, 0.5, 0.8), (0.5,))
EXCLUDING = sized((0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0), (0.8,))
"""Prices of a long wait, relative to that of a long idle time."""
WAITING = 3
LONG_S = 300.0
_LONGEST_S, _IDLE_S, _FAR_S = 1000.0, 120.0, 4000.0
_ODD = 0.012
"""The share of successful calls that take longer than the state keeps a call."""


@dataclass(frozen=True)
class Prices:
    """The costs to avoid."""

    idle_s: float = 1.0
    wait_s: float = 0.1
    idle_over: float = 0.0
    """An idle time of more than `limit_s`."""
    wait_over: float = 0.0
    """A wait of more than LONG_S."""
    limit_s: float = 30.0


class Calls:
    """The calls in progress, as sorted tuples of their ages, and their changes in a step."""

    def __init__(self, world: World, most: int) -> None:
        ring = stats.gamma(world.ring_shape, scale=RING_S / world.ring_shape)
        press = stats.gamma(world.press_shape, scale=PRESS_S / world.press_shape)
        self.most = most
        self.rings, self.silent = (math.ceil(law.isf(_ODD) / STEP_S) for law in (ring, press))
        answered = world.answers + world.silent
        # chance, next state, number of 1s pressed
        self._outcomes: list[list[tuple[float, int | None, int]]] = []
        for age in range(self.rings):
            before, after = (answered * ring.sf((age + n) * STEP_S) for n in (0, 1))
            self._age((before - after) / (before + 1 - answered), self.rings, 0, age + 1 < self.rings)
        for age in range(self.silent):
            before, after = (world.answers * press.sf((age + n) * STEP_S) for n in (0, 1))
            self._age((before - after) / (before + world.silent), None, 1, age + 1 < self.silent)
        ages = range(self.rings + self.silent)
        self.states = [s for n in range(most + 1) for s in combinations_with_replacement(ages, n)]
        self.index = {state: i for i, state in enumerate(self.states)}
        self.one_more = np.array([self.index.get((0, *state), -1) for state in self.states])
        self.moves = self._moves()

    def _age(self, chance: float, to: int | None, pressed: int, goes_on: bool) -> None:
        following = len(self._outcomes) + 1 if goes_on else None
        self._outcomes.append([(chance, to, pressed), (1 - chance, following, 0)])

    def _moves(self) -> list[sparse.csr_matrix]:
        """For 0, 1, … presses of 1 in a step: the transition chances of the states."""
        entries: list[list[tuple[int, int, float]]] = [[] for _ in range(self.most + 1)]
        for i, state in enumerate(self.states):
            reached = {((), 0): 1.0}
            for call in state:
                before, reached = reached, {}
                for (calls, pressed), p in before.items():
                    for chance, to, one in self._outcomes[call]:
                        key = (calls if to is None else tuple(sorted((*calls, to))), pressed + one)
                        reached[key] = reached.get(key, 0.0) + p * chance
            for (calls, pressed), p in reached.items():
                entries[pressed].append((i, self.index[calls], p))
        shape = (len(self.states), len(self.states))
        return [
            sparse.csr_matrix((p, (i, j)), shape=shape) for i, j, p in (zip(*e, strict=True) for e in entries)
        ]

    def decide(self, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each state's least cost and its number of new calls, from the costs after the decision."""
        best, count = after.copy(), np.zeros(after.shape, dtype=np.int8)
        to = np.arange(len(self.states))
        for n in range(1, self.most + 1):
            to = np.where(to >= 0, self.one_more[to], -1)
            better = (to >= 0)[:, None] & (after[to] < best - 1e-9)
            best[better], count[better] = after[to][better], n
        return best, count

    def state(self, situation: Situation) -> int | None:
        """None: more calls than the state can hold."""
        rung = [age for x in situation.ringing_for if (age := int(x / STEP_S)) < self.rings]
        silent = [age for x in situation.answered_for if (age := int(x / STEP_S)) < self.silent]
        return self.index.get(tuple(sorted(rung + [self.rings + age for age in silent])))


class Talk:
    """A conversation by steps: its end, its key, and the waits of citizens who press 1 during it."""

    def __init__(self, world: World) -> None:
        spread = math.log1p(world.cv**2)
        sf = stats.lognorm(math.sqrt(spread), scale=world.mean_s / math.exp(spread / 2)).sf
        used, notice = world.key_used, world.key_before_s
        t = np.arange(0, _LONGEST_S + STEP_S, STEP_S)
        plain = (1 - used) * sf(t) + used * np.maximum(sf(t) - sf(notice), 0)
        users = used * sf(t + notice)
        alive = plain + users
        self.ends, self.keys = (np.append(-np.diff(x) / alive[:-1], 0.0) for x in (plain, users))
        self.ends[-1] = 1.0
        x = np.arange(0, _FAR_S, STEP_S)
        later = t[:, None] + x
        left = (1 - used) * sf(later) + used * np.maximum(sf(later) - sf(notice), 0)
        left += used * sf(np.maximum(later, t[:, None] + notice))
        self._whole = [np.eye(1, len(x))[0]]  # chances of the total length of several whole conversations
        for _ in range(WAITING + 1):
            self._whole.append(np.convolve(self._whole[-1], -np.diff(sf(np.append(x, _FAR_S))))[: len(x)])
        self._mean_s = world.mean_s
        self.waits = self._waits(left / alive[:, None])
        known = np.maximum(0.0, notice - np.arange(0, notice, STEP_S)) if used else np.zeros(0)
        self.waits_after_key = self._waits((x < known[:, None]).astype(float))
        self.waits_whole = self._waits(np.zeros((1, len(x))))[0]

    def _waits(self, left: np.ndarray) -> np.ndarray:
        """The mean wait and P(more than LONG_S), by this conversation's rest and the number of waiting
        citizens.
        """
        within = int(LONG_S / STEP_S) + 1
        ends = -np.diff(left[:, :within], axis=1, prepend=1.0)
        waits = np.zeros((len(left), WAITING + 2, 2))
        for before_me, whole in enumerate(self._whole):
            waits[:, before_me, 0] = left.sum(axis=1) * STEP_S + before_me * self._mean_s
            waits[:, before_me, 1] = 1 - ends @ np.cumsum(whole)[:within][::-1]
        return waits


@dataclass(frozen=True)
class Best:
    """A solved rule: the number of new calls in each state, and the cost of a conversation."""

    cost: float
    calls: Calls
    idle: np.ndarray
    talking: np.ndarray
    finishing: np.ndarray

    def __call__(self, situation: Situation, _: object) -> int:
        """The rule in bench.pacing's form, which does not tell how long the official is idle: taken as a
        short time.
        """
        (speaker,), state, ready = situation.speakers, self.calls.state(situation), situation.ready
        if state is None or ready > WAITING:
            return 0
        if speaker.talking_for is None:
            return 0 if ready else int(self.idle[state, 0])
        plans, since = self.talking, speaker.talking_for
        if speaker.finishing_for is not None:
            plans, since = self.finishing, speaker.finishing_for
        return int(plans[min(int(since / STEP_S), len(plans) - 1), state, ready])


@lru_cache(maxsize=4)
def _calls(world: World, most: int) -> Calls:
    return Calls(world, most)


def solve(world: World, prices: Prices, most: int = MOST, cycles: int = CYCLES) -> Best:
    """Return the best rule in the long run."""
    calls, talk = _calls(world, most), Talk(world)
    price = np.array([prices.wait_s, prices.wait_over])

    def step(after: np.ndarray, waits: np.ndarray) -> np.ndarray:
        """Return the costs before a step from those after it; a citizen who presses 1 meanwhile will wait."""
        fees, ready = np.append(0.0, np.cumsum(waits @ price)), np.arange(WAITING + 1)
        total = calls.moves[0] @ after
        for n in range(1, most + 1):
            fee = fees[np.minimum(ready + n, WAITING + 2)] - fees[ready]
            total = total + calls.moves[n] @ (after[:, np.minimum(ready + n, WAITING)] + fee)
        return total

    def backwards(value: np.ndarray, steps: int, before) -> tuple[np.ndarray, list[np.ndarray]]:  # type: ignore[no-untyped-def]
        plans = []
        for at in reversed(range(steps)):
            value, plan = calls.decide(before(value, at))
            plans.append(plan)
        return value, plans[::-1]

    def idle(after: np.ndarray, at: int) -> np.ndarray:
        fee = prices.idle_s * STEP_S + prices.idle_over * ((at + 1) * STEP_S == prices.limit_s)
        total = calls.moves[0] @ after + fee
        for n in range(1, most + 1):  # the first of them is connected at once
            waits = sum(talk.waits_whole[1:n] @ price)
            total = total + calls.moves[n] @ (start[:, [min(n - 1, WAITING)]] + waits)
        return total

    start = np.zeros((len(calls.states), WAITING + 1))
    cost = 0.0
    for _ in range(cycles):
        alone, idle_plans = backwards(np.zeros((len(calls.states), 1)), int(2 * _IDLE_S / STEP_S), idle)
        ended = np.hstack([alone, start[:, :-1]])
        keyed, finishing = backwards(
            ended, len(talk.waits_after_key), lambda after, at: step(after, talk.waits_after_key[at])
        )

        def talking(after: np.ndarray, at: int, ended=ended, keyed=keyed) -> np.ndarray:  # type: ignore[no-untyped-def]
            ends, keys = talk.ends[at], talk.keys[at]
            return step(ends * ended + keys * keyed + (1 - ends - keys) * after, talk.waits[at])

        value, plans = backwards(ended, len(talk.waits), talking)
        cost, start = float(value[0, 0]), value - value[0, 0]
    return Best(cost, calls, idle_plans[0], np.array(plans), np.array(finishing or plans[:1]))


def excluded(world: World, limit_s: float, idle_over: float = 0.10) -> float:
    """Return the least share of waits over LONG_S when this few idle times exceed `limit_s`."""
    bounds = []
    for price in EXCLUDING:
        prices = Prices(1e-5, 1e-5, idle_over=1.0, wait_over=price, limit_s=limit_s)
        bounds.append((solve(world, prices).cost - idle_over) / price)
    return max(bounds)


def line(name: str, world: World, rule: Rule, rounds: int) -> str:
    """Return the results of some rounds."""
    played: list[Figures] = [Round(world, rule, n).run() for n in range(rounds)]
    idle, waits = [x for f in played for x in f.idle], [x for f in played for x in f.waits]
    over = sum(x > LONG_S for x in waits) / len(waits)
    figures = [
        *(sum(idle) / len(idle), *(percentile(idle, share) for share in (0.5, 0.9, 0.99)), max(idle)),
        *(sum(waits) / len(waits), percentile(waits, 0.5), percentile(waits, 0.95), 100 * over),
        sum(f.first for f in played) / rounds,
    ]
    return f"{name:24}" + "".join(f"{figure:8.1f}" for figure in figures)


def main() -> None:
    """Print the table of docs/decisions/0005."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else sized(100, 1)
    head = ("idle", "50", "90", "99", "max", "wait", "50", "95", ">300 %", "first")
    print(f"{'reach, key':24}" + "".join(f"{word:>8}" for word in head))
    for key_used in (0.0, 0.8):
        for reach in REACHES:
            world, name = World(answers=reach, key_used=key_used, **HARD), f"{reach} {key_used}"
            print(line(f"{name} ours", world, ours, rounds), flush=True)
            for prices in (Prices(), Prices(wait_over=60.0)):
                best = solve(world, prices)
                print(line(f"{name} best, {prices.wait_over:g}", world, best, rounds), flush=True)
            least = 100 * excluded(world, 30)
            print(f"{name}: if a tenth is idle for more than 30 s, at least {least:.1f} % wait for > 300 s")


if __name__ == "__main__":
    brief.play(main)
