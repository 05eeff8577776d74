"""The policy of each kind of outgoing call: one row for a kind.

The rows have no conditions: those are in each kind's own module, which may be in a higher room. The order of
the rows is the order in which the dialer places calls.
"""

from datetime import timedelta
from typing import NamedTuple

from db.models import OutboundKind


class CallKind(NamedTuple):
    """How often, when and by how many lines the calls of a kind are placed."""

    prefix: str
    """How a call's token begins: it is the call's id in every log."""
    attempts: int = 1
    retry: timedelta = timedelta()
    """The delay after an attempt that nobody answered."""
    after_fault: timedelta | None = timedelta(minutes=1)
    """The delay after a fault of ours, which costs no attempt. None: the call ends."""
    after_cap: timedelta | None = None
    """The delay once the number has been called too often. None: the call ends."""
    valid: timedelta | None = None
    """How long after the request the call may begin. None: as long as it is eligible."""
    is_awaited: bool = False
    """Whether somebody waits beside the telephone: the dialer does not rest meanwhile."""
    at_night: bool = False
    at_once: int = 5
    """How many calls of this kind may be in progress."""
    share: float = 0.5
    """The part of each cap on all calls that this kind may use: the rest is left to callbacks."""
    takes_caller_line: bool = False
    """Whether a person who answers becomes a caller.

    The node of the operators' line places such calls, one a second, while lines for callers are free
    (dialer.caller_lines). The node that leads places the calls of all other kinds."""

    @property
    def longest_wait(self) -> timedelta:
        """Return the longest time for which a call that is asked for now may not be due yet."""
        return max(self.retry, self.after_fault or self.retry, self.after_cap or self.retry)


KINDS = {
    OutboundKind.SIGN_IN_CODE: CallKind(
        "code",
        after_fault=None,  # a citizen who hears no code asks for another
        valid=timedelta(seconds=210),  # of five minutes: ringing, listening and typing take the rest
        is_awaited=True,
    ),
    OutboundKind.OVERFLOW: CallKind(
        "left",
        attempts=2,
        retry=timedelta(minutes=5),  # many redial meanwhile, and are busy
        after_cap=timedelta(minutes=10),
        valid=timedelta(hours=3),
        is_awaited=True,
        takes_caller_line=True,
    ),
    OutboundKind.HEADS_UP: CallKind("near"),  # a citizen who does not answer is called in turn all the same
    OutboundKind.SOLVED: CallKind(
        "solved",
        attempts=3,
        retry=timedelta(hours=3),  # a day has several; an hour in which nobody is at home passes
        after_cap=timedelta(hours=3),
    ),
}
