"""The signing key of an installation, and the proof that this installation made an archive.

The private key stays in the state folder, outside every backup: a backup's reader cannot sign another one.
"""

import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ops.backup.archive import Unpacked, Unusable
from settings import Settings, secret_file

KEY = "backup.key"
_CONTEXT = b"hotline137 backup 1\n"
"""Prefix that keeps a signature of anything else from passing for a backup's."""
_SIGNER, _SIGNATURE = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")
_IF_LOST = "delete the file: the next backup has a new signer, which must be written down"


class Unproven(Unusable):
    """The archive's origin is unproven; the text says why."""


def read_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the private key, made if there is none. Raises Unusable."""
    try:
        seed = secret_file.read(settings.state_dir / KEY, if_lost=_IF_LOST)
    except ValueError as error:
        raise Unusable(str(error)) from None
    return Ed25519PrivateKey.from_private_bytes(seed)


def get_signer(key: Ed25519PrivateKey) -> str:
    """Return the public key as an administrator writes it down: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def find_trusted(settings: Settings, signer: str) -> str | None:
    """Return the signer that the administrator names, or else this machine's own. Raises Unusable."""
    if signer:
        plain = "".join(signer.split()).lower()
        if not _SIGNER.fullmatch(plain):
            raise Unusable("--signer takes the 64 hexadecimal digits that hotline137 backup-signer prints")
        return plain
    return get_signer(read_key(settings)) if (settings.state_dir / KEY).exists() else None


def sign(key: Ed25519PrivateKey, statement: bytes) -> bytes:
    """Return the archive's last member for the statement (`archive.make_statement`)."""
    signature = key.sign(_CONTEXT + statement).hex()
    return json.dumps({"signer": get_signer(key), "signature": signature}).encode()


def check(found: Unpacked, trusted: str) -> None:
    """Raise Unproven unless the trusted signer has signed the archive."""
    if found.signature is None:
        raise Unproven("it is not signed: an older version made it, or somebody took its signature away")
    try:
        said = json.loads(found.signature)
        signer, signature = str(said["signer"]), str(said["signature"])
    except (ValueError, KeyError, TypeError):
        signer = signature = ""
    if not (_SIGNER.fullmatch(signer) and _SIGNATURE.fullmatch(signature)):
        raise Unproven("its signature is damaged")
    if signer != trusted:
        # Only the beginnings: the reader must look the signer up, not paste the archive's own claim.
        raise Unproven(f"another installation signed it: {signer[:8]}…, not {trusted[:8]}…")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(trusted))
        public.verify(bytes.fromhex(signature), _CONTEXT + found.statement)
    except InvalidSignature:
        raise Unproven("its signature does not fit: somebody changed it after it was signed") from None
