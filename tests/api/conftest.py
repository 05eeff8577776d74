"""The API on one database, and pages of people; test files of what both databases must keep say so."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create
from api.cookies import COOKIE
from db.engine import now, writing
from db.models import Official, OfficialKind, Role, Round, User
from hotline.people import sign_ins
from hotline.recordings import disk
from hotline.rounds import planning
from settings import Settings
from tests.api.answers import HERE, As, SignedIn
from tests.api.public.public_pages import CITY, Make
from tests.factories import HOUR, a_desk, a_round, a_user, an_official
from tests.kit.databases import on_one

__all__ = ["on_one"]


@pytest.fixture
def nobody(app: FastAPI) -> Iterator[TestClient]:
    """A page on which nobody has signed in."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def insider(app: FastAPI) -> TestClient:
    """A technician on this very machine, who has not signed in."""
    return TestClient(app, raise_server_exceptions=False, client=HERE)


@pytest.fixture
def as_user(app: FastAPI, nobody: TestClient, engine: Engine) -> SignedIn:
    """Makes a page on which this person has signed in."""

    def page(user: User) -> TestClient:
        with writing(engine) as session:
            cookie = sign_ins.sign_in(session, user)
        return TestClient(app, raise_server_exceptions=False, cookies={COOKIE: cookie})

    return page


@pytest.fixture
def user(engine: Engine) -> User:
    """A person at a desk whose phone is in its room."""
    with writing(engine) as session:
        return a_user(session, a_desk(session))


@pytest.fixture
def desk(as_user: SignedIn, user: User) -> TestClient:
    """The page of that person."""
    return as_user(user)


@pytest.fixture
def live(engine: Engine) -> Round:
    """A live round."""
    with writing(engine) as session:
        return a_round(session)


@pytest.fixture
def as_role(as_user: SignedIn, engine: Engine) -> As:
    """Makes a page on which somebody with this role has signed in."""

    def page(role: Role) -> TestClient:
        with writing(engine) as session:
            user = a_user(session, a_desk(session))
            user.role = role
        return as_user(user)

    return page


@pytest.fixture
def office(as_role: As) -> TestClient:
    """The public-relations office."""
    return as_role(Role.PUBLIC_RELATIONS)


@pytest.fixture
def official(engine: Engine) -> Official:
    with writing(engine) as session:
        return an_official(session)


@pytest.fixture
def citizen(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """A page that belongs to nobody, of a city whose public pages have an address."""
    app = create(settings.model_copy(update={"public_url": CITY}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def made(session: Session) -> Make:
    """Makes a round of an office of this name, announced now, 30 hours ahead; the caller commits."""

    def make(fa: str = "مدیر منطقهٔ چهار", en: str = "Manager of District 4", **values: Any) -> Round:
        at = now(session)
        official = Official(kind=OfficialKind.DEPUTY, office_fa=fa, office_en=en, clip="office-x")
        defaults: dict[str, Any] = {
            "registration_from": at + HOUR,
            "registration_until": at + 29 * HOUR,
            "starts_at": at + 30 * HOUR,
            "ends_at": at + 33 * HOUR,
        }
        return planning.make(session, official=official, **defaults | values)

    return make


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report enough room on any disk."""
    monkeypatch.setattr(disk, "find_disk", lambda _folder: disk.Disk(100 << 30, 50 << 30))
