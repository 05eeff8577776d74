"""An empty installation: whoever has the code from its log makes the first administrator. Then this is over.

Only a hash of the code is kept. It is too long to be guessed: no wrong one hinders who has the right one.
"""

import hmac
import secrets

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from db.engine import now, one_at_a_time
from db.models import Role, SetupCode, User
from hotline import audit
from hotline.errors import Refused
from hotline.people import accounts, staff
from settings import Settings

_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""None that is taken for another one."""
_GROUPS, _LENGTH = 4, 5
"""Of 31 signs each: 99 bits."""


def is_open(session: Session) -> bool:
    """Whether nobody has an account yet, in use or not."""
    return not session.scalar(select(exists().where(User.id.is_not(None))))


def new_code(session: Session, settings: Settings) -> str:
    """A code in place of the one before, to be shown once. Raises Refused("not-found") if it is over."""
    one_at_a_time(session, "administrators")
    if not is_open(session):
        raise _over()
    code = "-".join("".join(secrets.choice(_SIGNS) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    session.execute(delete(SetupCode))
    session.add(SetupCode(id=1, code_hash=_hash(code, settings), made_at=now(session)))
    return code


def is_right(session: Session, code: str, settings: Settings) -> bool:
    """Whether this is the code. Raises Refused("not-found"): it is over."""
    if not is_open(session):
        raise _over()
    kept = session.scalar(select(SetupCode.code_hash)) or ""
    return hmac.compare_digest(kept, _hash(code, settings))


def begin(
    session: Session, *, code: str, username: str, name: str, password: str, settings: Settings
) -> User:
    """Make the first administrator, which uses the code up. Of two who have it one is let in.

    Raises Refused("not-found"), and what `staff.add` raises.
    """
    one_at_a_time(session, "administrators")
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
