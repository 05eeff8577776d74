"""What the end of a callback's channel means: by Q.850 cause, and by how far the callback had come."""

from db.states import CallbackState, Outcome
from dialplan.variables import CAPPED_CAUSE

_BY_CAUSE = {17: Outcome.BUSY, 21: Outcome.REJECTED, CAPPED_CAUSE: Outcome.FAILED}

_GIVEN_UP = {0, 16, 19, 127}
"""Nobody answered, for the network (19, also SIP 480) or for Asterisk, whose ringing time was over."""


def of_hangup(state: CallbackState, cause: int, *, by_us: bool, ahead: bool = False) -> Outcome | None:
    """The outcome of a callback whose channel ended in `state`; None if the desk has to say.

    `by_us`: we hung up; `ahead`: it was called for no desk in particular, so it goes back as if never called.
    Giving up means «no answer» only for a phone that rang; one that never did was not reachable.
    """
    if by_us and ahead:
        return Outcome.RETURNED
    match state:
        case CallbackState.DIALING:
            return Outcome.RETURNED if by_us else _BY_CAUSE.get(cause, Outcome.UNREACHABLE)
        case CallbackState.RINGING:
            otherwise = Outcome.NO_ANSWER if cause in _GIVEN_UP else Outcome.UNREACHABLE
            return _BY_CAUSE.get(cause, otherwise)
        case CallbackState.ANSWERED | CallbackState.WAITING | CallbackState.SCREENING:
            return Outcome.CALL_AGAIN if by_us else Outcome.HUNG_UP
    return None
