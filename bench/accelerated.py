"""A round on the real Asterisk at 20 times speed, beside bench/pacing.py's simulation of it.

The model is that of bench/pacing.py, with every time divided by 20. A call is picked up with probability 0.65
after 12 s on average, and 1 is pressed 8 s later. The network gives up an unanswered call after 25 s.
Conversations are lognormal, 300 s on average, with a coefficient of variation of 0.5. The dialer's process
decides by the same `calls_wanted` as in life. The times that it sees are multiplied by 20, and so are the
figures here.

The own time of Asterisk, the dialer and the phones is multiplied, too, so it is measured. From placing a call
to its ringing, and from the 1 to waiting: the simulation adds these to its rings. From «next» to speaking
while a citizen waits: «less own time» subtracts it from each idle time and wait.

python bench/accelerated.py [hours, 3 (which take 9 minutes) [share of key presses, 0.8 [seed]]]
"""

import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from bench import pacing
from bench.pacing import Figures, World, percentile
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.simulated_round import Person, SimulatedRound, end, fast_system, played

SPEED = 20.0
SIMULATED = sized(200, 2)
MEAN_S, KEY_BEFORE_S = sized((pacing.MEAN_S, 40.0), (30.0, 12.0))
_NEAR_S = 1.0
"""The precision of the figures in seconds: 50 ms of the real clock."""
_ATTEMPTS = 20


def _people(world: World, chance: random.Random) -> list[Person]:
    """More citizens than the hours can serve."""
    return [_person(world, chance) for _ in range(round(3 * world.hours_s / world.mean_s))]


def _person(world: World, chance: random.Random) -> Person:
    spread = math.log1p(world.cv**2)
    lasts = chance.lognormvariate(math.log(world.mean_s) - spread / 2, math.sqrt(spread))
    uses_key = chance.random() < world.key_used and lasts > world.key_before_s
    script = Script(lasts / SPEED, finishing_at=(lasts - world.key_before_s) / SPEED if uses_key else None)
    return Person([_phone(world, chance) for _ in range(_ATTEMPTS)], script)


def _phone(world: World, chance: random.Random) -> Behaviour:
    if chance.random() >= world.answers:
        return Behaviour(rings=pacing.UNANSWERED_S / SPEED, status="480 Temporarily Unavailable")
    rings = chance.gammavariate(world.ring_shape, pacing.RING_S / world.ring_shape)
    return Behaviour(rings=rings / SPEED, presses_after=pacing.PRESS_S / SPEED)


def _play(world: World, seed: int) -> tuple[Figures, list[float], list[str]]:
    """Play a round on the real system; return its figures in the model's seconds, `_own_time`, and faults."""
    with (
        fast_system(
            SPEED,
            HOTLINE_MAX_ATTEMPTS=str(_ATTEMPTS),
            HOTLINE_RETRY_SECONDS=str(round(600 / SPEED)),
        ) as system,
        played(system, _people(world, random.Random(seed))) as game,
    ):
        began = time.time()
        time.sleep(world.hours_s / SPEED)  # the measured round
        game.official.finish(timeout=120)
        figures, own = _figures(game, world, began), _own_time(game)
        end(game)
        return figures, own, [*game.wrongs(), *game.official.troubles]


def _figures(game: SimulatedRound, world: World, began: float) -> Figures:
    talks = game.official.talks
    ended = began + world.hours_s / SPEED
    pressed = {a.talk.callback: a.call.pressed_at for a in game.facts().attempts if a.talk and a.call}
    figures = Figures(calls=len(game.crowd.calls()))
    for before, talk in zip([None, *talks], talks, strict=False):
        figures.talk += SPEED * (talk.until - talk.since)
        figures.conversations += min(1.0, (ended - talk.since) / (talk.until - talk.since))
        figures.waits.append(SPEED * (talk.since - (pressed[talk.callback] or talk.since)))
        if before:
            figures.idle.append(SPEED * (talk.since - before.until))
    over = talks[-1].until
    figures.first, figures.elapsed = SPEED * (talks[0].since - began), SPEED * (over - began)
    for call in game.crowd.live():
        if call.pressed_at and call.number != talks[-1].number:
            figures.waits.append(SPEED * (over - call.pressed_at))
    return figures


def _own_time(game: SimulatedRound) -> list[float]:
    """Return medians in real seconds: placing to ringing, the 1 to waiting, «next» to speaking with a waiting
    citizen.
    """
    attempts = [a for a in game.facts().attempts if a.call and a.callback.placed_at]
    confirmed = {a.callback.id: a.callback.confirmed_at for a in attempts if a.callback.confirmed_at}
    dialled = [a.call.invited_at - a.callback.placed_at.timestamp() for a in attempts]
    heard = [
        confirmed[a.callback.id].timestamp() - a.call.pressed_at
        for a in attempts
        if a.callback.id in confirmed and a.call.pressed_at
    ]
    met = [
        talk.since - before.until
        for before, talk in pairwise(game.official.talks)
        if talk.callback in confirmed and confirmed[talk.callback].timestamp() < before.until
    ]
    own = [statistics.median(values) if values else 0.0 for values in (dialled, heard, met)]
    print(
        f"the system's own time, real: {1000 * own[0]:.0f} ms from placing a call to its ringing, "
        f"{1000 * own[1]:.0f} ms from the 1 to waiting, {1000 * own[2]:.0f} ms from «next» to speaking",
        flush=True,
    )
    return own


def _without(figures: Figures, seconds: float) -> Figures:
    idle = [max(0.0, value - seconds) for value in figures.idle]
    waits = [max(0.0, value - seconds) for value in figures.waits]
    elapsed = figures.elapsed - sum(figures.idle) + sum(idle)
    return replace(figures, idle=idle, waits=waits, elapsed=elapsed)


_ROWS: Sequence[tuple[str, Callable[[Figures], float]]] = (
    ("conversations", lambda f: f.conversations),
    ("share of the limit", lambda f: f.talk / (f.elapsed - f.first)),
    ("official's idle, median s", lambda f: percentile(f.idle, 0.5)),
    ("official's idle, 90th percentile s", lambda f: percentile(f.idle, 0.9)),
    ("citizen's wait, median s", lambda f: percentile(f.waits, 0.5)),
    ("citizen's wait, 95th percentile s", lambda f: percentile(f.waits, 0.95)),
    ("calls for each conversation", lambda f: f.calls / f.conversations),
)


def main() -> None:
    """Play the round, simulate many rounds, and print both."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else sized(3.0, 0.05)
    key_used = float(sys.argv[2]) if len(sys.argv) > 2 else 0.8
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 137
    world = World(key_used=key_used, hours_s=hours * 3600, mean_s=MEAN_S, key_before_s=KEY_BEFORE_S)
    print(
        f"one round of {hours:g} h at {SPEED:g} times speed, «رو به پایان» in {key_used:.0%} of "
        f"conversations, seed {seed}; {SIMULATED} simulated; load of the machine before: "
        f"{os.getloadavg()[0]:.1f}",
        flush=True,
    )
    real, own, wrongs = _play(world, seed)
    less = _without(real, SPEED * own[2])
    pacing.RING_S += SPEED * own[0]
    pacing.UNANSWERED_S += SPEED * own[0]
    pacing.PRESS_S += SPEED * own[1]
    simulated = [pacing.Round(world, pacing.ours, n).run() for n in range(SIMULATED)]
    print(f"{'':<36}{'Asterisk':>9}{'less own time':>15}{'simulated':>11}{'5 % to 95 % of rounds':>24}")
    for name, figure in _ROWS:
        values = [figure(f) for f in simulated]
        low, middle, high = (percentile(values, share) for share in (0.05, 0.5, 0.95))
        near = _NEAR_S if name.endswith(" s") else 0.0
        outside = "" if low - near <= figure(less) <= high + near else "  outside"
        print(
            f"{name:<36}{figure(real):>9.3f}{figure(less):>15.3f}{middle:>11.3f}"
            f"{f'{low:.3f} to {high:.3f}':>24}{outside}"
        )
    must_hold(not wrongs, f"nothing is wrong in the round: {wrongs}")
    for wrong in wrongs:
        print(f"WRONG: {wrong}")


if __name__ == "__main__":
    brief.play(main)
