"""Who asks: the signed-in person, the database, the settings, as dependencies of endpoints.

A request is one transaction, which ends before the answer is sent.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import User
from hotline import users
from hotline.errors import Refused
from settings import Settings

COOKIE = "hotline_session"


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _reading(engine: Annotated[Engine, Depends(_engine)]) -> Iterator[Session]:
    with reading(engine) as session:
        yield session


def _writing(engine: Annotated[Engine, Depends(_engine)]) -> Iterator[Session]:
    with writing(engine) as session:
        yield session


InForce = Annotated[Settings, Depends(_settings)]
Database = Annotated[Engine, Depends(_engine)]
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]


def signed_in(request: Request, engine: Database) -> User:
    """The person whose cookie this is. Raises Refused("not-signed-in")."""
    cookie = request.cookies.get(COOKIE, "")
    with reading(engine) as session:
        user = users.signed_in(session, cookie) if cookie else None
    if user is None:
        raise Refused("not-signed-in", "sign in first")
    return user


def at_desk(user: Annotated[User, Depends(signed_in)]) -> User:
    """The signed-in person, who has a desk. Raises Refused("no-desk")."""
    if user.desk_id is None:
        raise Refused("no-desk", "this person has no desk")
    return user


SignedIn = Annotated[User, Depends(signed_in)]
AtDesk = Annotated[User, Depends(at_desk)]
