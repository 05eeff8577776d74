"""Pacing: when the dialer calls the next citizen.

Pure arithmetic, no database and no clock; times in seconds. A call can come too late, and the official sits
idle until somebody is ready. Or a call comes too early, and the citizen holds the line. A second of delay
costs an idle second if an official is free before the call brings somebody. Otherwise the delay saves a
second of waiting. So a call is placed as soon as

    P(officials free by the time it brings somebody > citizens who are there by then) >= a threshold,

The threshold is the price of a citizen's second over that of a citizen's and an official's together. The left
side has these parts.

Officials: a conversation that has lasted t ends within x if its lognormal length is below t + x. The prior of
that length comes from the agreed minutes. The statistics of this round move its logarithmic mean and spread.

The key «رو به پایان»: once pressed, the remaining time is like the remaining time after earlier presses. An
official who usually presses the key, and has not yet, is not near the end.

A call placed now: ready after the usual time, or failed and followed by a later one.

Calls under way: each has its own chance to bring somebody. The chance shrinks while the phone rings, and
while the citizen who picked up presses nothing. An improbable call goes on, but holds no place.

A call beside other live calls may bring one citizen too many, who waits for a whole conversation. Soon it
will be plain whether the call is needed. So it must also satisfy

    the idle seconds that not waiting for that saves >= a price x the seconds of such waits,

Both are expected values of now. The price is low, because the waiting citizen is also the next one ready.
With an idle official, about as many calls start at once as bring one citizen on average. While the official
talks, one call starts at a time. No ringing phone is given up for another. If two citizens press 1, both are
spoken with, in order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from hotline.callbacks.lognormal import WEIGHT, Lognormal, fit

FIRST = 0.13
"""Threshold of a call with none beside it: an idle second costs some seven of a citizen's waiting seconds."""
BESIDE = 0.08
"""Price, in idle seconds, of a second of one citizen too many, less the later saving."""
SPENT = 0.6
"""Share of what the key saves citizens that is spent on officials who forget the key."""

_MEAN_OF_AGREED = 5 / 6
_CONFIRMS, _PICKED_UP_S, _PICKED_UP_CV = 0.95, 12.0, 0.35
_ANSWERS, _READY_S, _FAILED_S, _FINISHING_S, _USES_KEY = 0.5, 20.0, 25.0, 40.0, 0.5
_PRESSED_S = 8.0
_ANSWERS_WEIGHT = 5.0
"""Weight of the prior: the share of citizens who can be reached differs much from round to round."""
_IMPROBABLE = 0.05
"""Chance below which a call holds no place any more; at most as many such calls go on."""
_SHOWN = 1.3
"""Multiple of the average ready time after which a call's result is plain."""
_KEY_WEIGHT = 1.0
"""Weight of the prior: a few conversations show whether an official uses the key."""
_CHAIN = 4
"""Number of attempts in a row that are looked ahead."""


@dataclass(frozen=True)
class Speaker:
    """Official at a desk of the round."""

    talking_for: float | None
    """Seconds of the conversation; None if the official is free and wants the next citizen, or soon will."""
    finishing_for: float | None = None
    """Seconds since «رو به پایان» was pressed in this conversation."""


@dataclass(frozen=True)
class Situation:
    """State of the round at this moment."""

    speakers: Sequence[Speaker]
    ringing_for: Sequence[float]
    """Seconds since each unanswered call was placed."""
    ready: int
    """Number of citizens who pressed 1 and wait."""
    answered_for: Sequence[float] = ()
    """Seconds since each answered call without a 1 was picked up; these are not in `ringing_for`."""


@dataclass(frozen=True)
class RoundStatistics:
    """Observations of this round so far; empty at its beginning."""

    conversations: Sequence[float] = ()
    """Lengths of conversations."""
    finishing: Sequence[float] = ()
    """Seconds from the key «رو به پایان» to the end of the conversation."""
    ready_after: Sequence[float] = ()
    """Seconds from placing a call to its citizen's 1."""
    failed_after: Sequence[float] = ()
    """Seconds from placing a call to its end without a 1."""
    answered_after: Sequence[float] = ()
    """Seconds from placing a call to its answer; may be empty."""
    pressed_after: Sequence[float] = ()
    """Seconds from the answer to the 1; may be empty."""


def count_calls_wanted(situation: Situation, statistics: RoundStatistics, *, minutes: int, most: int) -> int:
    """Return how many more calls to place now, 0 or more, by the rule of this module.

    `minutes`: the agreed length of a conversation. For each speaker at most `most` citizens are ready or may
    still come. At most twice as many are under way or ready.
    """
    speakers = situation.speakers
    known = _learn(statistics, minutes)
    calls = [call for call in known.calls(situation) if call.comes >= _IMPROBABLE]
    under_way = len(situation.ringing_for) + len(situation.answered_for)
    room = most * len(speakers) - situation.ready - max(len(calls), under_way - most * len(speakers))
    there = [1.0]  # chances that 0, 1, … of those under way come
    for call in calls:
        there = _add(there, [call.comes])
    shows_in = max((call.shows_in for call in calls), default=0.0)
    wanted = 0
    while wanted < room and _due(situation, there, shows_in, known):
        wanted, shows_in = wanted + 1, known.shown
        there = _add(there, [known.answers])
    return wanted


def _due(situation: Situation, there: list[float], shows_in: float, known: "_Known") -> bool:
    """Return whether to place one more call beside those with the chances `there`."""
    needed = sum(weight * _needed(situation, there, after, known) for after, weight in known.attempts)
    cheaper = 1 - SPENT * known.uses_key
    if needed < FIRST * cheaper:
        return False
    if len(there) == 1:
        return True
    free = max(1, sum(speaker.talking_for is None for speaker in situation.speakers))
    called_ahead = sum(chance * max(0, situation.ready + n + 1 - free) for n, chance in enumerate(there))
    saved = shows_in * _needed(situation, there, known.ready + shows_in / 2, known)
    return saved >= BESIDE * called_ahead * known.length.mean / len(situation.speakers)


def _needed(situation: Situation, there: list[float], within: float, known: "_Known") -> float:
    """Return P(more officials become free within so many seconds than citizens are there by then)."""
    freed = _freed(situation.speakers, within, known, situation.ready + len(there))
    return sum(chance * sum(freed[situation.ready + n + 1 :]) for n, chance in enumerate(there))


def estimate_wait(situation: Situation, statistics: RoundStatistics, *, minutes: int, place: int) -> float:
    """Return the median seconds until the citizen at `place` (1 is first) is connected; 0 without a desk."""
    if not situation.speakers:
        return 0.0
    known = _learn(statistics, minutes)
    low, high = 0.0, 1.0
    while high < 1e6 and _freed(situation.speakers, high, known, place)[place] < 0.5:
        low, high = high, high * 2
    while high - low > 0.5:
        middle = (low + high) / 2
        if _freed(situation.speakers, middle, known, place)[place] < 0.5:
            low = middle
        else:
            high = middle
    return 0.0 if high <= 0.5 else high


def _freed(speakers: Sequence[Speaker], within: float, known: "_Known", most: int) -> list[float]:
    """Return the chances that a speaker becomes free 0, 1, … (last: `most` or more) times within `within`."""
    chances = [1.0]
    turns = min(most, 2 + most // len(speakers))
    for speaker in speakers:
        times = [known.free_within(speaker, within, nth) for nth in range(1, turns + 1)]
        chances = _add(chances, list(accumulate(times, min)))
        chances[most:] = [sum(chances[most:])]
    return chances + [0.0] * (most + 1 - len(chances))


def _add(chances: list[float], at_least: list[float]) -> list[float]:
    """Return the chances of the sum of two independent counts.

    `chances` holds the chances of 0, 1, …; `at_least` holds the chances of at least 1, 2, ….
    """
    bounds = [1.0, *at_least, 0.0]
    while len(bounds) > 2 and bounds[-2] < 1e-9:
        bounds.pop(-2)
    total = [0.0] * (len(chances) + len(bounds) - 2)
    for j in range(len(bounds) - 1):
        exactly = bounds[j] - bounds[j + 1]
        for i, chance in enumerate(chances):
            total[i + j] += chance * exactly
    return total


class _Call(NamedTuple):
    """Expectation for a call under way."""

    comes: float
    """Chance that the call still brings somebody."""
    shows_in: float
    """Seconds until that is plain."""


@dataclass(frozen=True)
class _Known:
    """Expectations from the priors and from this round's observations."""

    length: Lognormal
    finishing: Lognormal
    picked_up: Lognormal
    pressed: Lognormal
    confirms: float
    answers: float
    uses_key: float
    ready: float
    """Seconds after which a successful call has brought somebody."""
    failed: float
    """Seconds after which an unsuccessful call has failed."""
    shown: float
    """Seconds after placing a call until its result is plain."""
    attempts: tuple[tuple[float, float], ...]
    """Pairs of seconds and chance: when a call placed now, or a successor, brings somebody."""

    def calls(self, situation: Situation) -> list[_Call]:
        """Return the expectation for each call under way."""
        return [self._ringing(since) for since in situation.ringing_for] + [
            self._answered(since) for since in situation.answered_for
        ]

    def _ringing(self, since: float) -> _Call:
        comes = self.answers * self.picked_up.beyond(since)
        return _Call(comes / (comes + 1 - self.answers), max(self.shown - since, 1.0))

    def _answered(self, since: float) -> _Call:
        comes = self.confirms * self.pressed.beyond(since)
        return _Call(comes / (comes + 1 - self.confirms), max(self.shown - self.picked_up.mean - since, 1.0))

    def free_within(self, speaker: Speaker, x: float, nth: int) -> float:
        """Return P(the speaker becomes free for the nth time within x); being free now is the first."""
        if speaker.talking_for is None:
            return 1.0 if nth == 1 else self._later(0.0, 0.0, x, nth - 1)
        if nth > 1 and self.length.beyond(x) > 0.99:
            return 0.0
        if nth > 1:
            return self._later(*self._remaining(speaker.talking_for), x, nth - 1)
        since = max(speaker.talking_for, 0.0)
        plainly = self.length.ends_within(x, since)
        if speaker.finishing_for is not None:
            return max(plainly, self.finishing.ends_within(x, max(speaker.finishing_for, 0.0)))
        notice = math.exp(self.finishing.mu)
        unannounced = 1 - self.uses_key
        far = 1 - self.length.ends_within(notice, since)  # P(the end is farther than the usual notice)
        soon = max(0.0, self.length.ends_within(x, since) - (1 - far))
        return (unannounced * plainly + self.uses_key * soon) / (unannounced + self.uses_key * far)

    def _remaining(self, since: float) -> tuple[float, float]:
        """Return the mean of the remaining time of a conversation, and roughly its variance."""
        mu, sigma = self.length.mu, self.length.sigma
        beyond = self.length.beyond(since)
        if since <= 0 or beyond < 1e-9:
            return self.length.mean, self.length.variance
        whole = self.length.mean * Lognormal(mu + sigma**2, sigma).beyond(since) / beyond
        return max(whole - since, 1.0), self.length.variance

    def _later(self, mean: float, variance: float, x: float, more: int) -> float:
        """Return P(a time of this mean and variance plus `more` conversations <= x), as one lognormal."""
        mean += more * self.length.mean
        ratio = math.log1p((variance + more * self.length.variance) / mean**2)
        return 1 - Lognormal(math.log(mean) - ratio / 2, math.sqrt(ratio)).beyond(x)


def _learn(e: RoundStatistics, minutes: int) -> _Known:
    """Return the expectations, cached by the statistics: the dialer asks ten times a second."""
    lists = (
        e.conversations,
        e.finishing,
        e.ready_after,
        e.failed_after,
        e.answered_after,
        e.pressed_after,
    )
    return _learnt(RoundStatistics(*map(tuple, lists)), minutes)


@lru_cache(maxsize=64)
def _learnt(e: RoundStatistics, minutes: int) -> _Known:
    tried = len(e.ready_after) + len(e.failed_after)
    answers = (_ANSWERS * _ANSWERS_WEIGHT + len(e.ready_after)) / (_ANSWERS_WEIGHT + tried)
    ready = fit(e.ready_after, _READY_S).mean
    failed = fit(e.failed_after, _FAILED_S).mean
    shown = _SHOWN * ready
    together = 1 - (1 - answers) ** (1 / answers)  # that start at once
    chances = [answers, *((1 - answers) * together * (1 - together) ** n for n in range(_CHAIN - 2))]
    chances.append(1 - sum(chances))
    confirmed = _CONFIRMS * WEIGHT + len(e.ready_after)
    used = min(len(e.finishing), len(e.conversations))
    return _Known(
        length=fit(e.conversations, max(minutes, 1) * 60 * _MEAN_OF_AGREED),
        finishing=fit(e.finishing, _FINISHING_S),
        picked_up=fit(e.answered_after, _PICKED_UP_S, _PICKED_UP_CV),
        pressed=fit(e.pressed_after, _PRESSED_S),
        confirms=confirmed / (WEIGHT + max(len(e.answered_after), len(e.ready_after))),
        answers=answers,
        uses_key=(_USES_KEY * _KEY_WEIGHT + used) / (_KEY_WEIGHT + len(e.conversations)),
        ready=ready,
        failed=failed,
        shown=shown,
        attempts=tuple((ready + n * min(failed, shown), chance) for n, chance in enumerate(chances)),
    )
