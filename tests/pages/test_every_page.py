"""Every page, in both languages: anybody can use it, and nothing runs over a phone's edge."""

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from tests.factories import PASSWORD
from tests.kit import seed_city
from tests.kit.browser import person
from tests.kit.pages import is_fit


@pytest.mark.parametrize("language", ["fa", "en"])
def test_given_a_town_at_work_when_every_page_is_opened_then_each_is_fit(
    chromium: Browser, url: str, engine: Engine, language: str
) -> None:
    there = seed_city.fill(engine)
    with person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        page.goto(url)
        page.get_by_test_id("username").wait_for()
        is_fit(page)
        page.get_by_test_id("username").fill(there.administrator)
        page.get_by_test_id("password").fill(PASSWORD)
        page.get_by_test_id("submit").click()
        page.get_by_test_id("sign-out").wait_for()
        if language == "en":
            page.get_by_test_id("language").click()
        for path in [*there.paths, *there.public]:
            page.goto(f"{url}/{path}")
            page.wait_for_load_state("networkidle" if path in there.public else "load")
            page.get_by_role("main").wait_for()
            page.get_by_test_id("loading").wait_for(state="hidden")
            is_fit(page)
        page.goto(f"{url}/beside")
        page.wait_for_url(f"{url}/assist")  # had that name
        said = context.complaints  # type: ignore[attr-defined]
        assert [complaint for complaint in said if "401" not in complaint] == []  # nobody is signed in yet
