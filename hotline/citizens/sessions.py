"""Citizens' sessions: a short access token, and a refresh token that each use replaces.

The next tokens are derived from the refresh token that asks for them. So a repeated question gets the same
answer. A lost response, or several tabs that ask at once, end no session.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import CitizenCode, CitizenSession
from db.trusted_time import STEP, trusted_now
from hotline.citizens import browsers
from hotline.errors import Refused
from settings import Settings

ACCESS = timedelta(minutes=15)
REFRESH = timedelta(days=30)
FRESH = timedelta(minutes=10)
"""How long after its code a session may export or delete all data. A session left open may not."""
GRACE = timedelta(minutes=1)
"""How long a replaced refresh token is accepted after its successor is in use: another tab may have asked."""
_MOST = 20
"""Maximum number of sessions of one number; a new one replaces the oldest."""
_TOKEN = re.compile(r"([0-9a-f]{32})\.[0-9a-f]{32}")
_BROWSERS = (
    ("Edg", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("OPR", "Opera"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)

# Asked at each request of a citizen: the statements are built once.
_OF_ACCESS = select(CitizenSession).where(
    CitizenSession.access_hash == bindparam("access"), CitizenSession.access_until > bindparam("at")
)
_USED = (
    update(CitizenSession)
    .where(CitizenSession.access_hash == bindparam("access"), CitizenSession.used_at.is_(None))
    .values(used_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)
_GOES_ON = select(CitizenSession.id).where(CitizenSession.id == bindparam("mine"))


class Tokens(NamedTuple):
    """The tokens that a browser keeps; the database has only their hashes."""

    access: str
    refresh: str
    session: CitizenSession


def begin_session(session: Session, code: CitizenCode, agent: str, settings: Settings) -> Tokens:
    """Begin a session for a code; a repeat with the same code replaces the session."""
    at = now(session)
    if code.session_id:
        end(session, code.session_id)
    _make_room(session, code.number)
    id_ = secrets.token_hex(16)
    refresh = f"{id_}.{secrets.token_hex(16)}"
    access = _derived("access", refresh, settings)
    begun = CitizenSession(
        id=id_,
        number=code.number,
        agent=describe_browser(agent),
        created_at=at,
        access_hash=_hash(access),
        access_until=at + ACCESS,
        refresh_hash=_hash(refresh),
        rotated_at=at,
        expires_at=at + REFRESH,
    )
    session.add(begun)
    code.session_id = id_
    session.flush()
    browsers.record_sign_in(session, code.number, code.browser)
    return Tokens(access, refresh, begun)


def find_by_access(session: Session, access: str) -> CitizenSession | None:
    """Return the session with this access token, until the token expires."""
    return session.scalar(_OF_ACCESS, {"access": _hash(access), "at": now(session)})


def record_use(session: Session, access: str) -> None:
    """Record that the session's present tokens have reached their browser."""
    session.execute(_USED, {"access": _hash(access), "at": now(session)})


def lock_number(session: Session, mine: CitizenSession) -> None:
    """Lock the session's number until the end of the transaction, so that nobody deletes its data.

    Raises Refused("not-signed-in") if the session has ended meanwhile.
    """
    hold_lock(session, mine.number)
    if session.scalar(_GOES_ON, {"mine": mine.id}) is None:
        raise Refused("not-signed-in", "this session is over; sign in by your number")


def is_fresh(session: Session, mine: CitizenSession) -> bool:
    """Return whether the session's code was shown less than ten minutes ago, by a clock that is right."""
    at = now(session)
    return at - FRESH < mine.created_at <= at + STEP


def check_fresh(session: Session, mine: CitizenSession) -> None:
    """Raises Refused("code-due") unless the session's code was shown less than ten minutes ago."""
    if not is_fresh(session, mine):
        raise Refused("code-due", "show a new code first: this session began too long ago")


def rotate(session: Session, refresh: str, settings: Settings) -> Tokens | None:
    """Return the next tokens for this refresh token, or None if its session does not exist.

    A replaced token whose successor is in use ends the session: two browsers have it. The caller commits.
    """
    at, asked, id_ = now(session), _hash(refresh), _id(refresh)
    mine = session.get(CitizenSession, id_, with_for_update=True, populate_existing=True)
    if mine is None or mine.expires_at <= at:
        return None
    following = f"{id_}.{_derived('refresh', refresh, settings)}"
    access = _derived("access", following, settings)
    if hmac.compare_digest(asked, mine.refresh_hash):
        mine.previous_hash, mine.refresh_hash, mine.access_hash = asked, _hash(following), _hash(access)
        mine.rotated_at, mine.used_at = at, None
    elif not _is_told_again(mine, asked, at):
        end(session, id_)
        return None
    mine.access_until, mine.expires_at = at + ACCESS, at + REFRESH
    session.flush()
    return Tokens(access, following, mine)


def _is_told_again(mine: CitizenSession, asked: str, at: datetime) -> bool:
    was_last = hmac.compare_digest(asked, mine.previous_hash or "")
    return was_last and (mine.used_at is None or at - mine.rotated_at < GRACE)


def list_by_number(session: Session, number: str) -> Sequence[CitizenSession]:
    """Return the sessions of an E.164 number, newest first."""
    query = select(CitizenSession).where(
        CitizenSession.number == number, CitizenSession.expires_at > now(session)
    )
    return session.scalars(query.order_by(CitizenSession.created_at.desc(), CitizenSession.id)).all()


def end(session: Session, session_id: str) -> None:
    """End a session; ending a missing one does nothing."""
    session.execute(delete(CitizenSession).where(CitizenSession.id == session_id))


def end_by_refresh(session: Session, refresh: str) -> None:
    """End the session with this refresh token, even if its access token has expired."""
    asked, mine = _hash(refresh), session.get(CitizenSession, _id(refresh))
    if mine and asked in (mine.refresh_hash, mine.previous_hash):
        end(session, mine.id)


def end_all(session: Session, number: str) -> None:
    """End all sessions of the E.164 number, and forget its known browsers."""
    session.execute(delete(CitizenSession).where(CitizenSession.number == number))
    browsers.forget_number(session, number)


def forget(session: Session) -> None:
    """Delete expired sessions, and browsers without a sign-in for a year."""
    session.execute(delete(CitizenSession).where(CitizenSession.expires_at <= trusted_now(session)))
    browsers.forget(session)


def describe_browser(agent: str) -> str:
    """Return the kind of browser and system of a user agent; nothing more of the agent is stored."""
    parts = (_first(_BROWSERS, agent), _first(_SYSTEMS, agent))
    return ", ".join(part for part in parts if part)


def _first(kinds: Sequence[tuple[str, str]], agent: str) -> str:
    return next((name for sign, name in kinds if sign in agent), "")


def _make_room(session: Session, number: str) -> None:
    for old in list_by_number(session, number)[_MOST - 1 :]:
        end(session, old.id)


def _id(refresh: str) -> str:
    """Return the session's id in a token; empty for an invalid token."""
    token = _TOKEN.fullmatch(refresh)
    return token[1] if token else ""


def _derived(what: str, refresh: str, settings: Settings) -> str:
    return settings.secret_for(f"citizen {what} {refresh}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
