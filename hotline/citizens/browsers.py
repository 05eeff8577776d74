"""A number's browsers: which one asked for a code, and in which ones the owner has signed in before.

A browser keeps one secret. The database has hashes of the secret that differ for each number. So they do not
show which numbers share a browser.
"""

import hashlib
import re
import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import KnownBrowser
from db.trusted_time import trusted_now

LASTS = timedelta(days=365)
"""How long after its last sign-in a browser is known."""
_MOST = 20
"""Maximum number of known browsers of one number; a new one replaces the least recently seen."""
_SECRET = re.compile(r"[0-9a-f]{32}")
_SEEN = {
    name: into.on_conflict_do_update(
        index_elements=["number", "browser"], set_={"seen_at": into.excluded.seen_at}
    )
    for name, into in (
        ("postgresql", postgresql.insert(KnownBrowser)),
        ("sqlite", sqlite.insert(KnownBrowser)),
    )
}


def keep_or_make_secret(kept: str) -> str:
    """Return the secret that the browser sent, or a new one if it is not of our form."""
    return kept if _SECRET.fullmatch(kept) else secrets.token_hex(16)


def find_browser(secret: str, number: str) -> str:
    """Return the browser's hash for this E.164 number; empty if it sent no valid secret."""
    return hashlib.sha256(f"{secret} {number}".encode()).hexdigest() if _SECRET.fullmatch(secret) else ""


def is_known(session: Session, number: str, browser: str) -> bool:
    """Return whether the E.164 `number` has signed in there, without signing out everywhere since."""
    known = select(KnownBrowser.seen_at).where(
        KnownBrowser.number == number,
        KnownBrowser.browser == browser,
        KnownBrowser.seen_at > now(session) - LASTS,
    )
    return session.scalar(known) is not None


def record_sign_in(session: Session, number: str, browser: str) -> None:
    """Record a sign-in of the number in the browser."""
    seen = {"number": number, "browser": browser, "seen_at": now(session)}
    session.execute(_SEEN[session.get_bind().dialect.name], seen)
    mine = select(KnownBrowser.browser).where(KnownBrowser.number == number)
    newest = mine.order_by(KnownBrowser.seen_at.desc(), KnownBrowser.browser).limit(_MOST)
    others = delete(KnownBrowser).where(KnownBrowser.number == number, KnownBrowser.browser.not_in(newest))
    session.execute(others.execution_options(synchronize_session=False))


def forget_number(session: Session, number: str) -> None:
    """Delete all known browsers of the E.164 `number`."""
    mine = delete(KnownBrowser).where(KnownBrowser.number == number)
    session.execute(mine.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Delete browsers without a sign-in for a year."""
    old = delete(KnownBrowser).where(KnownBrowser.seen_at <= trusted_now(session) - LASTS)
    session.execute(old.execution_options(synchronize_session=False))
