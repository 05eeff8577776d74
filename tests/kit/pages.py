"""What every test of the pages in a browser does: sign in, connect the desk's phone, wait for a state."""

import re

from playwright.sync_api import Page, expect

from tests.kit.system import PASSWORD, PROJECT, System


def in_state(page: Page, name: str, *states: str, timeout: float = 30) -> None:
    """Wait until what has this test id is in one of the states."""
    wanted = re.compile("^(" + "|".join(states) + ")$")
    expect(page.get_by_test_id(name)).to_have_attribute("data-state", wanted, timeout=timeout * 1000)


def sign_in(page: Page, system: System, username: str, path: str = "/desk") -> None:
    """Sign in, as the form does, and open the page at `path`, with the desk's phone connected."""
    who = {"username": username, "password": PASSWORD}
    signed_in = page.context.request.post(f"{system.url}/api/v1/session", data=who)
    assert signed_in.ok, signed_in.text()
    page.goto(f"{system.url}{path}")
    page.get_by_test_id("sign-out").wait_for()
    in_state(page, "phone-state", "connected", "disconnected")
    if page.get_by_test_id("phone-connect").is_visible():
        page.get_by_test_id("phone-connect").click()
    in_state(page, "phone-state", "connected")


DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
"""The widths at which every page is looked at."""
AXE = PROJECT / "web" / "node_modules" / "axe-core" / "axe.min.js"


def shown(page: Page, name: str) -> None:
    """The page of this name is there; until then the one before is."""
    page.locator(f'header[data-page="{name}"]:visible').wait_for()


def is_fit(page: Page) -> None:
    """Everybody can use the page as it stands: axe finds nothing, and nothing runs over a phone's edge."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
    assert not wrong, (page.url, wrong)
    before = page.viewport_size
    page.set_viewport_size(PHONE)
    # Charts follow the page's width in their own time.
    expect(page.locator("html")).to_have_js_property("scrollWidth", PHONE["width"])
    page.set_viewport_size(before or DESK)
