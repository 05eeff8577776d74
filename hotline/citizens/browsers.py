"""The browsers of a number: which one asked for a code, and in which ones its owner has signed in before.

A browser keeps one secret. Here stay hashes of it that differ from number to number: they tell nobody which
numbers share a browser.
"""

import hashlib
import re
import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import KnownBrowser
from db.trusted_time import trusted_now

LASTS = timedelta(days=365)
"""So long after the last time it signed in, a browser is known."""
_MOST = 20
"""Of one number; the one that was not there for longest gives way."""
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


def secret(kept: str) -> str:
    """What the browser keeps; a new one if that is none of ours."""
    return kept if _SECRET.fullmatch(kept) else secrets.token_hex(16)


def of_number(secret: str, number: str) -> str:
    """How the browser is called here, for this E.164 number alone; empty if it keeps no secret."""
    return hashlib.sha256(f"{secret} {number}".encode()).hexdigest() if _SECRET.fullmatch(secret) else ""


def is_known(session: Session, number: str, browser: str) -> bool:
    """Whether the E.164 `number` has signed in there, and not signed out everywhere since."""
    known = select(KnownBrowser.seen_at).where(
        KnownBrowser.number == number,
        KnownBrowser.browser == browser,
        KnownBrowser.seen_at > now(session) - LASTS,
    )
    return session.scalar(known) is not None


def know(session: Session, number: str, browser: str) -> None:
    """It has signed in there."""
    seen = {"number": number, "browser": browser, "seen_at": now(session)}
    core(session).execute(_SEEN[session.get_bind().dialect.name], seen)
    mine = select(KnownBrowser.browser).where(KnownBrowser.number == number)
    newest = mine.order_by(KnownBrowser.seen_at.desc(), KnownBrowser.browser).limit(_MOST)
    others = delete(KnownBrowser).where(KnownBrowser.number == number, KnownBrowser.browser.not_in(newest))
    session.execute(others.execution_options(synchronize_session=False))


def forget_number(session: Session, number: str) -> None:
    """No browser is known to the E.164 `number` any more."""
    mine = delete(KnownBrowser).where(KnownBrowser.number == number)
    session.execute(mine.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Delete those that have not been there for long."""
    old = delete(KnownBrowser).where(KnownBrowser.seen_at <= trusted_now(session) - LASTS)
    session.execute(old.execution_options(synchronize_session=False))
