"""The files that an operator's browser fetches before the desk can be used, over a slow line."""

from playwright.sync_api import Page

from db.models import Role
from tests.kit.process import until
from tests.pages.conftest import OpenAs

LIMIT = 400_000
"""Bytes, as they cross the network."""


def test_first_load_of_the_desk_is_below_400_kb(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    fetched = _fetched_by_reload(page)
    assert any(".js" in url for url in fetched) and any(".woff2" in url for url in fetched)
    assert sum(fetched.values()) < LIMIT, fetched


def test_fonts_load_after_the_data_without_a_shift(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    kept = "localStorage.getItem('hotline137.letters')"
    until(lambda: page.evaluate(kept), "they are there, as on a quick line")
    page.evaluate(kept.replace("get", "remove"))
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"latency": 800, "downloadThroughput": 500_000, "uploadThroughput": 500_000}
    wire.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    with page.expect_response("**/*.woff2"):
        page.get_by_test_id("callback-state").wait_for()
    of_the_page = next(place for place, url in enumerate(asked) if url.endswith("/api/v1/desk-words"))
    assert of_the_page < next(place for place, url in enumerate(asked) if url.endswith(".woff2"))
    page.locator("html[data-letters]").wait_for(state="attached")
    page.evaluate("document.fonts.ready")
    before, after = page.evaluate(_WITH_AND_WITHOUT_LETTERS)
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) <= 1, (before, after)


_WITH_AND_WITHOUT_LETTERS = """async () => {
  const root = document.documentElement;
  const parts = [...document.querySelectorAll('header, header h1, header a, main h2')];
  const boxes = () => parts.map((one) => one.getBoundingClientRect());
  const stand = () => boxes().flatMap(({ top, bottom }) => [top, bottom]);
  root.removeAttribute('data-letters');
  await document.fonts.ready;
  const until = stand();
  root.toggleAttribute('data-letters', true);
  await document.fonts.ready;
  return [until, stand()];
}"""
"""Returns the bounds of the head and the headings in the system's font, and in the pages' own."""


def _fetched_by_reload(page: Page) -> dict[str, int]:
    """Bytes by address, without the browser's cache."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    urls: dict[str, str] = {}
    fetched: dict[str, int] = {}
    wire.on(
        "Network.requestWillBeSent", lambda sent: urls.update({sent["requestId"]: sent["request"]["url"]})
    )

    def finished(done: dict[str, str]) -> None:
        # What the page before the reload had asked for may end only now.
        if url := urls.get(done["requestId"]):
            fetched[url] = int(done["encodedDataLength"])

    wire.on("Network.loadingFinished", finished)
    page.reload()
    page.get_by_test_id("callback-state").wait_for()
    page.locator("html[data-letters]").wait_for(state="attached")  # at once, unless the machine is slow
    page.evaluate("document.fonts.ready")
    return fetched
