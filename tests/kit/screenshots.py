"""Pictures of every page at a desk's and a phone's width, into docs/screenshots: `make screenshots`."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from db.engine import connect
from db.migrate import upgrade
from settings import Address, Settings, load
from tests.factories import PASSWORD
from tests.kit import seed_city
from tests.kit.browser import browser, person
from tests.kit.pages import DESK, PHONE
from tests.kit.ports import free_port
from tests.kit.served import served
from tests.kit.system import PROJECT

FOLDER = PROJECT / "docs" / "screenshots"
_IN_ENGLISH = ("desk", "rounds")
_FULL_HEIGHT = 2400
"""A longer page is cut: the rest of a line looks like its beginning."""


def _settings(folder: Path) -> Settings:
    return load(
        _env_file=None,
        state_dir=folder,
        http=Address("127.0.0.1", free_port()),
        asterisk_http=Address("127.0.0.1", free_port()),
        second_factor_roles=(),
        browser_phone=True,
    )


def _take(page: Page, url: str, path: str, suffix: str = "") -> None:
    page.goto(f"{url}/{path}")
    page.get_by_role("main").wait_for()
    page.get_by_test_id("loading").wait_for(state="hidden")
    page.evaluate("document.fonts.ready")
    name = path.strip("/").replace("/", "-") or "sign-in"
    for width, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        height = min(page.evaluate("document.documentElement.scrollHeight"), _FULL_HEIGHT)
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
        expect(page.locator('[aria-busy="true"]')).to_have_count(0)
        page.screenshot(path=FOLDER / f"{name}{suffix}-{width}.png")


def main() -> None:
    """Take them all anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        settings = _settings(Path(folder))
        engine = connect(settings.database)
        upgrade(engine)
        there = seed_city.fill(engine)
        with (
            served(settings) as url,
            browser() as chromium,
            person(chromium, locale="fa-IR") as context,
        ):
            page = context.new_page()
            for path in ["sign-in", "phone", *there.public]:
                _take(page, url, path)
            page.goto(url)
            page.get_by_test_id("username").fill(there.administrator)
            page.get_by_test_id("password").fill(PASSWORD)
            page.get_by_test_id("submit").click()
            page.get_by_test_id("sign-out").wait_for()
            for path in there.paths:
                _take(page, url, path)
            page.set_viewport_size(DESK)  # type: ignore[arg-type]
            page.get_by_test_id("language").click()
            for path in _IN_ENGLISH:
                _take(page, url, path, "-en")


if __name__ == "__main__":
    main()
