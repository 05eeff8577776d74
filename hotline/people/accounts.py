"""People who sign in: passwords (Argon2), sessions that can be ended, a lockout that grows.

The second factor is in hotline/people/second_factor.py.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session
from zxcvbn import zxcvbn

from db.engine import now
from db.models import Callback, Desk, RecoveryCode, Role, SignIn, User
from db.states import IN_TALK, CallbackState
from hotline.errors import Refused
from hotline.numbers import ascii_digits
from hotline.people import lockout

SESSION_LENGTH = timedelta(hours=12)
IDLE = timedelta(hours=2)
_SEEN_EVERY = timedelta(minutes=1)
_SHORTEST = 8
_SAFE_ONLINE = 2
"""Of zxcvbn's scores: a million guesses do not find it, and the lockout allows no more."""
_LONGEST_JUDGED = 72
PIN_FAILURES = 9
PIN_LOCKED = timedelta(minutes=15)
"""After so many wrong PINs in a row nobody gets in by telephone for so long."""
_PIN_DIGITS = range(4, 9)
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex())  # an unknown name costs as long as a wrong password


def add(
    session: Session, *, username: str, name: str, role: Role, desk_id: int | None, password: str
) -> User:
    """Add a person.

    Raises Refused("username-taken" | "desk-taken" | "password-short" | "password-trivial").
    """
    _check_password(password, username)
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


def set_password(session: Session, user_id: int, password: str) -> None:
    """Give a person a new password, which unlocks the name; whoever wants others out ends the sessions.

    Raises Refused("not-found" | "password-short" | "password-trivial").
    """
    user = get(session, user_id)
    _check_password(password, user.username)
    user.password_hash = _HASHER.hash(password)
    lockout.unlock(session, user.username)


def get(session: Session, user_id: int) -> User:
    """A person. Raises Refused("not-found")."""
    user = session.get(User, user_id)
    if user is None:
        raise Refused("not-found", f"no person {user_id}")
    return user


def named(session: Session, username: str) -> User | None:
    """The person of this user name."""
    return session.scalar(select(User).where(User.username == username))


def _check_password(password: str, username: str) -> None:
    if len(password) < _SHORTEST:
        raise Refused("password-short", f"a password has at least {_SHORTEST} characters")
    guessed = zxcvbn(ascii_digits(password)[:_LONGEST_JUDGED], user_inputs=[username, "hotline", "isfahan"])
    if guessed["score"] < _SAFE_ONLINE:
        raise Refused("password-trivial", "this password is among the first that anybody tries")


def known_hash(session: Session, username: str) -> str:
    """The password's hash; for an unknown name one that nothing matches, and that costs as long."""
    user = named(session, username)
    return user.password_hash if user and user.disabled_at is None else _NOBODY


def is_right(password_hash: str, password: str) -> bool:
    """Whether the password is right. Slow on purpose (Argon2): call it outside any transaction."""
    try:
        return _HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def verify(session: Session, username: str, *, right: bool, known_browser: bool = False) -> User | None:
    """The person, if the password was `right`; None if not, and the failure is counted.

    Raises Refused("too-many-attempts") while the name is locked (`lockout`). A browser on which this
    person signed in before is not locked out with the name, nor does it count: whoever lets it try limits it.
    """
    user = named(session, username)
    if not known_browser:
        right = lockout.guessed(session, username, right=right)
    return user if right else None


def set_pin(session: Session, username: str, pin: str) -> None:
    """Give a person the PIN that lets their telephone into the desk's room.

    Raises Refused("not-found" | "pin-unfit").
    """
    user = named(session, username)
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


def sign_in(
    session: Session,
    user: User,
    *,
    lasts: timedelta = SESSION_LENGTH,
    address: str = "",
    agent: str = "",
    second_factor: bool = False,
) -> str:
    """Begin a session; returns the cookie's value, of which only a hash is kept.

    `address` and `agent` (the browser's name for itself) are what its person recognises it by.
    """
    at = now(session)
    session.execute(delete(SignIn).where(SignIn.expires_at < at, ~_speaks()))
    lockout.forget_old(session)
    cookie = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_hash=cookie_hash(cookie),
            user_id=user.id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + lasts,
            address=address[:45],
            agent=agent[:100],
            second_factor=second_factor,
        )
    )
    return cookie


def renew(session: Session, sign_in: SignIn) -> str:
    """A new cookie for a session that may more from now on, in place of the old one; returns its value."""
    cookie = secrets.token_urlsafe(32)
    sign_in.token_hash = cookie_hash(cookie)
    session.flush()
    return cookie


def session_of(session: Session, cookie: str, idle: timedelta = IDLE) -> SignIn | None:
    """The session with this cookie, while it lasts and is used at least every `idle`, or is in a call."""
    at = now(session)
    query = select(SignIn).where(SignIn.token_hash == cookie_hash(cookie), *_lasting(at, idle))
    return session.scalar(query)


def lasting(session: Session, hashes: Collection[str], idle: timedelta = IDLE) -> set[str]:
    """Those of these sessions, named by the hashes of their cookies, that are not over."""
    query = select(SignIn.token_hash).where(SignIn.token_hash.in_(hashes), *_lasting(now(session), idle))
    return set(session.scalars(query))


def sessions_of(session: Session, user_id: int, idle: timedelta = IDLE) -> Sequence[SignIn]:
    """A person's sessions, the last used one first."""
    mine = select(SignIn).where(SignIn.user_id == user_id, *_lasting(now(session), idle))
    return session.scalars(mine.order_by(SignIn.last_seen_at.desc(), SignIn.token_hash)).all()


def session_counts(session: Session, idle: timedelta) -> dict[int, int]:
    """How many sessions each person has; who has none is left out."""
    lasts = select(SignIn.user_id, func.count()).where(*_lasting(now(session), idle))
    return {user_id: count for user_id, count in session.execute(lasts.group_by(SignIn.user_id))}


def is_stale(session: Session, sign_in: SignIn) -> bool:
    """Whether it is time to write again that this session is used."""
    return now(session) - sign_in.last_seen_at >= _SEEN_EVERY


def seen(session: Session, sign_in: SignIn, address: str) -> None:
    """Write that this session is used now, from here."""
    used = update(SignIn).where(SignIn.token_hash == sign_in.token_hash)
    session.execute(used.values(last_seen_at=now(session), address=address[:45]))


def sign_out(session: Session, cookie: str) -> None:
    """End the session with this cookie."""
    session.execute(delete(SignIn).where(SignIn.token_hash == cookie_hash(cookie)))


def end_session(session: Session, user_id: int, token_hash: str) -> None:
    """End one of a person's sessions; nothing happens if it is over, or another's."""
    session.execute(delete(SignIn).where(SignIn.token_hash == token_hash, SignIn.user_id == user_id))


def end_sessions(session: Session, user_id: int, except_hash: str | None = None) -> None:
    """End all of a person's sessions, except the one with this hash of its cookie, if any is given."""
    ended = delete(SignIn).where(SignIn.user_id == user_id)
    session.execute(ended if except_hash is None else ended.where(SignIn.token_hash != except_hash))


def reset_second_factor(session: Session, user_id: int, except_hash: str | None = None) -> None:
    """Forget a person's second factor and its recovery codes; their sessions end (see `end_sessions`).

    If their role asks for one, they set up a new one after their next password. Raises Refused("not-found").
    """
    user = get(session, user_id)
    user.totp_salt = user.totp_step = user.totp_locked_until = None
    user.totp_failures = 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    end_sessions(session, user_id, except_hash)


def cookie_hash(cookie: str) -> str:
    """What is kept of a session's cookie, and names the session."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def _lasting(at: datetime, idle: timedelta) -> tuple[ColumnElement[bool], ...]:
    disabled = select(User.id).where(User.disabled_at.is_not(None))
    in_time = and_(SignIn.expires_at > at, SignIn.last_seen_at > at - idle)
    return or_(in_time, _speaks()), SignIn.user_id.not_in(disabled)


def _speaks() -> ColumnElement[bool]:
    """Whether the session's person is in conversation: no clock cuts off a citizen."""
    talks = select(Callback.desk_id).where(Callback.state.in_(IN_TALK))
    screens = select(Callback.screen_desk_id).where(Callback.state == CallbackState.SCREENING)
    speaking = select(User.id).where(or_(User.desk_id.in_(talks), User.desk_id.in_(screens)))
    return SignIn.user_id.in_(speaking)
