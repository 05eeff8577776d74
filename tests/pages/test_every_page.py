"""Every page, on a telephone and on a desk: accessible, easy to read, and easy to touch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from tests.factories import PASSWORD
from tests.kit import seed_city
from tests.kit.browser import person
from tests.kit.look import LookedAt, look_at
from tests.kit.pages import go, is_fit

PARTS = 3
"""The parts of the test: all of them together would exceed the timeout on a busy machine."""


@pytest.fixture
def manager(chromium: Browser, url: str, engine: Engine) -> Iterator[tuple[Page, seed_city.Town]]:
    """Somebody who may open every page of a town at work."""
    there = seed_city.fill(engine)
    with person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        page.goto(url)
        page.get_by_test_id("username").wait_for()
        yield page, there
        said = context.complaints  # type: ignore[attr-defined]
        assert [complaint for complaint in said if "401" not in complaint] == []  # nobody is signed in yet


def _sign_in(page: Page, username: str) -> None:
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("sign-out").wait_for()


def _each(page: Page, there: seed_city.Town, url: str) -> Iterator[str]:
    """Open one page after the other. Pages of the office open by their links, public ones anew, and a
    department's as its person.
    """
    for path in there.paths:
        go(page, path)
        yield path
    if there.inbox:
        page.get_by_test_id("sign-out").click()
        _sign_in(page, there.department)
    for path in there.inbox:
        go(page, path)
        yield path
    for path in there.public:
        page.goto(f"{url}/{path}")
        page.wait_for_load_state("networkidle")
        page.get_by_role("main").wait_for()
        yield path


@pytest.mark.parametrize("part", range(PARTS))
def test_each_page_is_accessible_readable_and_touchable(
    manager: tuple[Page, seed_city.Town], url: str, part: int
) -> None:
    page, there = manager
    seen = [look_at(page)] if part == 0 else []
    _sign_in(page, there.administrator)
    there = replace(there, paths=there.paths[part::PARTS], public=there.public[part::PARTS])
    there = there if part == 1 else replace(there, inbox=[])
    seen += [look_at(page) for _ in _each(page, there, url)]
    wrong = [one for one in seen if one != LookedAt(one.address)]
    assert not wrong, "\n\n".join(map(str, wrong))


def test_each_page_is_accessible_in_english(manager: tuple[Page, seed_city.Town], url: str) -> None:
    page, there = manager
    _sign_in(page, there.administrator)
    page.get_by_test_id("language").click()
    for _ in _each(page, there, url):
        is_fit(page)
    page.goto(f"{url}/beside")
    page.wait_for_url(f"{url}/assist")  # had that name


def test_first_paint_in_dark_mode_is_dark(manager: tuple[Page, seed_city.Town], url: str) -> None:
    page, _ = manager
    for chosen in ("auto", "light", "dark"):
        assert page.get_by_test_id("scheme").get_attribute("data-chosen") == chosen
        if chosen != "dark":
            page.get_by_test_id("scheme").click()
    # The pages' own code never comes: what is painted is what stands before it.
    page.route("**/assets/*-*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(url)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 25, 27)"
