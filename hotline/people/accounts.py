"""Accounts of staff: passwords (Argon2), PINs, and a growing lockout.

The sessions are in hotline.people.sign_ins, the second factor in hotline.people.second_factor.
"""

from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, RecoveryCode, User
from hotline.errors import Refused, count_seconds_until
from hotline.numbers import convert_digits
from hotline.people import lockout, sign_ins
from settings.city_file import City

_SHORTEST = 8
_SAFE_ONLINE = 2
"""Lowest accepted zxcvbn score: a million guesses fail, and the lockout allows no more."""
_LONGEST_JUDGED = 72
_FIRST_TRIED = (
    "hotline",
    "137",
    "shahrdari",
    "shahrdar",
    "mayor",
    "asterisk",
    "operator",
)
"""Words that attackers try first, in any surroundings, like the city's own name (docs/sign-in.md)."""
PIN_FAILURES = 9
PIN_LOCKED = timedelta(minutes=15)
"""Lockout of the telephone after PIN_FAILURES wrong PINs in a row."""
_PIN_DIGITS = range(4, 9)
_HASHER = PasswordHasher()
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$aruwPDXtkH4SUJu4GhiyVw$IC0GgTgAbKKkExB3m2Q5akYUlHfSGsF41FFBaqb6W1E"
"""Hash of an unknown text: a guess for an unknown name takes as long as any other."""


def add(
    session: Session,
    *,
    username: str,
    password: str,
    desk_id: int | None = None,
    city: City | None = None,
    **values: Any,
) -> User:
    """Add a person; `values` are other columns of User. A password close to the `city`'s name is refused.

    Raises Refused("username-taken" | "desk-taken" | "password-short" | "password-trivial").
    """
    _check_password(password, username, city)
    if session.scalar(select(User.id).where(User.username == username)):
        raise Refused("username-taken", username)
    if desk_id is not None:
        if session.scalar(select(User.id).where(User.desk_id == desk_id)):
            raise Refused("desk-taken", f"desk {desk_id} belongs to somebody")
        if session.get(Desk, desk_id) is None:
            session.add(Desk(id=desk_id))
            session.flush()
    user = User(username=username, desk_id=desk_id, password_hash=_HASHER.hash(password), **values)
    session.add(user)
    session.flush()
    return user


def set_password(
    session: Session, user_id: int, password: str, *, given: bool, city: City | None = None
) -> None:
    """Set a person's password, and unlock the name. Sessions stay; the caller ends them if needed.

    A password `given` by somebody else opens nothing until its person has changed it. Raises
    Refused("not-found" | "from-directory" | "password-short" | "password-trivial").
    """
    user = get(session, user_id)
    if user.from_directory:
        raise Refused("from-directory", "the password is the directory's")
    _check_password(password, user.username, city)
    user.password_hash, user.password_given = _HASHER.hash(password), given
    lockout.unlock(session, user.username)


def get(session: Session, user_id: int) -> User:
    """Return the person. Raises Refused("not-found")."""
    user = session.get(User, user_id)
    if user is None:
        raise Refused("not-found", f"no person {user_id}")
    return user


def find_by_name(session: Session, username: str) -> User | None:
    """Return the person with this user name."""
    return session.scalar(select(User).where(User.username == username))


def find_by_similar_name(session: Session, username: str) -> User | None:
    """Return the person with this user name in any case."""
    alike = func.lower(User.username) == username.lower()
    return session.scalar(select(User).where(alike).order_by(User.id).limit(1))


def _check_password(password: str, username: str, city: City | None) -> None:
    if len(password) < _SHORTEST:
        raise Refused("password-short", f"a password has at least {_SHORTEST} characters")
    from zxcvbn import zxcvbn  # noqa: PLC0415  (the word lists delay every start by 0.2 s)

    named = city.name("en").split() if city else []
    guessed = zxcvbn(
        convert_digits(password)[:_LONGEST_JUDGED], user_inputs=[username, *named, *_FIRST_TRIED]
    )
    if guessed["score"] < _SAFE_ONLINE:
        raise Refused("password-trivial", "this password is among the first that anybody tries")


def find_hash(session: Session, username: str) -> str:
    """Return the password's hash; for an unknown name a hash that nothing matches and that takes as long."""
    user = find_by_name(session, username)
    has_one = user is not None and user.disabled_at is None and not user.from_directory
    return user.password_hash if user and has_one else _NOBODYS


def is_right(password_hash: str, password: str) -> bool:
    """Return whether the password is right. Slow on purpose (Argon2): call it outside any transaction."""
    try:
        return _HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def verify(session: Session, username: str, *, right: bool, known_browser: bool = False) -> User | None:
    """Return the person if the password was `right`; otherwise count the failure and return None.

    Raises Refused("too-many-attempts") while the name is locked (`lockout`). A browser on which this person
    has signed in before is neither locked out nor counted. The browser's guesses are limited elsewhere.
    """
    user = find_by_name(session, username)
    if not known_browser:
        right = lockout.count_guess(session, username, right=right)
    return user if right else None


def set_pin(session: Session, username: str, pin: str) -> None:
    """Give a person the PIN that lets their telephone into the desk's room.

    Raises Refused("not-found" | "pin-unfit").
    """
    user = find_by_name(session, username)
    if user is None:
        raise Refused("not-found", f"no person {username}")
    if len(pin) not in _PIN_DIGITS or not (pin.isascii() and pin.isdecimal()):
        raise Refused("pin-unfit", "a PIN has 4 to 8 digits")
    user.pin_hash = _HASHER.hash(pin)
    user.pin_failures, user.pin_locked_until = 0, None


def find_pin_hash(session: Session, user: User) -> str:
    """Return the PIN's hash, or one that nothing matches.

    Raises Refused("too-many-attempts") while locked.
    """
    at = now(session)
    if user.pin_locked_until and at < user.pin_locked_until:
        after_s = count_seconds_until(user.pin_locked_until, at)
        raise Refused("too-many-attempts", "too many wrong PINs, wait a little", after_s=after_s)
    return user.pin_hash or _NOBODYS


def count_pin_try(session: Session, user_id: int, *, right: bool) -> bool:
    """Count this try. Return whether it admits the person; nothing does while the PIN is locked."""
    at = now(session)
    user = session.scalars(select(User).where(User.id == user_id).with_for_update(of=User)).one()
    if user.pin_locked_until and at < user.pin_locked_until:
        return False
    user.pin_failures = 0 if right else user.pin_failures + 1
    if user.pin_failures >= PIN_FAILURES:
        user.pin_failures, user.pin_locked_until = 0, at + PIN_LOCKED
    return right


def reset_second_factor(session: Session, user_id: int, except_hash: str | None = None) -> None:
    """Delete a person's second factor and its recovery codes; their sessions end.

    If the role requires a second factor, the person sets up a new one after the next password. Raises
    Refused("not-found").
    """
    user = get(session, user_id)
    user.totp_salt = user.totp_step = user.totp_locked_until = None
    user.totp_failures = 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    sign_ins.end_sessions(session, user_id, except_hash)
