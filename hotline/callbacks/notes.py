"""What the office writes of a conversation while it goes on: each word is kept as it comes.

Two may write at one time, the official and the one beside: each note is a line, added to those before.
"""

from sqlalchemy.orm import Session

from db import events
from db.models import Callback, User
from hotline.callbacks import callbacks
from hotline.errors import Refused
from hotline.rounds import round_permissions, rounds

MOST = 2000
"""Characters of all notes of one conversation."""


def check_writes(session: Session, callback: Callback, user: User) -> None:
    """That the person may write of this conversation: it is their desk's, or they might answer in its round.

    Raises Refused("forbidden").
    """
    own = callback.desk_id == user.desk_id or callbacks.holds(callback, user.desk_id)
    if not own and not round_permissions.may_serve(session, user, rounds.get(session, callback.round_id)):
        raise Refused("forbidden", "this conversation is another desk's")


def add(session: Session, callback: Callback, note: str) -> Callback:
    """Add a line to its note. Raises Refused("text-missing" | "text-long")."""
    if not note.strip():
        raise Refused("text-missing", "write something")
    session.refresh(callback, ["note"], with_for_update={"key_share": True})
    callback.note = joined(callback.note, note)
    events.callback_changed(session, callback)
    return callback


def joined(before: str, note: str) -> str:
    """Both, each once; what was there before is in no case lost. Raises Refused("text-long")."""
    note = note.strip()
    lines = [line for line in (before, note if note not in before else "") if line]
    whole = note if before and note.startswith(before) else "\n".join(lines)
    if len(whole) > MOST:
        raise Refused("text-long", f"all notes of a conversation: at most {MOST} characters")
    return whole
