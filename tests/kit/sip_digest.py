"""The answer to a SIP challenge (RFC 8760, with MD5, as Asterisk asks for it)."""

import hashlib
import re


def authorization(challenge: str, method: str, uri: str, account: str, password: str) -> str:
    """Return the header by which an account answers this 401 of a server."""
    realm, nonce, opaque = (_field(challenge, name) for name in ("realm", "nonce", "opaque"))
    secret = _md5(f"{account}:{realm}:{password}")
    response = _md5(f"{secret}:{nonce}:00000001:c:auth:{_md5(f'{method}:{uri}')}")
    return (
        f'Authorization: Digest username="{account}", realm="{realm}", nonce="{nonce}", uri="{uri}",'
        f' response="{response}", algorithm=MD5, opaque="{opaque}", qop=auth, nc=00000001, cnonce="c"'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _field(answer: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', answer)
    assert found, answer
    return found[1]
