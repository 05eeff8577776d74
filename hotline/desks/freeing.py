"""Freeing: a supervisor takes a citizen from a desk after a hung call, or if the desk's person has gone.

The call ends with an apology if the citizen can hear one. The citizen pays nothing, and is first again.
"""

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback
from db.states import IN_TALK, CallbackState, Outcome
from hotline import audit
from hotline.callbacks import closing, transitions
from hotline.errors import Refused
from settings import Settings

_RINGS = (CallbackState.DIALING, CallbackState.RINGING)
_LISTENS = (CallbackState.ANSWERED, CallbackState.WAITING)


def free(session: Session, callback: Callback, settings: Settings, *, who: str, reason: str) -> Callback:
    """Take the citizen from the desk; the dialer ends the call. A repeated request changes nothing.

    After the call the desk owes an outcome instead (`staffing.record_outcome`). Raises Refused("wrong-state"
    | "reason-missing").
    """
    reason = audit.check_reason(reason)
    session.refresh(callback, with_for_update={"key_share": True})
    desk_id, state = callback.desk_id, callback.state
    if desk_id is None or state not in (CallbackState.CLAIMED, *_RINGS, *_LISTENS, *IN_TALK):
        raise Refused("wrong-state", f"the callback is {state}")
    if callback.hangup_asked_at:
        return callback
    audit.record(session, who, "citizen-freed", f"callback {callback.id}", f"desk {desk_id}: {reason}")
    _let_go(session, callback, settings)
    events.append_desk(session, desk_id, "freed")
    return callback


def _let_go(session: Session, callback: Callback, settings: Settings) -> None:
    at = now(session)
    if callback.state is CallbackState.CLAIMED:
        closing.close(session, callback.token, Outcome.RETURNED, settings)
        return
    if callback.state in _RINGS:  # as if never taken: the call has no desk any more
        callback.desk_id = callback.user_id = None
    elif callback.state in _LISTENS:
        callback.again_at = at  # tells the dialer to apologise
    elif callback.state is CallbackState.TALKING:
        transitions.move_unheard(session, callback.token, CallbackState.HELD, held_until=at)
    elif callback.state is CallbackState.HELD:
        callback.on_hold_at, callback.held_until = None, at
    callback.hangup_asked_at = at
    session.flush()
    events.append_callback(session, callback)
