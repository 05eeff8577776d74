"""Times of a round (conversations, rings) as lognormal ones, learnt from a prior and what was seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WEIGHT = 20.0
"""So many observations each prior counts for: a round holds some thirty."""
_STIFF = 40.0
"""A spread is learnt slowly: a few conversations say little about it."""
_ODD = 8.0
"""Whatever is so many times longer or shorter than expected counts as this much: a slip, not a habit."""


@dataclass(frozen=True)
class Lognormal:
    """By the mean and the spread of its logarithm."""

    mu: float
    sigma: float

    def beyond(self, x: float) -> float:
        """P(length > x)."""
        if x <= 0:
            return 1.0
        return 0.5 * math.erfc((math.log(x) - self.mu) / self.sigma / math.sqrt(2))

    def ends_within(self, x: float, since: float) -> float:
        """P(length <= since + x | length > since)."""
        so_far = self.beyond(since)
        return 1 - self.beyond(since + x) / so_far if so_far > 1e-12 else 1.0

    @property
    def mean(self) -> float:
        """Seconds."""
        return math.exp(self.mu + self.sigma**2 / 2)

    @property
    def variance(self) -> float:
        """Seconds squared."""
        return self.mean**2 * (math.exp(self.sigma**2) - 1)


def fit(seen: Sequence[float], mean: float, cv: float = 0.5) -> Lognormal:
    """The lognormal between a prior of this mean and coefficient of variation and what was seen.

    By the normal-gamma rule on logarithms.
    """
    spread = math.log1p(cv**2)
    prior = math.log(mean) - spread / 2
    logs = [math.log(min(max(x, mean / _ODD), mean * _ODD)) for x in seen]
    n = len(logs)
    middle = sum(logs) / n if n else prior
    mu = (WEIGHT * prior + n * middle) / (WEIGHT + n)
    off = WEIGHT * n / (WEIGHT + n) * (middle - prior) ** 2
    within = sum((x - middle) ** 2 for x in logs)
    return Lognormal(mu, math.sqrt((_STIFF * spread + within + off) / (_STIFF + n)))
