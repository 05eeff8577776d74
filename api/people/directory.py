"""Signing in with a name and a password of the office's directory (ldap.url).

The directory is never asked about a name with an account of ours, which works while the directory is away.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from threading import BoundedSemaphore

from fastapi import Request
from sqlalchemy import Engine

from api import cookies
from api.limits import Guesses
from db.engine import reading, writing
from db.models import User
from hotline.directory import ldap, members, roles
from hotline.directory.ldap import Member
from hotline.directory.ldap_connection import Away
from hotline.directory.names import normalize
from hotline.directory.roles import Grant, RolesError
from hotline.errors import Refused
from hotline.people import accounts, lockout
from settings import Settings

log = logging.getLogger("api")

_AT_ONCE = BoundedSemaphore(8)
"""A directory that hangs must not hold more of the threads that serve everybody."""
_AGAIN_S = 15


def find_proved(
    username: str, password: str, request: Request, engine: Engine, settings: Settings
) -> User | None:
    """Return the person whom the directory confirms; None if the name is no name of a directory.

    Raises Refused("wrong-credentials" | "too-many-attempts" | "directory-away" | "directory-no-role" |
    "directory-name-taken").
    """
    name = normalize(username) if settings.ldap_url else ""
    if not name:
        return None
    with reading(engine) as session:
        person = accounts.find_by_name(session, username) or accounts.find_by_similar_name(session, name)
    if person and not person.from_directory:
        return None
    mark = cookies.mark_of(request, person.id, settings) if person else None
    member, grants = _asked(request, engine, settings, (username, password, ""), (name, mark))
    if member is None:
        raise Refused("wrong-credentials", "no such name, or the password is wrong")
    try:
        with writing(engine) as session:
            admitted = members.admit(
                session,
                directory_id=member.id,
                username=member.username,
                name=member.name,
                grant=roles.grant(grants, member.groups),
                settings=settings,
            )
    except RolesError as error:
        log.error("%s", error)
        raise Refused("directory-no-role", "the file of roles says what cannot be") from None
    with reading(engine) as session:
        return accounts.get(session, admitted.id)


def is_confirmed(request: Request, engine: Engine, settings: Settings, user: User, password: str) -> bool:
    """Return whether this is the signed-in person's password. Raises what `find_proved` raises."""
    if not settings.ldap_url or not user.directory_id:
        return False
    given = (user.username, password, user.directory_id)
    member, _ = _asked(request, engine, settings, given, (user.username, f"account {user.id}"))
    return member is not None and member.id == user.directory_id


def _asked(
    request: Request,
    engine: Engine,
    settings: Settings,
    given: tuple[str, str, str],
    name_and_mark: tuple[str, str | None],
) -> tuple[Member | None, Sequence[Grant]]:
    """Ask the directory for `given` (name, password, known id); return the member and the roles' table.

    Attempts are counted before the directory is asked, since too many would lock the account there. A browser
    known to the person is counted apart from unknown ones.
    """
    name, mark = name_and_mark
    who, key = mark or cookies.find_address(request), f"{name} {mark}" if mark else name
    guesses: Guesses = request.app.state.passwords
    guesses.take(who)
    wait = timedelta(minutes=settings.ldap_wait_minutes)
    with writing(engine) as session:
        lockout.count_before(session, key, most=settings.ldap_tries, wait=wait)
    try:
        member, grants = _ask(settings, *given)
    except Refused:
        guesses.give_back(who)
        with writing(engine) as session:
            lockout.undo_guess(session, key)
        raise
    if member is not None:
        guesses.give_back(who)
        with writing(engine) as session:
            lockout.unlock(session, key)
    return member, grants


def _ask(
    settings: Settings, username: str, password: str, known: str
) -> tuple[Member | None, Sequence[Grant]]:
    if not _AT_ONCE.acquire(blocking=False):
        raise _away()
    try:
        grants = roles.read(settings.directory_roles)
        groups = {each.group for each in grants}
        return ldap.prove_person(settings, username, password, groups, known=known), grants
    except (Away, RolesError) as error:
        log.error("sign-in by the directory is not possible: %s", error)
        raise _away() from None
    finally:
        _AT_ONCE.release()


def _away() -> Refused:
    return Refused("directory-away", "the office's directory does not answer", after_s=_AGAIN_S)
