"""What the office writes of a conversation: each word is kept as it comes, with who wrote it and when.

Two may write at one time, the official and the one beside: each note is added to those before.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Note, User
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


def add(session: Session, callback: Callback, note: str, *, by: User) -> Callback:
    """Add a note while the conversation goes on. Raises Refused("text-missing" | "text-long")."""
    if not note.strip():
        raise Refused("text-missing", "write something")
    write(session, callback, note, by=by, most=MOST)
    audit.record(session, by.username, "note-added", f"callback {callback.id}")
    events.callback_changed(session, callback)
    return callback


def write(session: Session, callback: Callback, note: str, *, by: User, most: int | None = None) -> None:
    """Keep what the person writes; a line of theirs that is there already is not written twice.

    `most`: characters of all notes together; beyond them it raises Refused("text-long").
    """
    if not note.strip():
        return
    session.refresh(callback, ["state"], with_for_update={"key_share": True})
    session.expire(callback, ["notes"])  # others may have written
    theirs = {line for one in callback.notes if one.user_id == by.id for line in one.written.split("\n")}
    added = "\n".join(line for line in note.strip().split("\n") if line and line not in theirs)
    left = (most or _LONGEST) - sum(len(one.written) for one in callback.notes)
    if most and len(added) > left:
        raise Refused("text-long", f"all notes of a conversation: at most {most} characters")
    if added := added[: max(left, 0)]:
        callback.notes.append(Note(user_id=by.id, at=now(session), written=added))
        session.flush()
