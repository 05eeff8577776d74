"""People of the directory as people here: admitted at their first sign-in, changed and disabled with it."""

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


def known(session: Session) -> Mapping[str, int]:
    """Everybody who has come from a directory and may sign in: their ids there, and ours."""
    query = select(User.directory_id, User.id).where(User.from_directory, User.disabled_at.is_(None))
    return {there: here for there, here in session.execute(query) if there and not there.startswith("oidc:")}


def admit(
    session: Session, *, directory_id: str, username: str, name: str, grant: Grant | None, settings: Settings
) -> User:
    """Whoever has proved at the directory who they are: known here from now on, as what it says.

    Raises Refused("directory-no-role" | "directory-name-taken" | "wrong-credentials" | "last-administrator").
    """
    if grant is None:
        raise Refused("directory-no-role", "no group of this account is in HOTLINE_DIRECTORY_ROLES")
    values = grant.values(session)
    user = session.scalar(select(User).where(User.directory_id == directory_id))
    user = user or accounts.named_alike(session, username)
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
    """Take over what the directory says of a person. Raises Refused("last-administrator")."""
    desk = {"desk_id": None} if values["role"] is Role.DEPARTMENT else {}
    staff.change(session, user, who=audit.DIRECTORY, settings=settings, name=name, **values, **desk)


def leave(session: Session, user: User, why: str, settings: Settings) -> None:
    """The directory does not have them any more, or not as one of us: out at once, until it has."""
    try:
        staff.disable(session, user, who=audit.DIRECTORY, settings=settings, reason=why)
    except Refused:  # the last administrator keeps the account, and no session of it
        sign_ins.end_sessions(session, user.id)


def lock_out(session: Session, user: User) -> None:
    """Their account is locked there: no session goes on, but for one in a conversation."""
    if sign_ins.end_silent_sessions(session, user.id):
        audit.record(
            session, audit.DIRECTORY, "sessions-ended", f"person {user.username}", "directory-locked"
        )


def adopt(session: Session, username: str, *, who: str) -> User:
    """From now on this name is the directory's: whoever proves it there next has this account.

    Raises Refused("not-found").
    """
    user = accounts.named(session, username)
    if user is None:
        raise Refused("not-found", f"no person {username}")
    user.from_directory, user.directory_id = True, None
    user.password_hash, user.password_given = "", False
    sign_ins.end_sessions(session, user.id)
    audit.record(session, who, "person-adopted", f"person {username}")
    return user
