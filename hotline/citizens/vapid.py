"""The city's own key towards browsers' push services: RFC 8292, VAPID."""

import base64
import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from settings import Settings

_LASTS = timedelta(hours=12)
"""A token is good for so long; push services take no more than a day."""


def new_key() -> str:
    """A key as HOTLINE_PUSH_KEY has it."""
    return encoded(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32))


def public_key(settings: Settings) -> str:
    """What browsers are to subscribe by; empty if the city has no key."""
    return encoded(_public(settings)) if settings.push_key else ""


def authorization(endpoint: str, at: datetime, settings: Settings) -> str:
    """The header by which the service of `endpoint` knows that the city sends this."""
    to = urlsplit(endpoint)
    claims = {
        "aud": f"https://{to.hostname}",
        "exp": int((at + _LASTS).timestamp()),
        "sub": settings.push_contact,
    }
    head = {"typ": "JWT", "alg": "ES256"}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    der = _private(settings).sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    signature = b"".join(part.to_bytes(32) for part in utils.decode_dss_signature(der))
    return f"vapid t={signed}.{encoded(signature)}, k={encoded(_public(settings))}"


def encoded(data: bytes) -> str:
    """In base64url, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes of it. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _private(settings: Settings) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(settings.push_key)), ec.SECP256R1())


def _public(settings: Settings) -> bytes:
    return _private(settings).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
