"""Who asks: the signed-in person, the database, the settings, as dependencies of endpoints.

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

from api.cookies import COOKIE, address, cookie_of
from db.engine import reading, writing
from db.models import Role, SignIn, User
from hotline.errors import Refused
from hotline.people import sign_in_steps, sign_ins, wallboard_screens
from hotline.requests import work
from hotline.rounds import round_permissions
from settings import Settings

WALL_COOKIE = "hotline_wall"

MAY_PLAN = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS)
"""Who plans rounds, with their officials and notices."""
MAY_MOVE = (Role.ADMINISTRATOR, Role.SUPERVISOR)
"""Who may move a citizen up, with a reason."""
MAY_ANSWER = (*MAY_MOVE, Role.OPERATOR)
"""Who gives a place up at its owner's wish."""
MAY_CONDUCT = round_permissions.CONDUCTORS
"""Who says that a round begins, whosever it is."""
OFFICE = tuple(role for role in Role if role is not Role.DEPARTMENT)
"""Everybody but a department, which sees its own inbox and nothing else."""
MAY_CHANGE = tuple(role for role in OFFICE if role is not Role.AUDITOR)
"""Who does anything at all."""
MAY_INSPECT = (Role.ADMINISTRATOR, Role.AUDITOR)
"""Who reads what everybody did."""
MAY_HEAR = (*MAY_MOVE, Role.AUDITOR)
"""Who hears recorded conversations; each hearing is in the audit log."""
MAY_HANDLE_REQUESTS = work.HANDLERS
"""Who works on requests."""
MAY_ADMINISTER = (Role.ADMINISTRATOR,)
"""Who keeps people, desks and what is recorded."""
MAY_WATCH = (*MAY_MOVE, Role.AUDITOR)
"""Who sees the desks and the blocked numbers."""
MAY_READ_REPORTS = tuple(role for role in OFFICE if role is not Role.OPERATOR)
"""Who reads what many rounds came to."""
MAY_OVERSEE = (*MAY_CONDUCT, Role.AUDITOR)
"""Who reads a citizen's whole history, the desks' notes included."""

MAY_READ_CITIZENS = (*MAY_OVERSEE, Role.OPERATOR)
"""Who reads everything with a citizen's number, the desks' notes included; each time is in the audit log."""


# Not in a thread, as what is no coroutine is: each costs a tenth of a millisecond.
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
"""For the API's document; by HTTPS the cookie's name has `__Host-` before it (api.cookies)."""

InForce = Annotated[Settings, Depends(_settings)]
Database = Annotated[Engine, Depends(_engine)]
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]


def in_session(
    request: Request, engine: Database, settings: InForce, _: Annotated[str | None, Security(_SCHEME)] = None
) -> SignIn:
    """The session whose cookie this is, the second factor shown or not. Raises Refused("not-signed-in")."""
    cookie = cookie_of(request)
    with reading(engine) as session:
        found = sign_ins.session_of(session, cookie, idle(settings)) if cookie else None
        stale = found is not None and sign_ins.is_stale(session, found)
    if found is None:
        raise Refused("not-signed-in", "sign in first")
    if stale:
        with suppress(DatabaseError), writing(engine) as session:  # who only reads may read a full disk
            sign_ins.seen(session, found, address(request))
    return found


def idle(settings: Settings) -> timedelta:
    """After so long without use a session is over."""
    return timedelta(minutes=settings.session_idle_minutes)


InSession = Annotated[SignIn, Depends(in_session)]
"""For what a person may reach before the second factor is shown: itself, and signing out."""


# What only looks at what is known is a coroutine, too: behind «next» there are three of them.
async def with_own_password(sign_in: InSession, settings: InForce) -> SignIn:
    """The session, whose second factor may still have to be set up.

    Raises Refused("not-signed-in" | "password-due").
    """
    if sign_in_steps.step(sign_in, settings) == "new-password":
        sign_in_steps.check(sign_in, settings)
    return sign_in


WithOwnPassword = Annotated[SignIn, Depends(with_own_password)]


async def anybody(sign_in: InSession, settings: InForce) -> User:
    """The person who is signed in, of a department, too: for what is everybody's own.

    Raises Refused("not-signed-in" | "second-factor-due" | "password-due").
    """
    return person_of(sign_in, settings)


def person_of(sign_in: SignIn, settings: Settings) -> User:
    """Whose session this is. Raises Refused("second-factor-due" | "password-due")."""
    sign_in_steps.check(sign_in, settings)
    return sign_in.user


Anybody = Annotated[User, Depends(anybody)]


async def signed_in(user: Anybody) -> User:
    """The person of the office who is signed in. Raises what `anybody` raises, and Refused("forbidden")."""
    return _of_office(user)


def _of_office(user: User) -> User:
    if user.role not in OFFICE:
        raise Refused("forbidden", "a department sees its own inbox only")
    return user


SignedIn = Annotated[User, Depends(signed_in)]


async def of_department(user: Anybody) -> User:
    """The person of a department who is signed in. Raises what `signed_in` raises."""
    if user.department_id is None:
        raise Refused("forbidden", "this is for departments")
    return user


OfDepartment = Annotated[User, Depends(of_department)]


def watching(request: Request, engine: Database, settings: InForce) -> None:
    """A screen on a wall, or somebody signed in. Raises what `signed_in` raises."""
    wall = cookie_of(request, WALL_COOKIE)
    with reading(engine) as session:
        if wall and wallboard_screens.hangs(session, wall):
            return
    _of_office(person_of(in_session(request, engine, settings), settings))


def requires(*roles: Role) -> Callable[[User], Awaitable[User]]:
    """A dependency: the signed-in person, who has one of these roles, else Refused("forbidden")."""

    async def allowed(user: SignedIn) -> User:
        if user.role not in roles:
            raise Refused("forbidden", f"only for {', '.join(roles)}")
        return user

    return allowed


async def at_desk(user: Annotated[User, Depends(signed_in)]) -> User:
    """The signed-in person, who has a desk. Raises Refused("no-desk" | "forbidden").

    An auditor changes nothing, at no desk.
    """
    if user.role is Role.AUDITOR:
        raise Refused("forbidden", "an auditor only reads")
    if user.desk_id is None:
        raise Refused("no-desk", "this person has no desk")
    return user


handles_requests = requires(*MAY_HANDLE_REQUESTS)
AtDesk = Annotated[User, Depends(at_desk)]
MayPlan = Annotated[User, Depends(requires(*MAY_PLAN))]
MayMove = Annotated[User, Depends(requires(*MAY_MOVE))]
MayAnswer = Annotated[User, Depends(requires(*MAY_ANSWER))]
MayConduct = Annotated[User, Depends(requires(*MAY_CONDUCT))]
MayInspect = Annotated[User, Depends(requires(*MAY_INSPECT))]
MayHear = Annotated[User, Depends(requires(*MAY_HEAR))]
MayReadReports = Annotated[User, Depends(requires(*MAY_READ_REPORTS))]
MayOversee = Annotated[User, Depends(requires(*MAY_OVERSEE))]
MayHandleRequests = Annotated[User, Depends(handles_requests)]
MayChange = Annotated[User, Depends(requires(*MAY_CHANGE))]
MayAdminister = Annotated[User, Depends(requires(*MAY_ADMINISTER))]
MayWatch = Annotated[User, Depends(requires(*MAY_WATCH))]
MayReadCitizens = Annotated[User, Depends(requires(*MAY_READ_CITIZENS))]
