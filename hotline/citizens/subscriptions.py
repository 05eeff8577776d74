"""Push subscriptions of browsers: one for each session, deleted with the session."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import CitizenSession, PushSubscription
from hotline.citizens import vapid
from hotline.errors import Refused
from settings import Settings

MOST = 5
"""Maximum number of browsers of one number; a new one replaces the oldest."""
_PLAIN = re.compile(r"[!-\[\]-~]{1,500}")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}")


class Browser(NamedTuple):
    """The push address of a browser and its encryption keys (base64url), as the browser sends them."""

    endpoint: str
    public_key: str
    secret: str


def subscribe(session: Session, mine: CitizenSession, browser: Browser, settings: Settings) -> None:
    """Subscribe the browser of this session, replacing its earlier subscription.

    A browser has one address; a subscription of another session with that address is deleted. Raises
    Refused("push-off" | "push-address" | "push-keys").
    """
    ours = vapid.find_public_key(settings)
    if not ours:
        raise Refused("push-off", "no notices go to browsers here")
    if not is_allowed(browser.endpoint, settings):
        raise Refused("push-address", "no address of a push service that the city knows")
    _check(browser)
    hold_lock(session, "push-subscriptions")  # an address may move between any two sessions
    before = or_(PushSubscription.session_id == mine.id, PushSubscription.endpoint == browser.endpoint)
    session.execute(delete(PushSubscription).where(before).execution_options(synchronize_session=False))
    drop(session, [each.id for each in list_by_number(session, mine.number)[MOST - 1 :]])
    session.add(PushSubscription(session_id=mine.id, ours=ours, made_at=now(session), **browser._asdict()))
    session.flush()


def is_allowed(endpoint: str, settings: Settings) -> bool:
    """Return whether this is an https address of a push service that the settings allow."""
    try:
        to = urlsplit(endpoint)
        host, port = to.hostname or "", to.port
    except ValueError:
        return False
    if not _PLAIN.fullmatch(endpoint) or not _HOST.fullmatch(host):
        return False
    # The host must be the whole authority: no user, no port but 443, nothing that other parsers read as a
    # host.
    whole = to.scheme == "https" and port in (None, 443) and to.netloc in (host, f"{host}:443")
    return whole and any(_is(host, each) for each in settings.push_services)


def _is(host: str, known: str) -> bool:
    return host.endswith(known[1:]) if known.startswith("*") else host == known


def _check(browser: Browser) -> None:
    try:
        point, secret = vapid.decode(browser.public_key), vapid.decode(browser.secret)
    except ValueError:
        raise Refused("push-keys", "no base64url") from None
    if not vapid.is_point(point) or len(secret) != 16:
        raise Refused("push-keys", "an uncompressed point of P-256 has 65 bytes, the secret 16")


def is_subscribed(session: Session, mine: CitizenSession, settings: Settings) -> bool:
    """Return whether the browser of this session is subscribed with the city's present key."""
    by_key = PushSubscription.ours == vapid.find_public_key(settings)
    found = select(PushSubscription.id).where(PushSubscription.session_id == mine.id, by_key)
    return session.scalar(found) is not None


def list_by_number(session: Session, number: str) -> Sequence[PushSubscription]:
    """Return the subscriptions of an E.164 number, newest first."""
    query = (
        select(PushSubscription)
        .join(CitizenSession, CitizenSession.id == PushSubscription.session_id)
        .where(CitizenSession.number == number, CitizenSession.expires_at > now(session))
    )
    return session.scalars(query.order_by(PushSubscription.id.desc())).all()


def unsubscribe(session: Session, mine: CitizenSession) -> None:
    """Delete the subscription of this session."""
    gone = delete(PushSubscription).where(PushSubscription.session_id == mine.id)
    session.execute(gone.execution_options(synchronize_session=False))


def drop(session: Session, subscriptions: Collection[int]) -> None:
    """Delete subscriptions that their service has ended, or that others replace."""
    gone = delete(PushSubscription).where(PushSubscription.id.in_(subscriptions))
    session.execute(gone.execution_options(synchronize_session=False))
