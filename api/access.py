"""Dependencies of endpoints: the signed-in person, the database, the settings.

A request is one transaction, which ends before the answer is sent.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from api.cookies import COOKIE, find_address, read_cookie
from db.engine import reading, writing
from db.models import Role, SignIn, User
from hotline.errors import Refused
from hotline.people import sign_in_steps, sign_ins, wallboard_screens
from hotline.requests import work
from hotline.rounds import round_permissions
from settings import Settings

WALL_COOKIE = "hotline_wall"

MAY_PLAN = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS)
"""Roles that plan rounds, with their officials and notices."""
MAY_MOVE = (Role.ADMINISTRATOR, Role.SUPERVISOR)
"""Roles that may move a citizen up, with a reason."""
MAY_ANSWER = (*MAY_MOVE, Role.OPERATOR)
"""Roles that may cancel a place at its owner's wish."""
MAY_CONDUCT = round_permissions.CONDUCTORS
"""Roles that may start any official's round."""
OFFICE = tuple(role for role in Role if role is not Role.DEPARTMENT)
"""Every role but the department's, which sees only its own inbox."""
MAY_CHANGE = tuple(role for role in OFFICE if role is not Role.AUDITOR)
"""Roles that may change anything at all."""
MAY_INSPECT = (Role.ADMINISTRATOR, Role.AUDITOR)
"""Roles that read the audit log."""
MAY_HEAR = (*MAY_MOVE, Role.AUDITOR)
"""Roles that may play recorded conversations; the audit log shows each playback."""
MAY_HANDLE_REQUESTS = work.HANDLERS
"""Roles that work on requests."""
MAY_ADMINISTER = (Role.ADMINISTRATOR,)
"""Roles that manage people and desks, and decide what is recorded."""
MAY_WATCH = (*MAY_MOVE, Role.AUDITOR)
"""Roles that see the desks and the blocked numbers."""
MAY_READ_REPORTS = tuple(role for role in OFFICE if role is not Role.OPERATOR)
"""Roles that read the reports."""
MAY_OVERSEE = (*MAY_CONDUCT, Role.AUDITOR)
"""Roles that read a citizen's whole history, with the desks' notes."""

MAY_READ_CITIZENS = (*MAY_OVERSEE, Role.OPERATOR)
"""Roles that read lists with citizens' numbers and desks' notes; the audit log shows each reading."""


# A coroutine: FastAPI runs a plain function in a thread, which costs a tenth of a millisecond.
async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _reading(engine: Annotated[Engine, Depends(_engine)]) -> Iterator[Session]:
    with reading(engine) as session:
        yield session


def _writing(engine: Annotated[Engine, Depends(_engine)]) -> Iterator[Session]:
    with writing(engine) as session:
        yield session


_SCHEME = APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False)
"""The cookie's name in the API's document. By HTTPS the real name begins with `__Host-` (api.cookies)."""

InForce = Annotated[Settings, Depends(_settings)]
Database = Annotated[Engine, Depends(_engine)]
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]


def find_session(
    request: Request, engine: Database, settings: InForce, _: Annotated[str | None, Security(_SCHEME)] = None
) -> SignIn:
    """Return the session of the request's cookie, with or without its second factor. Raises
    Refused("not-signed-in").
    """
    cookie = read_cookie(request)
    with reading(engine) as session:
        found = sign_ins.find_session(session, cookie, read_idle_time(settings)) if cookie else None
        stale = found is not None and sign_ins.is_stale(session, found)
    if found is None:
        raise Refused("not-signed-in", "sign in first")
    if stale:
        with suppress(DatabaseError), writing(engine) as session:  # reading must work while the disk is full
            sign_ins.record_use(session, found, find_address(request))
    return found


def read_idle_time(settings: Settings) -> timedelta:
    """Return how long a session lasts without use."""
    return timedelta(minutes=settings.session_idle_minutes)


InSession = Annotated[SignIn, Depends(find_session)]
"""For routes before the second factor is shown: a person's own account, and signing out."""


# A coroutine, too: three dependencies that only look at known values stand before «next».
async def with_own_password(sign_in: InSession, settings: InForce) -> SignIn:
    """Return the session, whose second factor may still have to be set up.

    Raises Refused("not-signed-in" | "password-due").
    """
    if sign_in_steps.step(sign_in, settings) == "new-password":
        sign_in_steps.check(sign_in, settings)
    return sign_in


WithOwnPassword = Annotated[SignIn, Depends(with_own_password)]


async def anybody(sign_in: InSession, settings: InForce) -> User:
    """Return the signed-in person of any role, for routes about oneself.

    Raises Refused("not-signed-in" | "second-factor-due" | "password-due").
    """
    return find_person(sign_in, settings)


def find_person(sign_in: SignIn, settings: Settings) -> User:
    """Return the session's person. Raises Refused("second-factor-due" | "password-due")."""
    sign_in_steps.check(sign_in, settings)
    return sign_in.user


Anybody = Annotated[User, Depends(anybody)]


async def signed_in(user: Anybody) -> User:
    """Return the signed-in person of the office. Raises what `anybody` raises, and Refused("forbidden")."""
    return _of_office(user)


def _of_office(user: User) -> User:
    if user.role not in OFFICE:
        raise Refused("forbidden", "a department sees its own inbox only")
    return user


SignedIn = Annotated[User, Depends(signed_in)]


async def of_department(user: Anybody) -> User:
    """Return the signed-in person of a department. Raises what `signed_in` raises."""
    if user.department_id is None:
        raise Refused("forbidden", "this is for departments")
    return user


OfDepartment = Annotated[User, Depends(of_department)]


def admit_watcher(request: Request, engine: Database, settings: InForce) -> None:
    """Admit a wall screen, or a signed-in person of the office. Raises what `signed_in` raises."""
    wall = read_cookie(request, WALL_COOKIE)
    with reading(engine) as session:
        if wall and wallboard_screens.is_screen(session, wall):
            return
    _of_office(find_person(find_session(request, engine, settings), settings))


def admit_roles(*roles: Role) -> Callable[[User], Awaitable[User]]:
    """Make a dependency: the signed-in person with one of these roles. It raises Refused("forbidden")
    otherwise.
    """

    async def allowed(user: SignedIn) -> User:
        if user.role not in roles:
            raise Refused("forbidden", f"only for {', '.join(roles)}")
        return user

    return allowed


async def at_desk(user: Annotated[User, Depends(signed_in)]) -> User:
    """Return the signed-in person with a desk. Raises Refused("no-desk" | "forbidden").

    An auditor only reads, so has no desk.
    """
    if user.role is Role.AUDITOR:
        raise Refused("forbidden", "an auditor only reads")
    if user.desk_id is None:
        raise Refused("no-desk", "this person has no desk")
    return user


handles_requests = admit_roles(*MAY_HANDLE_REQUESTS)
AtDesk = Annotated[User, Depends(at_desk)]
MayPlan = Annotated[User, Depends(admit_roles(*MAY_PLAN))]
MayMove = Annotated[User, Depends(admit_roles(*MAY_MOVE))]
MayAnswer = Annotated[User, Depends(admit_roles(*MAY_ANSWER))]
MayConduct = Annotated[User, Depends(admit_roles(*MAY_CONDUCT))]
MayInspect = Annotated[User, Depends(admit_roles(*MAY_INSPECT))]
MayHear = Annotated[User, Depends(admit_roles(*MAY_HEAR))]
MayReadReports = Annotated[User, Depends(admit_roles(*MAY_READ_REPORTS))]
MayOversee = Annotated[User, Depends(admit_roles(*MAY_OVERSEE))]
MayHandleRequests = Annotated[User, Depends(handles_requests)]
MayChange = Annotated[User, Depends(admit_roles(*MAY_CHANGE))]
MayAdminister = Annotated[User, Depends(admit_roles(*MAY_ADMINISTER))]
MayWatch = Annotated[User, Depends(admit_roles(*MAY_WATCH))]
MayReadCitizens = Annotated[User, Depends(admit_roles(*MAY_READ_CITIZENS))]
