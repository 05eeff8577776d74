"""Lognormal durations of a round (conversations, rings), fitted to a prior and to observations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WEIGHT = 20.0
"""How many observations each prior counts for: a round has some thirty."""
_STIFF = 40.0
"""Weight of the prior spread: a few conversations say little about the spread."""
_ODD = 8.0
"""Cap on the ratio between an observation and the expected value: an outlier is a slip, not a habit."""


@dataclass(frozen=True)
class Lognormal:
    """Lognormal distribution, by the mean and the spread of the logarithm."""

    mu: float
    sigma: float

    def beyond(self, x: float) -> float:
        """Return P(length > x)."""
        if x <= 0:
            return 1.0
        return 0.5 * math.erfc((math.log(x) - self.mu) / self.sigma / math.sqrt(2))

    def ends_within(self, x: float, since: float) -> float:
        """Return P(length <= since + x | length > since)."""
        so_far = self.beyond(since)
        return 1 - self.beyond(since + x) / so_far if so_far > 1e-12 else 1.0

    @property
    def mean(self) -> float:
        """Mean in seconds."""
        return math.exp(self.mu + self.sigma**2 / 2)

    @property
    def variance(self) -> float:
        """Variance in seconds squared."""
        return self.mean**2 * (math.exp(self.sigma**2) - 1)


def fit(seen: Sequence[float], mean: float, cv: float = 0.5) -> Lognormal:
    """Fit a lognormal to observations and a prior of this mean and coefficient of variation.

    The update is the normal-gamma rule on logarithms. All times are in seconds.
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
