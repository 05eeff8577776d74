"""What an operator's browser fetches before the desk can be used, over a slow line."""

from playwright.sync_api import Page

from db.models import Role
from tests.pages.conftest import OpenAs

LIMIT = 400_000
"""Bytes, as they cross the network."""


def test_given_an_empty_browser_when_the_desk_is_opened_then_it_fetches_less_than_400_kb(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    fetched = _fetched_by_reload(page)
    assert any(".js" in url for url in fetched) and any(".woff2" in url for url in fetched)
    assert sum(fetched.values()) < LIMIT, fetched


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
    page.evaluate("document.fonts.ready")
    return fetched
