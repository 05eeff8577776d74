"""Pauses between trials of a trunk or of the scripts: each is twice as long as the one before."""

from datetime import timedelta

_MOST_DOUBLINGS = 10
"""Keeps the pause within what a timedelta holds, however many trials have failed."""


def find_pause(first: timedelta, longest: timedelta, failed: int) -> timedelta:
    """Return the pause after so many failed trials, from `first` to `longest`."""
    return min(first * (1 << min(failed, _MOST_DOUBLINGS)), longest)
