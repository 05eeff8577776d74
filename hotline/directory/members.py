"""Accounts of people from the directory: admitted at the first sign-in, then changed and disabled with it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Role, User
from hotline import audit
from hotline.directory.roles import Grant
from hotline.errors import Refused
from hotline.people import accounts, sign_ins, staff
from settings import Settings


def find_known(session: Session) -> Mapping[str, int]:
    """Return the active accounts from LDAP: our ids by the directory's ids."""
    query = select(User.directory_id, User.id).where(User.from_directory, User.disabled_at.is_(None))
    return {there: here for there, here in session.execute(query) if there and not there.startswith("oidc:")}


def admit(
    session: Session, *, directory_id: str, username: str, name: str, grant: Grant | None, settings: Settings
) -> User:
    """Return the account of a person who has signed in at the directory; create or enable it if necessary.

    Raises Refused("directory-no-role" | "directory-name-taken" | "wrong-credentials" | "last-administrator").
    """
    if grant is None:
        raise Refused("directory-no-role", "no group of this account is in the file of roles")
    values = grant.values(session)
    user = session.scalar(select(User).where(User.directory_id == directory_id))
    user = user or accounts.find_by_similar_name(session, username)
    if user is None:
        return staff.admit(
            session, username=username, directory_id=directory_id, settings=settings, name=name, **values
        )
    user = staff.get(session, user.id)
    if not user.from_directory or user.directory_id not in (None, directory_id):
        raise Refused("directory-name-taken", "the name belongs to another account here")
    user.directory_id = directory_id
    if user.disabled_at and user.left_directory_at is None:
        raise Refused("wrong-credentials", "disabled here, by a person")
    staff.enable(session, user, who=audit.DIRECTORY)
    update(session, user, name, values, settings)
    return user


def update(session: Session, user: User, name: str, values: Mapping[str, Any], settings: Settings) -> None:
    """Copy name and role from the directory. Raises Refused("last-administrator")."""
    desk = {"desk_id": None} if values["role"] is Role.DEPARTMENT else {}
    staff.change(session, user, who=audit.DIRECTORY, settings=settings, name=name, **values, **desk)


def leave(session: Session, user: User, why: str, settings: Settings) -> None:
    """Disable a person who has left the directory or has no role there any more."""
    try:
        staff.disable(session, user, who=audit.DIRECTORY, settings=settings, reason=why)
    except Refused:  # the last administrator keeps the account, but no session
        sign_ins.end_sessions(session, user.id)


def lock_out(session: Session, user: User) -> None:
    """End the sessions of a person whose account is locked there, except one in a conversation."""
    if sign_ins.end_silent_sessions(session, user.id):
        audit.record(
            session, audit.DIRECTORY, "sessions-ended", f"person {user.username}", "directory-locked"
        )


def adopt(session: Session, username: str, *, who: str) -> User:
    """Hand an account over to the directory: the next person who signs in there by this name gets it.

    Raises Refused("not-found").
    """
    user = accounts.find_by_name(session, username)
    if user is None:
        raise Refused("not-found", f"no person {username}")
    user.from_directory, user.directory_id = True, None
    user.password_hash, user.password_given = "", False
    sign_ins.end_sessions(session, user.id)
    audit.record(session, who, "person-adopted", f"person {username}")
    return user
