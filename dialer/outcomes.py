"""What the end of a callback's channel means: by Q.850 cause, and by how far the callback had come."""

from db.states import CallbackState, Outcome

_UNANSWERED = {CallbackState.DIALING, CallbackState.RINGING}
_BY_CAUSE = {17: Outcome.BUSY, 21: Outcome.REJECTED}


def of_hangup(state: CallbackState, cause: int, *, by_desk: bool) -> Outcome | None:
    """The outcome of a callback whose channel ended in `state`; None if the desk has to say.

    Cause 19 stands for both «rang out» and «switched off» (SIP 480), and a ringing time that is over
    has no cause at all: whether the phone ever rang tells the two apart.
    """
    if state in _UNANSWERED:
        if by_desk and state is CallbackState.DIALING:
            return Outcome.RETURNED
        rang = state is CallbackState.RINGING
        return _BY_CAUSE.get(cause, Outcome.NO_ANSWER if rang else Outcome.UNREACHABLE)
    if state in (CallbackState.ANSWERED, CallbackState.WAITING):
        return Outcome.CALL_AGAIN if by_desk else Outcome.HUNG_UP
    return None
