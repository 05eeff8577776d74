"""A citizen with the app on a telephone."""

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine, select

from db.engine import reading
from db.models import CitizenCode
from hotline.citizens import codes
from settings import Settings
from tests.kit.pages import axe_finds
from tests.kit.process import until

SMALL = {"width": 360, "height": 740}
KEPT = """async () => {
  await navigator.serviceWorker.ready
  const look = await caches.open('look')
  return navigator.serviceWorker.controller !== null && (await look.keys()).length > 0
}"""


def opened(context: BrowserContext, url: str, path: str = "") -> Page:
    """The app, there without a network from now on."""
    page = context.new_page()
    page.goto(f"{url}/my{path}")
    page.locator("nav.tabs").wait_for()
    until(lambda: page.evaluate(KEPT), "the worker looks after the page")
    return page


def signs_in(page: Page, engine: Engine, settings: Settings, number: str) -> None:
    """Sign in by the form, with the code that the number's telephone was given."""
    page.get_by_role("link", name="ورود با شماره").first.click()
    page.get_by_label("شمارهٔ تلفن").fill(number)
    page.get_by_role("button", name="کد را بفرست").click()
    code = page.get_by_label("کد شش‌رقمی")
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    with reading(engine) as session:
        newest = select(CitizenCode).where(CitizenCode.number == number).order_by(CitizenCode.id.desc())
        code.fill(codes.read_digits(session.scalars(newest).first(), settings))
    page.get_by_role("button", name="ورود", exact=True).click()
    page.get_by_role("link", name="گزارش یک مشکل").wait_for()


def fits(page: Page) -> None:
    """Everybody can use it as it stands, at the smallest width."""
    wrong = axe_finds(page)
    assert not wrong, (page.url, wrong)
    expect(page.locator("html")).to_have_js_property("scrollWidth", SMALL["width"])
