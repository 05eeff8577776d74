"""The citizen's phone in the browser, where the city has switched it on."""

from playwright.sync_api import Browser, expect

from tests.kit.browser import person


def test_phone_page_switches_to_english(chromium: Browser, url: str) -> None:
    line = {"number": "+989131112233", "username": "a", "password": "b", "sip_uri": "sip:a@127.0.0.1"}
    with person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        page.route(
            "**/api/v1/browser-phone",
            lambda route: route.fulfill(json={"lines": [line], "websocket_url": "ws://127.0.0.1:9/ws"}),
        )
        page.goto(f"{url}/phone")
        expect(page.get_by_role("heading", name="تلفن شهروند")).to_be_visible()
        page.get_by_test_id("language").click()
        expect(page.get_by_role("heading", name="A citizen’s phone")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")
