"""Notes on a conversation: each keeps its text, its writer and its time.

Two people may write at the same time, for example an official and an assistant: no note replaces another.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Note, User
from db.states import CallbackState
from hotline import audit
from hotline.callbacks import transitions
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions

MOST = 2000
"""Limit, in characters, of all notes while the conversation goes on."""
_LONGEST = 20_000
"""Limit, in characters, of all notes, those with the outcome included: longer text is cut, not refused."""
_SPOKEN = (CallbackState.TALKING, CallbackState.HELD, CallbackState.PARTING, CallbackState.ENDED)
_AFTERWARDS = timedelta(hours=1)
"""How long a desk may add notes to a closed conversation."""


def check_writes(session: Session, callback: Callback, user: User) -> None:
    """Check that the person may write on this conversation, at its desk or at the side of its official.

    Raises Refused("forbidden").
    """
    if transitions.has_in_hand(callback, user.desk_id):
        return
    if callback.state is CallbackState.CLOSED:
        ended_at = callback.ended_at
        may = callback.desk_id == user.desk_id and ended_at and now(session) - ended_at < _AFTERWARDS
    else:
        round_ = phases.get(session, callback.round_id)
        may = callback.state in _SPOKEN and round_permissions.may_serve(session, user, round_)
    if not may:
        raise Refused("forbidden", "this conversation is another desk's, or was long ago")


def add(session: Session, callback: Callback, note: str, *, by: User) -> Callback:
    """Add a note while the conversation goes on. Raises Refused("text-missing" | "text-long")."""
    if not note.strip():
        raise Refused("text-missing", "write something")
    write(session, callback, note, by=by, most=MOST)
    audit.record(session, by.username, "note-added", f"callback {callback.id}")
    events.append_callback(session, callback)
    return callback


def write(session: Session, callback: Callback, note: str, *, by: User, most: int | None = None) -> None:
    """Store the person's note; lines that the person has written before are skipped.

    `most`: the limit of characters of all notes together. Raises Refused("text-long") beyond it.
    """
    if not note.strip():
        return
    session.refresh(callback, ["state"], with_for_update={"key_share": True})
    session.expire(callback, ["notes"])  # others may have added notes
    theirs = {line for one in callback.notes if one.user_id == by.id for line in one.written.split("\n")}
    added = "\n".join(line for line in note.strip().split("\n") if line and line not in theirs)
    left = (most or _LONGEST) - sum(len(one.written) for one in callback.notes)
    if most and len(added) > left:
        raise Refused("text-long", f"all notes of a conversation: at most {most} characters")
    if added := added[: max(left, 0)]:
        callback.notes.append(Note(user_id=by.id, at=now(session), written=added))
        session.flush()
