"""Second factor: the six digits of an authenticator (TOTP, RFC 6238), or single-use recovery codes.

The database alone yields no code. The shared secret derives from a salt and the state folder's secret.
Recovery codes are stored as hashes keyed with that secret.
"""

import base64
import hmac
import secrets
import string
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import RecoveryCode, SignIn, User
from hotline.errors import Refused, count_seconds_until
from hotline.numbers import convert_digits
from hotline.people import accounts, lockout, sign_ins
from settings import Settings

_STEP_S = 30
_STEPS_OFF = 1
"""Number of steps that the authenticator's clock may be behind or ahead."""
_RECOVERY_CODES = 10
_ISSUER = "Hotline 137"


def is_asked_of(user: User, settings: Settings) -> bool:
    """Return whether this person's role requires a second factor."""
    return user.role in settings.second_factor_roles


def is_due(sign_in: SignIn, settings: Settings) -> bool:
    """Return whether this session may do nothing yet but show the second factor or set it up."""
    user = sign_in.user
    return not sign_in.second_factor and (user.totp_salt is not None or is_asked_of(user, settings))


def offer(sign_in: SignIn, settings: Settings) -> str:
    """Return the otpauth:// address of a new second factor, the same for this session until confirmed.

    Raises Refused("second-factor-due") if this session has not shown an existing one.
    """
    _check_shown(sign_in)
    sign_in.totp_offer = sign_in.totp_offer or secrets.token_hex(16)
    totp = _totp(sign_in.user, sign_in.totp_offer, settings)
    return totp.provisioning_uri(name=sign_in.user.username, issuer_name=_ISSUER)


def confirm(session: Session, sign_in: SignIn, code: str, settings: Settings) -> list[str]:
    """Activate the offered second factor, of which `code` is shown; the person's other sessions end.

    Return the recovery codes, which cannot be read again. Raises Refused("no-offer" | "wrong-code" |
    "second-factor-due").
    """
    _check_shown(sign_in)
    user = sign_in.user
    if sign_in.totp_offer is None:
        raise Refused("no-offer", "nothing was offered to this session")
    step = _step_of(code, _totp(user, sign_in.totp_offer, settings), now(session), None)
    if step is None:
        raise Refused("wrong-code", "the authenticator shows another code")
    user.totp_salt, user.totp_step, sign_in.totp_offer = sign_in.totp_offer, step, None
    user.totp_failures, user.totp_locked_until = 0, None
    sign_in.second_factor = True
    sign_ins.end_sessions(session, user.id, except_hash=sign_in.token_hash)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [f"{secrets.randbelow(10**12):012}" for _ in range(_RECOVERY_CODES)]
    session.add_all(RecoveryCode(code_hash=_hash(user, c, settings), user_id=user.id) for c in codes)
    return ["-".join((c[:4], c[4:8], c[8:])) for c in codes]


def show(session: Session, sign_in: SignIn, code: str, settings: Settings) -> bool:
    """Return whether the code is right, which completes the session; otherwise count the failure.

    A code works once. Raises Refused("too-many-attempts") while the second factor is locked (see
    `lockout.find_lock_end`).
    """
    at = now(session)
    query = select(User).where(User.id == sign_in.user_id).with_for_update(of=User)
    user = session.scalars(query, execution_options={"populate_existing": True}).one()
    if user.totp_locked_until and at < user.totp_locked_until:
        after_s = count_seconds_until(user.totp_locked_until, at)
        raise Refused("too-many-attempts", "too many wrong codes, wait a little", after_s=after_s)
    right = _is_right(session, user, code, at, settings)
    user.totp_failures = 0 if right else user.totp_failures + 1
    user.totp_locked_until = lockout.find_lock_end(at, user.totp_failures)
    sign_in.second_factor = sign_in.second_factor or right
    return right


def remove(session: Session, sign_in: SignIn, settings: Settings) -> None:
    """Remove the second factor; the person's other sessions end.

    Raises Refused("second-factor-asked") if the role requires one.
    """
    if is_asked_of(sign_in.user, settings):
        raise Refused("second-factor-asked", "this role is not without a second factor")
    accounts.reset_second_factor(session, sign_in.user_id, except_hash=sign_in.token_hash)


def count_recovery_codes(session: Session, user: User) -> int:
    """Return how many recovery codes this person has left."""
    mine = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user.id)
    return session.scalar(mine) or 0


def _check_shown(sign_in: SignIn) -> None:
    if sign_in.user.totp_salt is not None and not sign_in.second_factor:
        raise Refused("second-factor-due", "show the second factor before you replace it")


def _is_right(session: Session, user: User, code: str, at: datetime, settings: Settings) -> bool:
    if user.totp_salt is None:
        return False
    step = _step_of(code, _totp(user, user.totp_salt, settings), at, user.totp_step)
    if step is not None:
        user.totp_step = step
        return True
    used = delete(RecoveryCode).where(RecoveryCode.code_hash == _hash(user, code, settings))
    return session.execute(used.returning(RecoveryCode.user_id)).first() is not None


def _step_of(code: str, totp: pyotp.TOTP, at: datetime, last: int | None) -> int | None:
    """Return the time step of this code, later than the `last` accepted one; None if there is none."""
    this = int(at.timestamp()) // _STEP_S
    digits = convert_digits("".join(code.split()))
    for step in range(this - _STEPS_OFF, this + _STEPS_OFF + 1):
        fresh = last is None or step > last
        if fresh and hmac.compare_digest(digits.encode(), totp.generate_otp(step).encode()):
            return step
    return None


def _totp(user: User, salt: str, settings: Settings) -> pyotp.TOTP:
    secret = bytes.fromhex(settings.secret_for(f"second factor {user.id} {salt}"))
    return pyotp.TOTP(base64.b32encode(secret).decode().rstrip("="), interval=_STEP_S)


def _hash(user: User, code: str, settings: Settings) -> str:
    plain = "".join(c for c in convert_digits(code) if c in string.digits)
    return settings.secret_for(f"recovery code {user.id} {plain}")
