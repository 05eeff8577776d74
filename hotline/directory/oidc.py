"""Synchronisation of OpenID Connect accounts: each session's refresh token asks whether the session
continues.

A provider that is away ends no session.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import SignIn, User
from hotline import audit
from hotline.directory import members, roles, state, sync
from hotline.directory.ldap_connection import Away
from hotline.directory.names import normalize
from hotline.directory.oidc_provider import LONGEST_TOKEN, Asked, Fresh, connect, find_groups, hash_id, seal
from hotline.directory.roles import Grant, RolesError
from hotline.errors import Refused
from hotline.people import staff
from settings import Settings

log = logging.getLogger("directory")

_AGAIN = timedelta(seconds=15)
_ALL_S = 60.0
"""Maximum seconds of one round of checks; the next one continues it. Scheduler jobs must be short."""
_AT_ONCE = 10
_ENDED, _NO_GROUP = "directory-ended", "directory-no-group"


def make_directory_id(settings: Settings, subject: str) -> str:
    """Return the id of an account at this provider, as stored in our accounts."""
    return f"oidc:{hash_id(f'{settings.oidc_issuer} {subject}')}"


def find_or_admit(session: Session, claims: Mapping[str, Any], settings: Settings) -> User:
    """Return the person of these claims; admit a new one whose group has a role.

    Raises RolesError, Refused("city-unknown"), and what `members.admit` raises.
    """
    typed = claims.get(settings.oidc_claim)
    username = normalize(typed) if isinstance(typed, str) else ""
    if not username:
        raise Refused("city-unknown", "no user name of a form that we take")
    name = claims.get("name")
    grants = roles.read(settings.directory_roles)
    return members.admit(
        session,
        directory_id=make_directory_id(settings, str(claims["sub"])),
        username=username,
        name=" ".join(name.split())[:100] if isinstance(name, str) and name.strip() else username,
        grant=roles.grant(grants, find_groups(claims, settings) or ()),
        settings=settings,
    )


def remember(
    sign_in: SignIn, token: Mapping[str, Any], claims: Mapping[str, Any], settings: Settings
) -> None:
    """Store what is needed to check this session at the provider, and to end it from there."""
    sign_in.city_id = hash_id(str(claims["sub"]))
    sid = claims.get("sid")
    sign_in.city_session = hash_id(sid) if isinstance(sid, str) else None
    refresh = token.get("refresh_token")
    if isinstance(refresh, str) and 0 < len(refresh) <= LONGEST_TOKEN:
        sign_in.city_token = seal(settings, refresh)
        sign_in.city_asked_at = sign_in.created_at
    else:
        log.warning("the city's sign-in gave no refresh token: who leaves is out by its log-out, or in time")


def end(session: Session, subject: str | None, sid: str | None) -> int:
    """End the sessions that the provider has ended: one (`sid`), or all of an account. Return how many."""
    which = [] if sid is None else [SignIn.city_session == hash_id(sid)]
    which += [] if subject is None else [SignIn.city_id == hash_id(subject)]
    if not which:
        return 0
    ended = session.scalars(delete(SignIn).where(*which).returning(SignIn.user_id)).all()
    for user_id in set(ended):
        _tell(session, user_id)
    return len(ended)


def _tell(session: Session, user_id: int) -> None:
    username = session.get_one(User, user_id).username
    audit.record(session, audit.DIRECTORY, "sessions-ended", f"person {username}", _ENDED)


def take(engine: Engine, settings: Settings, *, believe: bool = False) -> str:
    """Check every session and end those that the provider has ended; return one word for a problem or ""."""
    asked: list[Asked] = []
    over: dict[Asked, str] = {}
    wrong = ""
    began = time.monotonic()
    with reading(engine) as session:
        before = now(session) - _AGAIN
    try:
        grants = roles.read(settings.directory_roles) if settings.directory_roles else ()
        with connect(settings) as asking:
            while time.monotonic() - began < _ALL_S and (some := _take_up(engine, before)):
                asked += some
                for each in some:
                    try:
                        said = _follow(engine, settings, each, asking.refreshed(each), grants)
                    except Away as away:  # a problem of this session; the others are checked all the same
                        log.warning("the city's sign-in, of a session: %s", away)
                        wrong = away.why
                        continue
                    if said:
                        over[each] = said
        why = _end(engine, settings, over, {each.user_id for each in asked}, believe=believe) or wrong
    except RolesError as error:
        log.error("%s", error)
        why = sync.ROLES_FILE
    except Away as away:
        log.warning("the city's sign-in: %s", away)
        why = away.why
    with writing(engine) as session:
        state.record(session, state.OIDC, why, known=len(asked), gone=len(over))
    return why


def _take_up(engine: Engine, before: datetime) -> list[Asked]:
    """Choose sessions to check. Only one scheduler may check a session: using a token twice ends it."""
    due = select(SignIn).where(SignIn.city_token.is_not(None), SignIn.city_asked_at <= before)
    some = due.order_by(SignIn.city_asked_at).limit(_AT_ONCE).with_for_update(of=SignIn, skip_locked=True)
    with writing(engine) as session:
        found = session.scalars(some).all()
        for each in found:
            each.city_asked_at = now(session)
        return [Asked(each.user_id, each.city_id or "", each.city_token or "") for each in found]


def _follow(
    engine: Engine, settings: Settings, asked: Asked, fresh: Fresh | None, grants: Sequence[Grant]
) -> str:
    """Store the new token and changes of the person; return why the session has ended, or empty."""
    if fresh is None:
        return _ENDED
    with writing(engine) as session:
        kept = update(SignIn).where(SignIn.city_token == asked.sealed).values(city_token=fresh.sealed)
        session.execute(kept)
        user = staff.get(session, asked.user_id)
        if not user.from_directory or fresh.groups is None or not grants:
            return ""
        grant = roles.grant(grants, fresh.groups)
        if grant is None:
            return _NO_GROUP
        try:
            members.update(session, user, fresh.name or user.name, grant.values(session), settings)
        except Refused as refused:  # the last administrator keeps the role
            log.error("person %d is not changed: %s", user.id, refused.code)
    return ""


def _end(
    engine: Engine, settings: Settings, over: Mapping[Asked, str], known: set[int], *, believe: bool
) -> str:
    gone = {each.user_id for each in over}
    if not believe and sync.is_doubtful(len(known), len(gone)):
        log.error("%d of %d people are gone at once: not believed", len(gone), len(known))
        return state.MANY_GONE
    for each, why in over.items():
        with writing(engine) as session:
            if why == _NO_GROUP:
                members.leave(session, staff.get(session, each.user_id), why, settings)
                continue
            this = delete(SignIn).where(SignIn.city_token == each.sealed).returning(SignIn.user_id)
            if session.scalars(this).all():
                _tell(session, each.user_id)
    return ""
