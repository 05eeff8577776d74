"""Sessions of signed-in staff: their length, use and end."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from db.engine import ago, now
from db.models import Callback, Desk, SignIn, User, make_literal, make_literals
from db.states import IN_TALK, CallbackState
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.people import lockout

SESSION_LENGTH = timedelta(hours=12)
IDLE = timedelta(hours=2)
_SEEN_EVERY = timedelta(minutes=1)
_Time = datetime | ColumnElement[datetime]


def sign_in(
    session: Session,
    user: User,
    *,
    lasts: timedelta = SESSION_LENGTH,
    address: str = "",
    agent: str = "",
    second_factor: bool = False,
    password_due: bool = False,
) -> str:
    """Begin a session. Return the cookie's value, of which only a hash is stored.

    `address` and `agent` (the browser's own name) help the person to recognise it. While a new password is
    due, the session may do nothing else.
    """
    at = now(session)
    session.execute(delete(SignIn).where(SignIn.expires_at < trusted_now(session), ~_speaks()))
    lockout.forget_old(session)
    cookie = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_hash=hash_cookie(cookie),
            user_id=user.id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + lasts,
            address=address[:45],
            agent=agent[:100],
            second_factor=second_factor,
            password_due=password_due,
        )
    )
    return cookie


def renew(session: Session, sign_in: SignIn) -> str:
    """Replace the cookie of a session that gains rights. Return the new value."""
    cookie = secrets.token_urlsafe(32)
    before, sign_in.token_hash = sign_in.token_hash, hash_cookie(cookie)
    session.flush()
    phone = update(Desk).where(Desk.admitted_by == before)  # the phone stays in its room
    session.execute(phone.values(admitted_by=sign_in.token_hash))
    account = update(Desk).where(Desk.phone_sign_in == before)  # the account's password changes
    session.execute(account.values(phone_sign_in=sign_in.token_hash))
    return cookie


def find_session(session: Session, cookie: str, idle: timedelta = IDLE) -> SignIn | None:
    """Return the session with this cookie if it lasts: not over, not idle for `idle`, or in a call."""
    at = now(session)
    query = select(SignIn).where(SignIn.token_hash == hash_cookie(cookie), *is_lasting(at, idle))
    return session.scalar(query)


@lru_cache(8)
def select_lasting(hashes: frozenset[str], idle: timedelta = IDLE) -> Select[str, int | None]:
    """Return the query of those of these sessions, by cookie hash, that last, with the person's department.

    The query runs every second for each open page.
    """
    person = select(SignIn.token_hash, User.department_id).join(User, User.id == SignIn.user_id)
    return person.where(SignIn.token_hash.in_(sorted(hashes)), *_lasts(ago(), ago(idle)))


def list_sessions(session: Session, user_id: int, idle: timedelta = IDLE) -> Sequence[SignIn]:
    """Return a person's sessions, the last used one first."""
    mine = select(SignIn).where(SignIn.user_id == user_id, *is_lasting(now(session), idle))
    return session.scalars(mine.order_by(SignIn.last_seen_at.desc(), SignIn.token_hash)).all()


def count_sessions(session: Session, idle: timedelta) -> dict[int, int]:
    """Return how many sessions each person has; people without one are left out."""
    lasts = select(SignIn.user_id, func.count()).where(*is_lasting(now(session), idle))
    return {user_id: count for user_id, count in session.execute(lasts.group_by(SignIn.user_id))}


def lock_session(session: Session, sign_in: SignIn) -> SignIn:
    """Return the session anew in this transaction. Raises Refused("not-signed-in") if it has just ended."""
    found = session.get(SignIn, sign_in.token_hash)
    if found is None:
        raise Refused("not-signed-in", "this session has ended")
    return found


def is_stale(session: Session, sign_in: SignIn) -> bool:
    """Return whether the last recorded use is a minute old."""
    return now(session) - sign_in.last_seen_at >= _SEEN_EVERY


def record_use(session: Session, sign_in: SignIn, address: str) -> None:
    """Record that this session is used now, from this address."""
    used = update(SignIn).where(SignIn.token_hash == sign_in.token_hash)
    session.execute(used.values(last_seen_at=now(session), address=address[:45]))


def sign_out(session: Session, cookie: str) -> str:
    """End the session with this cookie. Return its person's user name; empty if there is none."""
    ended = delete(SignIn).where(SignIn.token_hash == hash_cookie(cookie)).returning(SignIn.user_id)
    user_id = session.scalar(ended)
    return session.get_one(User, user_id).username if user_id else ""


def end_session(session: Session, user_id: int, token_hash: str) -> bool:
    """End one of a person's sessions. Return False if it is over, or another person's."""
    ended = delete(SignIn).where(SignIn.token_hash == token_hash, SignIn.user_id == user_id)
    return bool(session.scalars(ended.returning(SignIn.token_hash)).all())


def end_sessions(session: Session, user_id: int, except_hash: str | None = None) -> None:
    """End all of a person's sessions, except the one with this hash of its cookie, if any is given."""
    ended = delete(SignIn).where(SignIn.user_id == user_id)
    session.execute(ended if except_hash is None else ended.where(SignIn.token_hash != except_hash))


def end_silent_sessions(session: Session, user_id: int) -> bool:
    """End all of a person's sessions unless the person talks with a citizen. Return whether any ended."""
    ended = delete(SignIn).where(SignIn.user_id == user_id, ~_speaks()).returning(SignIn.token_hash)
    return bool(session.scalars(ended).all())


def hash_cookie(cookie: str) -> str:
    """Return the stored hash of a session's cookie, which names the session."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def is_lasting(at: datetime, idle: timedelta) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a sign-in lasts at `at` without being idle, or its person is in a call."""
    return _lasts(at, at - idle)


def _lasts(at: _Time, idle_ago: _Time) -> tuple[ColumnElement[bool], ...]:
    disabled = select(User.id).where(User.disabled_at.is_not(None))
    in_time = and_(SignIn.expires_at > at, SignIn.last_seen_at > idle_ago)
    return or_(in_time, _speaks()), SignIn.user_id.not_in(disabled)


def _speaks() -> ColumnElement[bool]:
    """Return the condition that the session's person is in conversation: no timeout cuts a citizen off."""
    talks = select(Callback.desk_id).where(Callback.state.in_(make_literals(IN_TALK)))
    screens = select(Callback.screen_desk_id).where(Callback.state == make_literal(CallbackState.SCREENING))
    speaking = select(User.id).where(or_(User.desk_id.in_(talks), User.desk_id.in_(screens)))
    return SignIn.user_id.in_(speaking)
