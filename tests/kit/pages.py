"""Common steps of tests in a browser: sign in, connect the desk's phone, wait for a state."""

import re

from playwright.sync_api import APIResponse, Page, Route, expect

from tests.kit.operator import PASSWORD
from tests.kit.system import PROJECT, System


def in_state(page: Page, name: str, *states: str, timeout: float = 30) -> None:
    """Wait until what has this test id is in one of the states."""
    wanted = re.compile("^(" + "|".join(states) + ")$")
    expect(page.get_by_test_id(name)).to_have_attribute("data-state", wanted, timeout=timeout * 1000)


def sign_in(page: Page, system: System, username: str, path: str = "/desk") -> None:
    """Sign in, as the form does, and open the page at `path`, with the desk's phone connected."""
    who = {"username": username, "password": PASSWORD}
    signed_in = page.context.request.post(f"{system.url}/api/v1/session", data=who, max_retries=3)
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


def go(page: Page, path: str) -> None:
    """Go to `/path` as a link of the pages does: nothing is loaded anew."""
    page.evaluate("(to) => history.pushState(null, '', to)", f"/{path}")
    page.get_by_role("main").wait_for()
    page.get_by_test_id("loading").wait_for(state="hidden")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def shown(page: Page, name: str) -> None:
    """The page of this name is there; until then the one before is."""
    page.locator(f'header[data-page="{name}"]:visible').wait_for()


PATIENT = """(() => {
  const soon = window.setTimeout;
  window.setTimeout = (act, wait, ...more) => soon(act, wait === 3000 ? 600_000 : wait, ...more);
})()"""
"""Parts that are shown together (web/src/ui/whole.tsx) wait for each other however long it takes."""


def opened(page: Page) -> None:
    """A dialog is there and has taken the focus, from whatever was begun to be written in it until then."""
    expect(page.get_by_role("dialog").locator(":focus")).to_have_count(1)


# Only what is wrong leaves the page: all that axe says takes as long to hand over as to find.
_AXE_FINDS = """async () => {
  const { violations } = await axe.run({ resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`);
}"""


def axe_finds(page: Page) -> list[str]:
    """Each rule for everybody's use that the page breaks as it stands, and where."""
    with_axe(page)
    found: list[str] = page.evaluate(_AXE_FINDS)
    return found


def with_axe(page: Page) -> None:
    """The page that is loaded has axe."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())


def is_fit(page: Page) -> None:
    """Everybody can use the page as it stands: axe finds nothing, and nothing runs over a phone's edge."""
    wrong = axe_finds(page)
    assert not wrong, (page.url, wrong)
    before = page.viewport_size
    page.set_viewport_size(PHONE)
    # Charts follow the page's width in their own time.
    expect(page.locator("html")).to_have_js_property("scrollWidth", PHONE["width"])
    page.set_viewport_size(before or DESK)


def answered(route: Route) -> APIResponse:
    """Fetch the server's answer. A connection closed on reuse is the browser's to retry, and Playwright's own
    here.
    """
    return route.fetch(max_retries=3)
