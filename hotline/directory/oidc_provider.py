"""The city's OpenID Connect provider, queried with a session's refresh token.

The database has tokens only in encrypted form; the key is not in the database.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hotline.directory.ldap_connection import Away
from settings import Settings
from settings.values import is_safe

LONGEST_TOKEN = 5000
_ANSWER_S = 5.0
_NONCE_BYTES = 12


class Asked(NamedTuple):
    """A session that began with the city's sign-in."""

    user_id: int
    city_id: str
    sealed: str


@dataclass(frozen=True)
class Fresh:
    """The provider's answer about a continuing session.

    `groups` is None if the answer does not mention groups.
    """

    sealed: str
    name: str = ""
    groups: frozenset[str] | None = None


def hash_id(value: str) -> str:
    """Return a hash of an account's or session's id at the provider: enough to recognise the id."""
    return hashlib.sha256(value.encode()).hexdigest()


def find_groups(claims: Mapping[str, Any], settings: Settings) -> frozenset[str] | None:
    """Return the groups in these claims, or None if the claims do not mention groups."""
    told = claims.get(settings.oidc_groups_claim)
    if isinstance(told, str):
        return frozenset({told})
    if isinstance(told, list):
        return frozenset(each for each in told if isinstance(each, str))
    return None


class Provider:
    """A client of the provider for one round of checks.

    Raises Away if its configuration is not acceptable.
    """

    def __init__(self, client: httpx.Client, settings: Settings) -> None:
        self._client, self._settings = client, settings
        told = self._json(client.get(f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration"))
        if told.get("issuer") != settings.oidc_issuer or not isinstance(told.get("token_endpoint"), str):
            raise Away("answer", "it is not the issuer that it should be")
        if not is_safe(told["token_endpoint"]):
            raise Away("answer", "its tokens are given by http")
        self._tokens: str = told["token_endpoint"]

    def refreshed(self, asked: Asked) -> Fresh | None:
        """Return the provider's answer about this session, or None if the session has ended there.

        Raises Away.
        """
        settings = self._settings
        token = _opened(settings, asked.sealed)
        if token is None:
            return None
        form = {"grant_type": "refresh_token", "refresh_token": token}
        who = (settings.oidc_client_id, settings.oidc_client_secret)
        answer = self._client.post(self._tokens, data=form, auth=who)
        if answer.status_code == 400 and self._json(answer, 400).get("error") == "invalid_grant":
            return None
        told = self._json(answer)
        new = told.get("refresh_token", token)
        claims = _claims(told.get("id_token"))
        if claims and (
            claims.get("iss") != settings.oidc_issuer or hash_id(str(claims.get("sub"))) != asked.city_id
        ):
            raise Away("answer", "the token of another account")
        name = claims.get("name")
        sealed = asked.sealed
        if isinstance(new, str) and new != token and len(new) <= LONGEST_TOKEN:
            sealed = seal(settings, new)
        return Fresh(
            sealed,
            " ".join(name.split())[:100] if isinstance(name, str) else "",
            find_groups(claims, settings),
        )

    @staticmethod
    def _json(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
        if answer.status_code != status:
            raise Away("refused", f"status {answer.status_code}")
        try:
            told = answer.json()
        except ValueError:
            raise Away("answer", "no JSON") from None
        if not isinstance(told, dict):
            raise Away("answer", "no object")
        return told


@contextmanager
def connect(settings: Settings) -> Iterator[Provider]:
    """Connect to the provider and read its configuration. Raises Away, also for errors inside the block."""
    try:
        with httpx.Client(timeout=_ANSWER_S) as client:
            yield Provider(client, settings)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Away("away", type(error).__name__) from None


def _claims(id_token: object) -> dict[str, Any]:
    """Return the claims of a token that came from the provider itself over TLS.

    So its signature need not be checked (OpenID Connect Core 3.1.3.7, 6). Raises Away.
    """
    try:
        told = json.loads(base64.urlsafe_b64decode(str(id_token).split(".")[1] + "==")) if id_token else {}
    except (ValueError, IndexError, binascii.Error):
        raise Away("answer", "no token that can be read") from None
    return told if isinstance(told, dict) else {}


def _key(settings: Settings) -> AESGCM:
    return AESGCM(hashlib.sha256(settings.secret_for("the city's tokens").encode()).digest())


def seal(settings: Settings, token: str) -> str:
    """Return a refresh token encrypted for the database."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + _key(settings).encrypt(nonce, token.encode(), None)).decode()


def _opened(settings: Settings, sealed: str) -> str | None:
    try:
        raw = base64.b64decode(sealed)
        return _key(settings).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
    except (ValueError, InvalidTag):
        return None  # sealed with another secret, for example before a restore: nobody can use it
