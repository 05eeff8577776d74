"""Encryption of notices to browsers, so that push services cannot read them: RFC 8291 with RFC 8188."""

import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD = 4096
_LAST = b"\x02"
"""Delimiter after the content of the last record."""


def encrypt(content: bytes, browser: bytes, secret: bytes) -> bytes:
    """Encrypt `content` as one record of aes128gcm, for the browser with this public key and secret."""
    return seal(content, browser, secret, ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


def seal(
    content: bytes, browser: bytes, secret: bytes, sender: ec.EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Encrypt as `encrypt` does, with a given one-time key of the sender and salt; never use them twice."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser)
    ours = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender.exchange(ec.ECDH(), theirs)
    input_key = _derived(shared, secret, b"WebPush: info\x00" + browser + ours, 32)
    key = _derived(input_key, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(input_key, salt, b"Content-Encoding: nonce\x00", 12)
    head = salt + _RECORD.to_bytes(4) + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, content + _LAST, None)


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)
