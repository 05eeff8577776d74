"""A desk's name and password at the TURN server, by its REST scheme: nothing is kept, and they run out.

https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00, as coturn has it (use-auth-secret).
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from settings import Settings

LASTS = timedelta(hours=12)
"""A desk's phone asks anew whenever it begins anew; what is relayed when these run out goes on."""


class Relay(NamedTuple):
    """With what a phone asks the server to relay its sound."""

    urls: tuple[str, ...]
    username: str
    credential: str


def secret(settings: Settings) -> str:
    """What the TURN server and we share."""
    return settings.turn_secret or settings.secret_for("turn server")


def relay(settings: Settings, name: str, at: datetime) -> Relay | None:
    """The account of the phone `name` from `at` on; none if there is no such server."""
    if not settings.turn_urls:
        return None
    username = f"{int((at + LASTS).timestamp())}:{name}"
    digest = hmac.digest(secret(settings).encode(), username.encode(), hashlib.sha1)
    return Relay(settings.turn_urls, username, base64.b64encode(digest).decode())
