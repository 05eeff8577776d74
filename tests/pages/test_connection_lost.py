"""The server, the network or an older version goes away under an operator who is writing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Role, Round, User
from db.states import CallbackState
from hotline import heartbeats
from settings import Settings
from tests.factories import PASSWORD, a_callback, a_desk, a_user, some_registrations, written_of
from tests.kit.browser import person
from tests.kit.pages import answered, in_state, is_fit
from tests.kit.served import served

NOTE = "آب‌گرفتگی خیابان، «فردا»"


@pytest.fixture
def operator(engine: Engine) -> User:
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        user.role = Role.OPERATOR
        return user


@pytest.fixture
def held(engine: Engine, operator: User) -> Callback:
    """With this citizen the operator has just spoken."""
    with writing(engine) as session:
        held = a_callback(session, CallbackState.ENDED, operator)
        held.talking_at = held.ended_at = now(session)
        return held


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with person(chromium, locale="fa-IR") as context:
        yield context.new_page()


def _write(page: Page, url: str, user: User) -> None:
    """Sign in and begin a note."""
    page.goto(url)
    page.get_by_test_id("username").fill(user.username)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("note").fill(NOTE)
    expect(page.get_by_test_id("connection-lost")).to_be_hidden()


def test_dead_server_is_shown_and_no_words_are_lost(
    page: Page, operator: User, held: Callback, settings: Settings, engine: Engine
) -> None:
    lost = page.get_by_test_id("connection-lost")
    with served(settings) as url:
        _write(page, url, operator)
    expect(lost).to_be_visible()
    page.get_by_test_id("note").fill(f"{NOTE}!")
    page.get_by_test_id("outcome-reached").click()
    page.get_by_test_id("save-outcome").click()
    expect(page.get_by_test_id("problem")).to_be_visible()
    with writing(engine) as session:  # what happens meanwhile is seen afterwards
        some_registrations(session, session.get_one(Round, held.round_id), 2)
    with served(settings):
        expect(lost).to_be_hidden()
        expect(page.get_by_test_id("note")).to_have_value(f"{NOTE}!")
        expect(page.get_by_test_id("line-row")).to_have_count(3)
        page.get_by_test_id("save-outcome").click()
        in_state(page, "callback-state", "closed")
        with reading(engine) as session:
            assert written_of(session.get_one(Callback, held.id)) == [f"{NOTE}!"]


_IMPATIENT = """(() => {
  const soon = window.setTimeout;
  const patience = (wait) => (wait === 15_000 && window.__impatient ? 1_500 : wait);
  window.setTimeout = (act, wait, ...more) => soon(act, patience(wait), ...more);
})()"""
"""Shortens the timeout of a hanging request once somebody has signed in."""


def test_hanging_server_shows_whether_the_outcome_was_saved(
    page: Page, operator: User, held: Callback, settings: Settings, engine: Engine
) -> None:
    page.add_init_script(_IMPATIENT)
    with served(settings) as url:
        _write(page, url, operator)
        page.evaluate("window.__impatient = true")
        page.get_by_test_id("outcome-reached").click()
        outcome = f"{url}/api/v1/callbacks/*/outcome"
        page.route(outcome, lambda _route: None)  # swallowed on its way
        page.get_by_test_id("save-outcome").click()
        expect(page.get_by_test_id("problem")).to_contain_text("شاید این کار انجام شده باشد")
        in_state(page, "callback-state", "ended")
        expect(page.get_by_test_id("note")).to_have_value(NOTE)
        page.unroute(outcome)
        page.route(outcome, lambda route: answered(route) and None)  # done, and its answer swallowed
        page.get_by_test_id("save-outcome").click()
        in_state(page, "callback-state", "closed")
        with reading(engine) as session:
            assert written_of(session.get_one(Callback, held.id)) == [NOTE]


_CALENDAR = "**/assets/day-range*"
"""Its code, with which the bundler puts that of a moment."""


@pytest.mark.usefixtures("held")
def test_page_part_wanted_offline_loads_with_the_network(
    page: Page, operator: User, settings: Settings
) -> None:
    with served(settings) as url:
        _write(page, url, operator)
        page.get_by_test_id("outcome-call_again").click()
        away = (_CALENDAR, f"{url}/")
        for address in away:
            page.route(address, lambda route: route.abort())
        page.get_by_test_id("call-later-time").click()
        expect(page.get_by_test_id("connection-lost")).to_be_visible()
        for address in away:
            page.unroute(address)
        expect(page.get_by_test_id("call-later-moment-time")).to_be_visible()
        expect(page.get_by_test_id("connection-lost")).to_be_hidden()
        expect(page.get_by_test_id("note")).to_have_value(NOTE)


def test_missing_part_of_an_old_version_asks_for_a_reload(
    page: Page, operator: User, held: Callback, settings: Settings, engine: Engine
) -> None:
    with served(settings) as url:
        _write(page, url, operator)
        page.get_by_test_id("outcome-call_again").click()
        page.route(_CALENDAR, lambda route: route.fulfill(status=404))
        page.get_by_test_id("call-later-time").click()
        broken = page.get_by_test_id("broken")
        expect(broken).to_be_visible()
        is_fit(page)
        page.get_by_test_id("outcome-reached").click()
        page.get_by_test_id("save-outcome").click()
        in_state(page, "callback-state", "closed")
        with reading(engine) as session:
            assert written_of(session.get_one(Callback, held.id)) == [NOTE]


@pytest.mark.usefixtures("held")
def test_broken_page_loads_on_retry(page: Page, operator: User, settings: Settings) -> None:
    with served(settings) as url:
        _write(page, url, operator)
        page.route("**/assets/account-page*", lambda route: route.fulfill(status=404))
        page.goto(f"{url}/account")
        broken = page.get_by_test_id("broken")
        expect(broken).to_be_visible()
        is_fit(page)
        page.unroute("**/assets/account-page*")
        broken.get_by_role("button").click()
        page.get_by_test_id("sign-out").wait_for()


@pytest.mark.usefixtures("held")
def test_hanging_database_is_shown_until_it_answers(
    page: Page, operator: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = page.get_by_test_id("connection-lost")
    with served(settings) as url:
        _write(page, url, operator)
        monkeypatch.setattr(heartbeats, "is_silent", lambda _engine: True)
        expect(lost).to_be_visible()  # whatever else it asks is answered
        monkeypatch.setattr(heartbeats, "is_silent", lambda _engine: False)
        expect(lost).to_be_hidden()
        expect(page.get_by_test_id("note")).to_have_value(NOTE)
