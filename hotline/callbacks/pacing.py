"""When the dialer calls the next citizen: pure arithmetic, no database and no clock; all in seconds.

Two things can go wrong with a call: it comes too late, and the official sits idle until somebody is
ready; or too early, and the citizen holds the line. Putting a call off by one second costs an idle
second if an official is free before the call has brought somebody, and saves a waiting second if not.
So a call is placed as soon as

    P(officials free by the time it brings somebody > citizens that are there by then) >= a threshold,

which is the price of a citizen's second over that of a citizen's and an official's together. The left
side is made of

- the officials: a conversation that has lasted t ends within x with the chance that a lognormal length
  of at least t is below t + x. The logarithms' mean and spread start from the agreed minutes and move
  towards what this round shows;
- the key «رو به پایان»: once pressed, what remains is what remained after it before. Where it is usually
  pressed, that it has not been pressed says that the end is not that near;
- a call placed now: ready after the usual time, or, failed, followed by the next, ready later, and so on;
- calls under way, each with its own chance still to bring somebody: it shrinks as they ring on, and as who
  picked up presses nothing. A call that has become improbable holds no place: it goes on, but counts no more.

A call beside others that may still bring somebody is more: it may bring one citizen too many, who waits for
a whole conversation. Whether it is needed shows by itself soon. So it also takes

    the idle seconds that not waiting for that saves >= a price x the seconds of such waits,

both as expected now. The price is low, as who waits is also the next one ready. With an idle official it
comes to about as many calls at once as bring one citizen on average; while the official speaks, to one at a
time. No phone that rings is given up for another: if two press 1, both are spoken with, in the line's order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from hotline.callbacks.lognormal import WEIGHT, Lognormal, fit

FIRST = 0.13
"""Threshold of a call with none beside it: an idle second is worth some seven of a waiting citizen's."""
BESIDE = 0.08
"""Price of a second of one citizen too many, in idle seconds, less what it saves at the next turn."""
SPENT = 0.6
"""Where the key is used, so much of what it saves citizens is spent on officials who forget it."""

_MEAN_OF_AGREED = 5 / 6
_CONFIRMS, _PICKED_UP_S, _PICKED_UP_CV = 0.95, 12.0, 0.35
_ANSWERS, _READY_S, _FAILED_S, _FINISHING_S, _USES_KEY = 0.5, 20.0, 25.0, 40.0, 0.5
_PRESSED_S = 8.0
_ANSWERS_WEIGHT = 5.0
"""How many can be reached differs much from round to round."""
_IMPROBABLE = 0.05
"""A call less likely to bring somebody holds no place any more; at most as many such calls go on."""
_SHOWN = 1.3
"""Whether a call brings somebody is plain after so many times what one that does takes on average."""
_KEY_WEIGHT = 1.0
"""Whether the key is used is plain after a few conversations."""
_CHAIN = 4
"""So many attempts in a row are looked ahead."""


@dataclass(frozen=True)
class Speaker:
    """An official at a desk of the round."""

    talking_for: float | None
    """None: free, and asks for the next citizen (or is about to)."""
    finishing_for: float | None = None
    """Since «رو به پایان» was pressed in this conversation."""


@dataclass(frozen=True)
class Situation:
    """The round at this moment."""

    speakers: Sequence[Speaker]
    ringing_for: Sequence[float]
    """Since each call under way was placed that nobody has confirmed yet."""
    ready: int
    """Citizens who pressed 1 and wait."""
    answered_for: Sequence[float] = ()
    """Since each call was picked up in which nobody has pressed 1 yet; these are not in `ringing_for`."""


@dataclass(frozen=True)
class RoundStatistics:
    """What this round has shown so far; empty at its beginning."""

    conversations: Sequence[float] = ()
    """Lengths of the conversations that took place."""
    finishing: Sequence[float] = ()
    """Of those in which the key was pressed: how long before their end."""
    ready_after: Sequence[float] = ()
    """From placing a call to its citizen's 1."""
    failed_after: Sequence[float] = ()
    """From placing a call to its end, where nobody confirmed."""
    answered_after: Sequence[float] = ()
    """From placing a call to its being picked up; may be left empty."""
    pressed_after: Sequence[float] = ()
    """From picking up to the 1; may be left empty."""


def calls_wanted(situation: Situation, statistics: RoundStatistics, *, minutes: int, most: int) -> int:
    """How many more calls to place at this moment, 0 or more (the module says by which rule).

    `minutes` are the agreed ones of a conversation. For each speaker never more than `most` are ready or may
    still come, and never more than twice as many under way or ready.
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
    """Whether one more call is to be placed beside those of which `there` come."""
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
    """P(more officials become free within so many seconds than citizens are there by then)."""
    freed = _freed(situation.speakers, within, known, situation.ready + len(there))
    return sum(chance * sum(freed[situation.ready + n + 1 :]) for n, chance in enumerate(there))


def expected_wait(situation: Situation, statistics: RoundStatistics, *, minutes: int, place: int) -> float:
    """Seconds until the waiting citizen at `place` (1 is first) is connected: as likely less as more.

    With nobody at the desks: 0.
    """
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
    """Chances that 0, 1, … (and `most` or more) times a speaker becomes free within so many seconds."""
    chances = [1.0]
    turns = min(most, 2 + most // len(speakers))
    for speaker in speakers:
        times = [known.free_within(speaker, within, nth) for nth in range(1, turns + 1)]
        chances = _add(chances, list(accumulate(times, min)))
        chances[most:] = [sum(chances[most:])]
    return chances + [0.0] * (most + 1 - len(chances))


def _add(chances: list[float], at_least: list[float]) -> list[float]:
    """The sum of two independent counts: one by chances of 0, 1, …, the other of at least 1, 2, …"""
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
    """What is to be expected of a call under way."""

    comes: float
    """The chance that it still brings somebody."""
    shows_in: float
    """Whether it does is plain after so many seconds."""


@dataclass(frozen=True)
class _Known:
    """What is expected after the priors and what this round has shown."""

    length: Lognormal
    finishing: Lognormal
    picked_up: Lognormal
    pressed: Lognormal
    confirms: float
    answers: float
    uses_key: float
    ready: float
    """A call that brings somebody has done so after so many seconds; one that does not has failed after"""
    failed: float
    """so many."""
    shown: float
    """Whether a call brings somebody is plain so many seconds after it was placed."""
    attempts: tuple[tuple[float, float], ...]
    """A call placed now brings somebody after so many seconds, with this chance (itself or a later one)."""

    def calls(self, situation: Situation) -> list[_Call]:
        """What is to be expected of the calls under way."""
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
        """P(the speaker becomes free for the nth time within x); one who is free already has been once."""
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
        far = 1 - self.length.ends_within(notice, since)  # those who use the key are at least so far
        soon = max(0.0, self.length.ends_within(x, since) - (1 - far))
        return (unannounced * plainly + self.uses_key * soon) / (unannounced + self.uses_key * far)

    def _remaining(self, since: float) -> tuple[float, float]:
        """Mean of what remains of a conversation, and roughly its variance."""
        mu, sigma = self.length.mu, self.length.sigma
        beyond = self.length.beyond(since)
        if since <= 0 or beyond < 1e-9:
            return self.length.mean, self.length.variance
        whole = self.length.mean * Lognormal(mu + sigma**2, sigma).beyond(since) / beyond
        return max(whole - since, 1.0), self.length.variance

    def _later(self, mean: float, variance: float, x: float, more: int) -> float:
        """P(a time of this mean and variance and `more` whole conversations <= x), as one lognormal."""
        mean += more * self.length.mean
        ratio = math.log1p((variance + more * self.length.variance) / mean**2)
        return 1 - Lognormal(math.log(mean) - ratio / 2, math.sqrt(ratio)).beyond(x)


def _learn(e: RoundStatistics, minutes: int) -> _Known:
    """The same again for the same statistics is free: it is asked ten times a second."""
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
    together = 1 - (1 - answers) ** (1 / answers)  # so many are called at once while the official is idle
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
