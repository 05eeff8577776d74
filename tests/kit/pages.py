"""What every test of the pages in a browser does: sign in, connect the desk's phone, wait for a state."""

import re

from playwright.sync_api import Page, expect

from tests.kit.system import PASSWORD, System


def in_state(page: Page, name: str, *states: str, timeout: float = 30) -> None:
    """Wait until what has this test id is in one of the states."""
    wanted = re.compile("^(" + "|".join(states) + ")$")
    expect(page.get_by_test_id(name)).to_have_attribute("data-state", wanted, timeout=timeout * 1000)


def sign_in(page: Page, system: System, username: str, path: str = "/desk") -> None:
    """Sign in and open the page at `path`, with the desk's phone connected."""
    page.goto(f"{system.url}/")
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("sign-out").wait_for()
    if not page.url.endswith(path):
        page.goto(f"{system.url}{path}")
    in_state(page, "phone-state", "connected", "disconnected")
    if page.get_by_test_id("phone-connect").is_visible():
        page.get_by_test_id("phone-connect").click()
    in_state(page, "phone-state", "connected")
