"""Synchronisation of LDAP accounts: the scheduler checks regularly whether people are still in the directory.

Nobody is signed out because the directory is away, hung or suddenly empty. Only a credible answer ends a
session.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import User
from hotline.directory import ldap, members, roles, state
from hotline.directory.ldap import Look
from hotline.directory.ldap_connection import Away
from hotline.directory.roles import Grant, RolesError
from hotline.errors import Refused
from hotline.people import staff
from settings import Settings

log = logging.getLogger("directory")

_A_FEW = 2
_GROUPS_MISSING, ROLES_FILE = "groups-missing", "roles-file"


class _Seen(NamedTuple):
    """The known accounts, the answer of the directory, the groups' grants, and why each leaving person
    leaves.
    """

    known: Mapping[str, int]
    found: Look
    grants: Sequence[Grant]
    leaving: Mapping[str, str]


class _Change(NamedTuple):
    """A change of one person: they left, their account is locked, or they have another name or role."""

    user_id: int
    there: str
    left: str = ""
    name: str = ""
    values: Mapping[str, Any] | None = None


def take(engine: Engine, settings: Settings, *, believe: bool = False) -> str:
    """Check every known account and apply the changes; return one word for a problem, or an empty text.

    `believe`: a technician has confirmed that so many people left at once.
    """
    with reading(engine) as session:
        known = members.find_known(session)
    gone = 0
    try:
        grants = roles.read(settings.directory_roles)
        found = ldap.find_states(settings, sorted(known), {each.group for each in grants})
        leaving = {each: why for each in known if (why := _why_left(found, grants, each))}
        gone = len(leaving)
        if not believe and is_doubtful(len(known), gone):
            log.error("%d of %d accounts are gone at once: not believed", gone, len(known))
            why = state.MANY_GONE
        else:
            why = _follow(engine, settings, _Seen(known, found, grants, leaving))
    except RolesError as error:
        log.error("%s", error)
        why = ROLES_FILE
    except Away as away:
        why = away.why
    with writing(engine) as session:
        state.record(session, state.LDAP, why, known=len(known), gone=gone)
    return why


def is_doubtful(known: int, gone: int) -> bool:
    """Return whether the number of leaving people is suspicious: all, or more than two and a quarter."""
    return (gone > _A_FEW and gone * 4 > known) or gone == known > 1


def _why_left(found: Look, grants: Sequence[Grant], there: str) -> str:
    """Return why an account no longer belongs to us, or an empty text. A missing group is no reason."""
    member = found.members.get(there)
    if member is None:
        return "directory-gone"
    if member.barred in ("disabled", "expired"):
        return f"directory-{member.barred}"
    return "" if roles.grant(grants, member.groups) or found.missing_groups else "directory-no-group"


def _follow(engine: Engine, settings: Settings, seen: _Seen) -> str:
    for group in seen.found.missing_groups:
        log.error("there is no group %s: nobody leaves or changes by groups", group)
    with reading(engine) as session:
        told = {} if seen.found.missing_groups else {each: each.values(session) for each in seen.grants}
        changes = list(_changes(session, seen, told))
    for change in changes:
        with writing(engine) as session:
            user = staff.get(session, change.user_id)
            # nothing has changed it meanwhile
            if user.directory_id == change.there and user.disabled_at is None:
                _make(session, user, change, settings)
    return _GROUPS_MISSING if seen.found.missing_groups else ""


def _changes(session: Session, seen: _Seen, told: Mapping[Grant, Mapping[str, Any]]) -> Iterator[_Change]:
    for there, here in seen.known.items():
        if there in seen.leaving:
            yield _Change(here, there, seen.leaving[there])
            continue
        member, user = seen.found.members[there], session.get_one(User, here)
        if member.barred:
            yield _Change(here, there)
        grant = roles.grant(seen.grants, member.groups)
        if grant and grant in told:
            values = told[grant]
            if member.name != user.name or any(getattr(user, of) != value for of, value in values.items()):
                yield _Change(here, there, name=member.name, values=values)


def _make(session: Session, user: User, change: _Change, settings: Settings) -> None:
    if change.left:
        members.leave(session, user, change.left, settings)
    elif change.values is None:
        members.lock_out(session, user)
    else:
        try:
            members.update(session, user, change.name, change.values, settings)
        except Refused as refused:  # the last administrator keeps the role
            log.error("person %d is not changed: %s", user.id, refused.code)
