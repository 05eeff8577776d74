"""Outcomes of ended calls, and the fault behind them: the citizen's phone's or ours.

The network's SIP status says why a call failed. Asterisk's cause (Q.850) cannot: 403 and 603 are both 21, 483
and 480 both 19. A status that no phone would send (5xx, 401, 403, silence) is ours: the carrier's, the
network's or this machine's. The tests in tests/system/test_sip_answers.py play each one.
"""

from typing import NamedTuple

from db.states import CallbackState, Outcome
from dialplan.variables import CAPPED_CAUSE


class Ending(NamedTuple):
    """Ending of a call, as far as known."""

    cause: int = 0
    """Asterisk's cause of the channel (Q.850)."""
    sip: int | None = None
    """Last SIP status of the network; 0: silence; None: unknown (the call was answered, or we hung up)."""


UNSEEN = Ending()
NEVER_BEGAN = Ending(sip=0)
"""Ending of a call for which Asterisk could not create a channel."""

PROVISIONAL = (180, 181, 182, 183)
"""Last status when our ringing time was over: many networks play their ringing tone under a 183."""

_SAID_BY_PHONES = {
    **dict.fromkeys(PROVISIONAL, Outcome.NO_ANSWER),
    # forwarded; we follow no forwarding
    **dict.fromkeys((300, 301, 302, 305, 380), Outcome.UNREACHABLE),
    # no such number; switched off or out of reach
    **dict.fromkeys((404, 410, 484, 485, 604), Outcome.UNREACHABLE),
    480: Outcome.UNREACHABLE,
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    607: Outcome.REJECTED,
    608: Outcome.REJECTED,
}
"""Statuses that phones send, and their outcomes. All other statuses are our fault."""

_GIVEN_UP = {408, 480, 487}
"""Statuses of a phone that rang and that nobody answered."""

UNANSWERED_CAUSE = 102
"""Q.850 «recovery on timer expiry»: the far end of an answered call no longer answers SIP."""

_CUT = {18, 20, 27, 34, 38, 41, 42, 44, 47, UNANSWERED_CAUSE}
"""Causes of an answered call that nobody hung up: the carrier ended it, or its audio or SIP stopped. With any
other cause the citizen hung up: gateways send 17, 31 or 127, too.
"""


def is_cut(ending: Ending) -> bool:
    """Return whether nobody hung up the answered call: it ended by itself."""
    return ending.cause in _CUT


def map_sip_status(sip: int, *, rang: bool) -> Outcome:
    """Return the outcome of a call that nobody picked up, by the last SIP status; FAILED is our own fault."""
    if rang and sip in _GIVEN_UP:
        return Outcome.NO_ANSWER
    return _SAID_BY_PHONES.get(sip, Outcome.FAILED)


def is_trunk_failure(ending: Ending) -> bool:
    """Return whether the call never reached a phone through a fault of the trunk or of Asterisk."""
    said = ending.sip
    return said is not None and said // 100 != 2 and map_sip_status(said, rang=False) is Outcome.FAILED


def is_trunk_success(ending: Ending) -> bool:
    """Return whether the end of the call shows that the trunk reached a phone."""
    return ending.sip is not None and not is_trunk_failure(ending)


def is_own_fault(ending: Ending) -> bool:
    """Return whether the call never reached a phone through our own fault: it costs nobody anything."""
    return is_trunk_failure(ending) or ending.cause == CAPPED_CAUSE


def _unheard(ending: Ending) -> Outcome:
    return Outcome.RETURNED if ending.cause == CAPPED_CAUSE else Outcome.FAILED


def map_hangup(
    state: CallbackState, ending: Ending, *, by_us: bool, called_ahead: bool = False
) -> Outcome | None:
    """Return the outcome of a callback whose channel ended in `state`; None if the desk has to give it.

    `by_us`: we hung up. `called_ahead`: the call was for no particular desk, so the citizen returns as if
    never called. A missing SIP status is our own fault, too. A call without a free channel of ours returns as
    if never placed.
    """
    if by_us and called_ahead:
        return Outcome.RETURNED
    rang = state is CallbackState.RINGING
    match state:
        case CallbackState.DIALING | CallbackState.RINGING if by_us:
            return Outcome.NO_ANSWER if rang else Outcome.RETURNED
        case CallbackState.DIALING | CallbackState.RINGING:
            return _unheard(ending) if ending.sip is None else map_sip_status(ending.sip, rang=rang)
        case CallbackState.ANSWERED | CallbackState.WAITING | CallbackState.SCREENING:
            if by_us:
                return Outcome.CALL_AGAIN
            return Outcome.FAILED if is_cut(ending) else Outcome.HUNG_UP
    return None
