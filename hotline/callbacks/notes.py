"""What the office writes of a conversation while it goes on: each word is kept as it comes.

Two may write at one time, the official and the one beside: each note is a line, added to those before.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, User
from db.states import CallbackState
from hotline import audit
from hotline.callbacks import callbacks
from hotline.errors import Refused
from hotline.rounds import round_permissions, rounds

MOST = 2000
"""Characters of all notes that are added while a conversation goes on."""
_LONGEST = 20_000
"""What is said with an outcome is never refused; no more than this is kept of all."""
_SPOKEN = (CallbackState.TALKING, CallbackState.HELD, CallbackState.PARTING, CallbackState.ENDED)
_AFTERWARDS = timedelta(hours=1)
"""For so long a desk may add to what it has closed."""


def check_writes(session: Session, callback: Callback, user: User) -> None:
    """That the person may write of this conversation: their desk's own, or one beside which they sit.

    Raises Refused("forbidden").
    """
    if callbacks.holds(callback, user.desk_id):
        return
    if callback.state is CallbackState.CLOSED:
        ended_at = callback.ended_at
        may = callback.desk_id == user.desk_id and ended_at and now(session) - ended_at < _AFTERWARDS
    else:
        round_ = rounds.get(session, callback.round_id)
        may = callback.state in _SPOKEN and round_permissions.may_serve(session, user, round_)
    if not may:
        raise Refused("forbidden", "this conversation is another desk's, or was long ago")


def add(session: Session, callback: Callback, note: str, *, who: str) -> Callback:
    """Add a line to its note. Raises Refused("text-missing" | "text-long")."""
    if not note.strip():
        raise Refused("text-missing", "write something")
    session.refresh(callback, ["note"], with_for_update={"key_share": True})
    whole = joined(callback.note, note)
    if len(whole) > MOST:
        raise Refused("text-long", f"all notes of a conversation: at most {MOST} characters")
    callback.note = whole
    audit.record(session, who, "note-added", f"callback {callback.id}")
    events.callback_changed(session, callback)
    return callback


def joined(before: str, note: str) -> str:
    """Both, each line once: nothing that was written before is written over."""
    lines = before.split("\n") if before else []
    lines += [line for line in note.strip().split("\n") if line and line not in lines]
    return "\n".join(lines)[:_LONGEST]
