"""Wallboard screens, which run for months: each sees only the wallboard.

A screen needs no sign-in, so nobody leaves a full session on an unattended screen.
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


def add_screen(session: Session, *, who: str) -> str:
    """Add a screen. Return the value of its cookie."""
    at = now(session)
    session.execute(delete(Wall).where(Wall.expires_at < trusted_now(session)))
    cookie = secrets.token_urlsafe(32)
    session.add(Wall(token_hash=_hash(cookie), expires_at=at + LENGTH))
    audit.record(session, who, "wall-hung", "wallboard")
    return cookie


def is_screen(session: Session, cookie: str) -> bool:
    """Return whether this cookie belongs to an active screen."""
    found = exists().where(Wall.token_hash == _hash(cookie), Wall.expires_at > now(session))
    return session.scalar(select(found)) or False


def take_down(session: Session, *, who: str) -> None:
    """Revoke all screens."""
    session.execute(delete(Wall))
    audit.record(session, who, "walls-taken-down", "wallboard")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
