"""Ready replies: texts that the office and the departments insert into an answer and edit before sending."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db import events
from db.engine import hold_lock
from db.models import ReadyReply
from hotline import audit
from hotline.errors import Refused
from hotline.requests import categories

MOST = 100
LONGEST_TITLE, LONGEST_TEXT = 100, 500
_CHANGED = "ready-replies-changed"


class Values(NamedTuple):
    """A ready reply. Without a category it is for all; the English text may be empty."""

    category: int | None
    title_fa: str
    title_en: str
    text_fa: str
    text_en: str


def list_all(session: Session) -> Sequence[ReadyReply]:
    """Return all ready replies in their order."""
    return session.scalars(select(ReadyReply).order_by(ReadyReply.id)).all()


def hash_of(replies: Sequence[ReadyReply]) -> str:
    """Return a hash that changes when any of the replies changes."""
    plain = [[getattr(reply, name) for name in Values._fields] for reply in replies]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:32]


def replace(session: Session, replies: Sequence[Values], *, seen: str | None = None, who: str) -> None:
    """Replace all ready replies; with `seen`, only if that is still their version.

    Raises Refused("text-missing" | "replies-changed"), and Refused("not-found") for an unknown category.
    """
    wanted = [Values(category, *(part.strip() for part in parts)) for category, *parts in replies]
    if not all(reply.title_fa and reply.text_fa for reply in wanted):
        raise Refused("text-missing", "each has a title and a text in Persian")
    for category in {reply.category for reply in wanted if reply.category is not None}:
        categories.get(session, category)
    hold_lock(session, _CHANGED)
    if seen is not None and seen != hash_of(list_all(session)):
        raise Refused("replies-changed", "somebody has changed them since; look at theirs first")
    session.execute(delete(ReadyReply))
    for reply in wanted:
        session.add(ReadyReply(**reply._asdict()))
        session.flush()
    audit.record(session, who, "ready-replies-changed", "ready-replies")
    events.append_timetable(session, _CHANGED)
