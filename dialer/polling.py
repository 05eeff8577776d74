"""Intervals of the dialer's polls: each poll costs, and mostly nobody is there."""

import time

from sqlalchemy import Engine, exists, or_, select

from db.models import (
    Callback,
    Confirmation,
    Desk,
    Guest,
    PlacedCall,
    RescueCall,
    TrialCall,
    UrgentMatter,
    WaitingCaller,
    make_literal,
)
from db.raw import fetch_value
from db.states import CallbackState
from hotline.outbound import queue

POLL_S = 0.05
CALM_S = 0.2
REST_S, _RESTS_AFTER_S = 1.0, 2.0
"""Longest interval without calls under way and without news, and the time after which it applies."""
EMPTY_S = 5.0
"""Interval if nobody is at a desk or waits for a call; only work that time itself causes."""
WHOLE_S = 60.0
"""Interval of a poll for all work even then."""

_UNDER_WAY = select(exists().where(Callback.ended_at.is_(None)))
_IS_ANYBODY_AT_WORK = select(
    or_(
        exists().where(Desk.phone_connected),
        exists().where(Desk.round_id.is_not(None)),
        exists().where(Desk.call_asked_at.is_not(None)),
        exists().where(Desk.hears_desk_id.is_not(None)),
        exists().where(Callback.state == make_literal(CallbackState.ENDED)),
        exists().where(Guest.ended_at.is_(None)),
        exists().where(WaitingCaller.left_at.is_(None)),
        exists().where(RescueCall.ended_at.is_(None)),
        exists().where(UrgentMatter.taken_at.is_(None)),
        exists().where(TrialCall.slot == 1),
        queue.IS_ANY_AWAITED,
    )
)
_IS_ANYBODY_THERE = select(or_(_IS_ANYBODY_AT_WORK.scalar_subquery(), _UNDER_WAY.scalar_subquery()))

_IS_ANYBODY_TO_CALL = select(
    or_(
        exists().where(Confirmation.decided_at.is_(None), Confirmation.token.is_(None)),
        queue.IS_ANY_OPEN,
        exists().where(PlacedCall.ended_at.is_(None)),
    )
)


class PollIntervals:
    """Poll intervals of one dialer: news is handled at once, other work as seldom as possible."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rests = False
        self._awake_until = 0.0
        self._next_calm = 0.0
        self._next_empty = 0.0
        self._next_whole = 0.0
        self.nobody = False
        """Nobody was there at the last calm moment, so no poll for people's requests is needed."""

    def pause(self, until: float | None) -> float:
        """Return how long a turn waits for an event, at most until `until`; None: Asterisk is unknown now."""
        if until is None or not self._rests:
            return POLL_S
        return max(POLL_S, min(until, self._next_calm) - time.monotonic())

    def wake(self) -> None:
        """Note that there is news."""
        at = time.monotonic()
        self._rests = False
        self._awake_until = at + _RESTS_AFTER_S
        self._next_calm = min(self._next_calm, at + CALM_S)

    def is_calm(self, *, news: bool = False) -> bool:
        """Return whether to poll for work that may wait CALM_S or longer.

        With `news` it waits once more, so that a follow-up (a citizen enters the room) is handled at once.
        """
        at = time.monotonic()
        if at < self._next_calm + (CALM_S if news else 0.0):
            return False
        # a call that begins is news, so a resting dialer rests until then
        self._rests = at >= self._awake_until and (self._rests or not fetch_value(self._engine, _UNDER_WAY))
        self._next_calm = at + (REST_S if self._rests else CALM_S)
        if self._rests and at < self._next_empty and not fetch_value(self._engine, _IS_ANYBODY_AT_WORK):
            return False
        self._next_empty = at + EMPTY_S
        self.nobody = self._rests and at < self._next_whole and not self.is_anybody_there()
        if not self.nobody:
            self._next_whole = at + WHOLE_S
        return True

    def is_anybody_to_call(self) -> bool:
        """Return whether the system has to call anybody now or later, or is calling."""
        return bool(fetch_value(self._engine, _IS_ANYBODY_TO_CALL))

    def is_anybody_there(self) -> bool:
        """Return whether somebody is at a desk, waits for a call, or is called."""
        return bool(fetch_value(self._engine, _IS_ANYBODY_THERE))
