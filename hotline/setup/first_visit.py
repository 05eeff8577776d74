"""The first visit: whoever has the code from the log creates the first administrator. Then the code is void.

Only a hash of the code is stored. The code is too long to be guessed, so wrong codes are not limited.
"""

import hmac
import secrets

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Role, SetupCode, User
from hotline import audit
from hotline.errors import Refused
from hotline.people import accounts, staff
from settings import Settings

_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Characters that cannot be mistaken for each other."""
_GROUPS, _LENGTH = 4, 5
"""Groups of 31 possible characters each: 99 bits."""


def is_open(session: Session) -> bool:
    """Return whether nobody has an account yet, active or disabled."""
    return not session.scalar(select(exists().where(User.id.is_not(None))))


def make_code(session: Session, settings: Settings) -> str:
    """Replace the code and return the new one, to be shown once.

    Raises Refused("not-found") if there are accounts.
    """
    hold_lock(session, "administrators")
    if not is_open(session):
        raise _over()
    code = "-".join("".join(secrets.choice(_SIGNS) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    session.execute(delete(SetupCode))
    session.add(SetupCode(id=1, code_hash=_hash(code, settings), made_at=now(session)))
    return code


def is_right(session: Session, code: str, settings: Settings) -> bool:
    """Return whether this is the code. Raises Refused("not-found") if there are accounts."""
    if not is_open(session):
        raise _over()
    kept = session.scalar(select(SetupCode.code_hash)) or ""
    return hmac.compare_digest(kept, _hash(code, settings))


def create_administrator(
    session: Session, *, code: str, username: str, name: str, password: str, settings: Settings
) -> User:
    """Create the first administrator and use up the code. Of two people with the code one succeeds.

    Raises Refused("not-found"), and what `staff.add` raises.
    """
    hold_lock(session, "administrators")
    used = delete(SetupCode).where(SetupCode.code_hash == _hash(code, settings))
    if not is_open(session) or session.execute(used.returning(SetupCode.id)).first() is None:
        raise _over()
    user, _ = staff.add(
        session,
        username=username,
        name=name,
        role=Role.ADMINISTRATOR,
        password=password,
        who=username,
        settings=settings,
    )
    accounts.set_password(session, user.id, password, given=False, city=settings.of_city)
    audit.record(session, username, "first-visit", f"person {username}")
    return user


def _over() -> Refused:
    return Refused("not-found", "nothing is here")


def _hash(code: str, settings: Settings) -> str:
    plain = "".join(sign for sign in code.casefold() if sign in _SIGNS)
    return settings.secret_for(f"first visit {plain}")
