"""When a citizen who was not reached is called again: by the reason, after growing waits, never at night."""

from datetime import datetime, timedelta

from db.models import Round
from db.states import RETRIED, Outcome
from hotline.clock import after_quiet
from hotline.errors import Refused
from hotline.rounds import OVERTIME
from settings import Settings

FREE_OF_CHARGE = {Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED}
"""Outcomes that do not use up one of a registration's attempts in a round."""

_SHARE = {Outcome.BUSY: 0.5, Outcome.CALL_AGAIN: 0.5, Outcome.UNREACHABLE: 2.0}
"""Of HOTLINE_RETRY_SECONDS: a busy phone is soon free, one that is switched off stays so. Others: 1."""


_FARTHEST = timedelta(days=31)
"""A wish farther ahead is a slip of the finger."""


def wished(wish: datetime, at: datetime, round_: Round, settings: Settings) -> datetime:
    """When a citizen is called who asked, at `at`, to be called at `wish`: never in quiet hours.

    Never after the round's end either: such a wish passes the citizen over for the rest of this round, who
    is then first in the next one. Raises Refused("too-far-ahead").
    """
    if wish - at > _FARTHEST:
        raise Refused("too-far-ahead", f"a call can be promised for at most {_FARTHEST.days} days ahead")
    due = after_quiet(max(wish, at), settings.quiet_hours)
    return due if round_.standing or due < round_.ends_at else max(due, round_.ends_at + OVERTIME)


def not_before(
    outcome: Outcome, attempts: int, at: datetime, settings: Settings, until: datetime | None = None
) -> datetime | None:
    """Until when a registration with this outcome at `at` is passed over; None: it may be called at once.

    Each of the `attempts` that were used up doubles the wait, but where nobody was to blame. It lasts at
    least `until`.
    """
    if outcome not in RETRIED or outcome is Outcome.RETURNED:
        return None
    growth = 1 if outcome in FREE_OF_CHARGE else 2 ** max(attempts - 1, 0)
    wait = settings.retry_seconds * _SHARE.get(outcome, 1.0) * growth
    due = at + timedelta(seconds=wait)
    return after_quiet(max(due, until or due), settings.quiet_hours)
