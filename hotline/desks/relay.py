"""Accounts at the TURN server by its REST scheme: they expire, and are not stored.

https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00, as in coturn (use-auth-secret).
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from settings import Settings

LASTS = timedelta(hours=12)
"""Lifetime of an account. A phone requests another at each start; a relayed call outlives its account."""


class Relay(NamedTuple):
    """Account by which a phone asks the server to relay its audio."""

    urls: tuple[str, ...]
    username: str
    credential: str


def get_secret(settings: Settings) -> str:
    """Return the secret that we share with the TURN server."""
    return settings.turn_secret or settings.secret_for("turn server")


def relay(settings: Settings, name: str, at: datetime) -> Relay | None:
    """Return the account of the phone `name` from `at` on; None without a TURN server."""
    if not settings.turn_urls:
        return None
    username = f"{int((at + LASTS).timestamp())}:{name}"
    digest = hmac.digest(get_secret(settings).encode(), username.encode(), hashlib.sha1)
    return Relay(settings.turn_urls, username, base64.b64encode(digest).decode())
