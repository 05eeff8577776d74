"""The city's key for browsers' push services (RFC 8292, VAPID).

The cryptography library takes 8 MB and many cities have no such key, so functions import it when needed.
"""

# ruff: noqa: PLC0415

import base64
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_LASTS = timedelta(hours=12)
"""Lifetime of a token; push services accept at most a day."""


def make_key() -> str:
    """Return a new key in the form of push.key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return encode(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32))


def find_public_key(settings: Settings) -> str:
    """Return the key with which browsers subscribe; empty if the city has none."""
    return encode(_public(settings)) if settings.push_key else ""


def sign_authorization(endpoint: str, at: datetime, settings: Settings) -> str:
    """Return the header that proves to the service of `endpoint` that the city sends the notice."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    to = urlsplit(endpoint)
    claims = {
        "aud": f"https://{to.hostname}",
        "exp": int((at + _LASTS).timestamp()),
        "sub": settings.push_contact,
    }
    head = {"typ": "JWT", "alg": "ES256"}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    der = _private(settings).sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    signature = b"".join(part.to_bytes(32) for part in utils.decode_dss_signature(der))
    return f"vapid t={signed}.{encode(signature)}, k={encode(_public(settings))}"


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Decode base64url without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def is_point(data: bytes) -> bool:
    """Return whether a browser's key is an uncompressed point of P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError:
        return False
    return len(data) == 65


def _private(settings: Settings) -> "ec.EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(int.from_bytes(decode(settings.push_key)), ec.SECP256R1())


def _public(settings: Settings) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _private(settings).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
