"""Screens that hang on walls for months: each sees the wallboard and nothing else, whoever hung it up.

So nobody leaves a whole sign-in behind on a screen that nobody watches over.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Wall
from db.trusted_time import trusted_now
from hotline import audit

LENGTH = timedelta(days=180)


def hang(session: Session, *, who: str) -> str:
    """Hang up one more screen; returns the value of its cookie."""
    at = now(session)
    session.execute(delete(Wall).where(Wall.expires_at < trusted_now(session)))
    cookie = secrets.token_urlsafe(32)
    session.add(Wall(token_hash=_hash(cookie), expires_at=at + LENGTH))
    audit.record(session, who, "wall-hung", "wallboard")
    return cookie


def hangs(session: Session, cookie: str) -> bool:
    """Whether this is the cookie of a screen that hangs."""
    found = exists().where(Wall.token_hash == _hash(cookie), Wall.expires_at > now(session))
    return session.scalar(select(found)) or False


def take_down(session: Session, *, who: str) -> None:
    """Take all screens down: none shows anything any more."""
    session.execute(delete(Wall))
    audit.record(session, who, "walls-taken-down", "wallboard")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
