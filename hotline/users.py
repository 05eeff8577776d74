"""People who sign in: passwords (Argon2), sessions that can be ended, a lockout that grows."""

import hashlib
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, Role, SignIn, User
from hotline.errors import Refused

SESSION_LENGTH = timedelta(hours=12)
_FREE_FAILURES = 5
PIN_FAILURES = 9
PIN_LOCKED = timedelta(minutes=15)
"""After so many wrong PINs in a row nobody gets in by telephone for so long."""
_PIN_DIGITS = range(4, 9)
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex())  # an unknown name costs as long as a wrong password


def add(
    session: Session, *, username: str, name: str, role: Role, desk_id: int | None, password: str
) -> User:
    """Add a person. Raises Refused("username-taken" | "desk-taken" | "password-short")."""
    if len(password) < 8:
        raise Refused("password-short", "a password has at least 8 characters")
    if session.scalar(select(User.id).where(User.username == username)):
        raise Refused("username-taken", username)
    if desk_id is not None:
        if session.scalar(select(User.id).where(User.desk_id == desk_id)):
            raise Refused("desk-taken", f"desk {desk_id} belongs to somebody")
        if session.get(Desk, desk_id) is None:
            session.add(Desk(id=desk_id))
            session.flush()
    user = User(
        username=username,
        name=name,
        role=role,
        desk_id=desk_id,
        password_hash=_HASHER.hash(password),
    )
    session.add(user)
    session.flush()
    return user


def known_hash(session: Session, username: str) -> str:
    """The password's hash; for an unknown name one that nothing matches, and that costs as long."""
    found = session.scalar(select(User.password_hash).where(User.username == username))
    return found or _NOBODY


def is_right(password_hash: str, password: str) -> bool:
    """Whether the password is right. Slow on purpose (Argon2): call it outside any transaction."""
    try:
        return _HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def verify(session: Session, username: str, *, right: bool) -> User | None:
    """The person, if the password was `right`; None if not, and the failure is counted.

    Raises Refused("too-many-attempts") while the name is locked: 5 failures are free, then
    1, 2, 4 … up to 900 seconds.
    """
    at = now(session)
    user = session.scalar(select(User).where(User.username == username).with_for_update(of=User))
    if user and user.locked_until and at < user.locked_until:
        raise Refused("too-many-attempts", "too many wrong passwords, wait a little")
    if user and not right:
        user.failures += 1
        excess = user.failures - _FREE_FAILURES
        if excess > 0:
            user.locked_until = at + timedelta(seconds=min(2 ** min(excess - 1, 10), 900))
    if user is None or not right:
        return None
    user.failures, user.locked_until = 0, None
    return user


def set_pin(session: Session, username: str, pin: str) -> None:
    """Give a person the PIN that lets their telephone into the desk's room.

    Raises Refused("not-found" | "pin-unfit").
    """
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise Refused("not-found", f"no person {username}")
    if len(pin) not in _PIN_DIGITS or not (pin.isascii() and pin.isdecimal()):
        raise Refused("pin-unfit", "a PIN has 4 to 8 digits")
    user.pin_hash = _HASHER.hash(pin)
    user.pin_failures, user.pin_locked_until = 0, None


def pin_hash(session: Session, user: User) -> str:
    """The PIN's hash, or one that nothing matches. Raises Refused("too-many-attempts") while it is locked."""
    if user.pin_locked_until and now(session) < user.pin_locked_until:
        raise Refused("too-many-attempts", "too many wrong PINs, wait a little")
    return user.pin_hash or _NOBODY


def pin_tried(session: Session, user_id: int, *, right: bool) -> bool:
    """Count this try; whether it lets the person in, which nothing does while the PIN is locked."""
    at = now(session)
    user = session.scalars(select(User).where(User.id == user_id).with_for_update(of=User)).one()
    if user.pin_locked_until and at < user.pin_locked_until:
        return False
    user.pin_failures = 0 if right else user.pin_failures + 1
    if user.pin_failures >= PIN_FAILURES:
        user.pin_failures, user.pin_locked_until = 0, at + PIN_LOCKED
    return right


def sign_in(session: Session, user: User) -> str:
    """Begin a session; returns the cookie's value, of which only a hash is kept."""
    at = now(session)
    session.execute(delete(SignIn).where(SignIn.expires_at < at))
    cookie = secrets.token_urlsafe(32)
    session.add(SignIn(token_hash=_hash(cookie), user_id=user.id, expires_at=at + SESSION_LENGTH))
    return cookie


def signed_in(session: Session, cookie: str) -> User | None:
    """The person whose session has this cookie, while it lasts."""
    return session.scalar(
        select(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(SignIn.token_hash == _hash(cookie), SignIn.expires_at > now(session))
    )


def sign_out(session: Session, cookie: str) -> None:
    """End the session with this cookie."""
    session.execute(delete(SignIn).where(SignIn.token_hash == _hash(cookie)))


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
