"""The pages in a real browser against a real server, each test with its own database and person."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine, select

from db.engine import writing
from db.models import Desk, Role, User
from db.states import CallbackState
from settings import Settings
from tests.factories import PASSWORD, a_callback, a_desk, a_user
from tests.kit.browser import browser, person
from tests.kit.databases import on_one
from tests.kit.served import served

__all__ = ["on_one"]

OpenAs = Callable[..., Page]

_IN_ENGLISH = (
    "localStorage.getItem('hotline137.language') ?? localStorage.setItem('hotline137.language', 'en')"
)
"""Sets English as the button does, unless it was pressed since."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Gone with the last of these tests: Playwright's event loop would stand in other tests' way."""
    with browser() as started:
        yield started


@pytest.fixture
def url(settings: Settings, engine: Engine) -> Iterator[str]:
    """The address of the pages."""
    with served(settings) as address:
        yield address


_NOBODYS_FAULT = ("401", "409", "net::ERR_NETWORK_CHANGED")
"""Refusals, and network changes by a Docker engine beside this test. The page loads again what it missed, or
its test fails.
"""


@pytest.fixture
def open_as(chromium: Browser, url: str, engine: Engine) -> Iterator[OpenAs]:
    """Sign a new person of a role in and open `/path`, in `language` "fa" or "en", maybe at a desk.

    An official is the one of `official_id`, a department's person that of `department_id`.

    They sign in as the form does, without it: a whole page less for each test.

    At the end of the test nothing may have gone wrong in any page, except refusals (401, 409).
    """
    with ExitStack() as leaving:
        contexts = []

        def open_page(
            role: Role,
            path: str = "",
            *,
            language: str = "fa",
            at_desk: bool = False,
            official_id: int | None = None,
            department_id: int | None = None,
        ) -> Page:
            with writing(engine) as session:
                user = a_user(session, a_desk(session) if at_desk else None)
                user.role, user.official_id, user.department_id = role, official_id, department_id
            context = leaving.enter_context(person(chromium, locale="fa-IR"))
            contexts.append(context)
            signed_in = context.request.post(f"{url}/api/v1/session", data=_who(user), max_retries=3)
            assert signed_in.ok, signed_in.text()
            page = context.new_page()
            if language == "en":
                page.add_init_script(_IN_ENGLISH)
            page.goto(f"{url}/{path}")
            page.get_by_test_id("sign-out").wait_for()
            return page

        yield open_page
        said = [complaint for context in contexts for complaint in context.complaints]  # type: ignore[attr-defined]
        assert [one for one in said if not any(each in one for each in _NOBODYS_FAULT)] == []


def _who(user: User) -> dict[str, str]:
    return {"username": user.username, "password": PASSWORD}


@pytest.fixture
def office(open_as: OpenAs) -> Page:
    """The public-relations office, on the page to which signing in leads."""
    return open_as(Role.PUBLIC_RELATIONS)


@pytest.fixture
def supervisor(open_as: OpenAs) -> Page:
    """A supervisor, on the page of rounds."""
    return open_as(Role.SUPERVISOR, "rounds")


@pytest.fixture
def desk_talks(open_as: OpenAs, engine: Engine) -> Page:
    """An operator's page in a conversation."""
    page = open_as(Role.OPERATOR, at_desk=True)
    with writing(engine) as session:
        user = session.scalars(select(User).order_by(User.id.desc()).limit(1)).one()
        session.get_one(Desk, user.desk_id).phone_connected = True
        a_callback(session, CallbackState.TALKING, user)
    page.reload()
    return page
