"""Browsers that take notices: one for each session, and gone with it."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from db.engine import now, one_at_a_time
from db.models import CitizenSession, PushSubscription
from hotline.citizens import vapid
from hotline.errors import Refused
from settings import Settings

MOST = 5
"""Browsers of one number; the one that has been told longest gives way."""
_PLAIN = re.compile(r"[!-\[\]-~]{1,500}")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}")


class Browser(NamedTuple):
    """Where a browser takes notices, and what they are encrypted with, as it says (both in base64url)."""

    endpoint: str
    public_key: str
    secret: str


def subscribe(session: Session, mine: CitizenSession, browser: Browser, settings: Settings) -> None:
    """The browser of this session takes notices, in the place of what it took them by before.

    A browser has one address: under another session it is that one's no more. Raises
    Refused("push-off" | "push-address" | "push-keys").
    """
    ours = vapid.public_key(settings)
    if not ours:
        raise Refused("push-off", "no notices go to browsers here")
    if not allowed(browser.endpoint, settings):
        raise Refused("push-address", "no address of a push service that the city knows")
    _check(browser)
    one_at_a_time(session, "push-subscriptions")  # an address may move from any session to any other
    before = or_(PushSubscription.session_id == mine.id, PushSubscription.endpoint == browser.endpoint)
    session.execute(delete(PushSubscription).where(before).execution_options(synchronize_session=False))
    drop(session, [each.id for each in of_number(session, mine.number)[MOST - 1 :]])
    session.add(PushSubscription(session_id=mine.id, ours=ours, made_at=now(session), **browser._asdict()))
    session.flush()


def allowed(endpoint: str, settings: Settings) -> bool:
    """Whether this is an address of a push service to which the settings let notices go, and nothing else."""
    try:
        to = urlsplit(endpoint)
        host, port = to.hostname or "", to.port
    except ValueError:
        return False
    if not _PLAIN.fullmatch(endpoint) or not _HOST.fullmatch(host):
        return False
    # The host as it is written: no user, no port but HTTPS's own, nothing that others may read as a host.
    whole = to.scheme == "https" and port in (None, 443) and to.netloc in (host, f"{host}:443")
    return whole and any(_is(host, each) for each in settings.push_services)


def _is(host: str, known: str) -> bool:
    return host.endswith(known[1:]) if known.startswith("*") else host == known


def _check(browser: Browser) -> None:
    try:
        point, secret = vapid.decoded(browser.public_key), vapid.decoded(browser.secret)
    except ValueError:
        raise Refused("push-keys", "no base64url") from None
    if not vapid.is_point(point) or len(secret) != 16:
        raise Refused("push-keys", "an uncompressed point of P-256 has 65 bytes, the secret 16")


def of_session(session: Session, mine: CitizenSession, settings: Settings) -> bool:
    """Whether the browser of this session takes notices by the city's present key."""
    by_key = PushSubscription.ours == vapid.public_key(settings)
    found = select(PushSubscription.id).where(PushSubscription.session_id == mine.id, by_key)
    return session.scalar(found) is not None


def of_number(session: Session, number: str) -> Sequence[PushSubscription]:
    """The browsers of an E.164 number, the newest first."""
    query = (
        select(PushSubscription)
        .join(CitizenSession, CitizenSession.id == PushSubscription.session_id)
        .where(CitizenSession.number == number, CitizenSession.expires_at > now(session))
    )
    return session.scalars(query.order_by(PushSubscription.id.desc())).all()


def unsubscribe(session: Session, mine: CitizenSession) -> None:
    """The browser of this session takes no notices any more."""
    gone = delete(PushSubscription).where(PushSubscription.session_id == mine.id)
    session.execute(gone.execution_options(synchronize_session=False))


def drop(session: Session, subscriptions: Collection[int]) -> None:
    """Their services say that they are gone, or others take their place."""
    gone = delete(PushSubscription).where(PushSubscription.id.in_(subscriptions))
    session.execute(gone.execution_options(synchronize_session=False))
