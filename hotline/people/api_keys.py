"""API keys of programs: issued by an administrator, shown once, limited for each minute, revocable."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, case, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import ApiKey
from hotline import audit, control_characters
from hotline.errors import Refused

MOST_A_MINUTE = 6000
LONGEST_NAME = 100
BEGINNING = "h137"
"""Prefix by which scanners for leaked secrets recognise a key."""
_PREFIX_BYTES, _SECRET_BYTES = 4, 32
_CHANGED = "key"
_MINUTE = timedelta(minutes=1)


class Scope(StrEnum):
    """Permission of a key."""

    READ = "read"  # lists all requests
    REPORT = "report"  # files requests, and reads its own


@dataclass(frozen=True)
class Program:
    """Program that used its key, as its endpoints see it."""

    id: int
    may_read: bool
    may_report: bool


def list_all(session: Session) -> Sequence[ApiKey]:
    """Return all keys, the newest first; revoked keys come last."""
    order = (ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    return session.scalars(select(ApiKey).order_by(*order)).all()


def list_scopes(key: ApiKey) -> list[Scope]:
    """Return the permissions of a key."""
    may = {Scope.READ: key.may_read, Scope.REPORT: key.may_report}
    return [scope for scope, granted in may.items() if granted]


def issue(
    session: Session, *, name: str, may: Sequence[Scope], per_minute: int, who: str
) -> tuple[ApiKey, str]:
    """Issue a key. Return its row and the secret, which cannot be read again."""
    name = control_characters.check(" ".join(name.split()))
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Refused("key-values", f"a name has 1 to {LONGEST_NAME} letters", "name")
    if not may:
        raise Refused("key-values", "it may read, report, or both", "scopes")
    if not 1 <= per_minute <= MOST_A_MINUTE:
        raise Refused("key-values", f"1 to {MOST_A_MINUTE} a minute", "per_minute")
    prefix = secrets.token_hex(_PREFIX_BYTES)
    secret = f"{BEGINNING}_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        name=name,
        prefix=prefix,
        key_hash=_hash(secret),
        may_read=Scope.READ in may,
        may_report=Scope.REPORT in may,
        per_minute=per_minute,
        made_at=now(session),
        made_by=who,
    )
    session.add(key)
    session.flush()
    audit.record(session, who, "key-issued", f"key {key.prefix}", f"{', '.join(list_scopes(key))}: {name}")
    events.append_office(session, _CHANGED, "issued")
    return key, secret


def revoke(session: Session, prefix: str, *, who: str) -> ApiKey:
    """Revoke a key at once; a revoked one stays so. Raises Refused("not-found")."""
    key = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix).with_for_update())
    if key is None:
        raise Refused("not-found", "there is no such key")
    if key.revoked_at is None:
        key.revoked_at = now(session)
        audit.record(session, who, "key-revoked", f"key {key.prefix}", key.name)
        events.append_office(session, _CHANGED, "revoked")
    return key


def use_key(session: Session, secret: str) -> Program:
    """Return the program of this key, and count the use.

    Raises Refused("key-unknown" | "key-too-often"). The error does not tell a revoked key from an unknown
    one.
    """
    at = now(session)
    minute = at.replace(second=0, microsecond=0)
    known = _is(secret)
    is_now = ApiKey.used_minute == minute
    free = or_(ApiKey.used_minute.is_(None), ~is_now, ApiKey.used < ApiKey.per_minute)
    counted = (
        update(ApiKey)
        .where(*known, free)
        .values(used=case((is_now, ApiKey.used + 1), else_=1), used_minute=minute)
        .returning(ApiKey.id, ApiKey.may_read, ApiKey.may_report)
        .execution_options(synchronize_session=False)
    )
    if found := session.execute(counted).one_or_none():
        return Program(*found)
    if not is_known(session, secret):
        raise Refused("key-unknown", "there is no such key, or not any more")
    after_s = max(1, round((minute + _MINUTE - at).total_seconds()))
    raise Refused("key-too-often", "this key has been used up for this minute", after_s=after_s)


def is_known(session: Session, secret: str) -> bool:
    """Return whether it is a key that was not revoked."""
    return session.scalar(select(ApiKey.id).where(*_is(secret))) is not None


def _is(secret: str) -> tuple[ColumnElement[bool], ...]:
    return ApiKey.key_hash == _hash(secret), ApiKey.revoked_at.is_(None)


def _hash(secret: str) -> str:
    """Return a plain SHA-256: a fast hash suffices for 256 random bits."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
