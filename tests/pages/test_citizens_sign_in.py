"""The sign-in form of the citizens' app, in a city that sends codes by text message and by call."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import CitizenCode, CodeWay, Request
from hotline import numbers
from hotline.citizens import codes
from settings import Settings
from tests.factories import a_number, a_request
from tests.kit.browser import person
from tests.pages.citizens_app import SMALL, fits

CODES = "**/api/v1/my/codes"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_provider": "console"})


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """Without the worker, whose requests no test can hold back."""
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[], service_workers="block") as context:
        yield context.new_page()


def ask(page: Page, number: str) -> None:
    page.get_by_label("شمارهٔ تلفن").fill(number)
    page.get_by_role("button", name="کد را بفرست").click()


def ways_of(engine: Engine) -> list[CodeWay]:
    with reading(engine) as session:
        return list(session.scalars(select(CitizenCode.way)))


def test_late_list_of_ways_keeps_the_form_from_calling(page: Page, url: str, engine: Engine) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET":
            held.append(route)
        else:
            route.continue_()

    page.route(CODES, hold)
    page.goto(f"{url}/my/sign-in")
    page.get_by_label("شمارهٔ تلفن").fill(a_number())
    page.get_by_label("شمارهٔ تلفن").press("Enter")
    expect(page.get_by_role("button", name="کد را بفرست")).to_be_disabled()
    for route in held:
        route.continue_()
    expect(page.get_by_label("با پیامک")).to_be_checked()
    fits(page)
    page.get_by_role("button", name="کد را بفرست").click()
    page.get_by_label("کد شش‌رقمی").wait_for()
    assert ways_of(engine) == [CodeWay.SMS]


def test_lost_list_of_ways_can_be_asked_for_again(page: Page, url: str) -> None:
    page.route(CODES, lambda route: route.abort())
    page.goto(f"{url}/my/sign-in")
    expect(page.get_by_role("alert").filter(has_text="پاسخی نرسید")).to_be_visible()
    page.unroute(CODES)
    page.get_by_role("button", name="دوباره امتحان کنید").click()
    expect(page.get_by_label("با پیامک")).to_be_checked()


def test_way_that_is_gone_is_not_replaced_by_a_call(page: Page, url: str, engine: Engine) -> None:
    page.goto(f"{url}/my/sign-in")
    expect(page.get_by_label("با پیامک")).to_be_checked()
    held: list[Route] = []
    page.route(CODES, lambda route: held.append(route))  # noqa: PLW0108  (Playwright looks into it)
    page.reload()
    expect(page.get_by_label("با پیامک")).to_be_checked()
    page.route(CODES, lambda route: route.fulfill(json={"ways": ["call"]}))
    for route in held:
        route.fulfill(json={"ways": ["call"]})
    expect(page.get_by_label("با پیامک")).to_have_count(0)
    page.unroute(CODES)
    ask(page, a_number())
    expect(page.get_by_role("alert").filter(has_text="بگویید کد چگونه برسد")).to_be_visible()
    assert ways_of(engine) == []
    page.get_by_label("با تماس از ۱۳۷").check()
    expect(page.get_by_role("alert").filter(has_text="بگویید کد چگونه برسد")).to_have_count(0)


def test_wrong_number_is_told_at_its_field_until_mended(page: Page, url: str) -> None:
    page.goto(f"{url}/my/sign-in")
    field = page.get_by_label("شمارهٔ تلفن")
    ask(page, "12")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("این شمارهٔ تلفن درست نیست.")
    expect(page.get_by_role("alert").filter(has_text="این شمارهٔ تلفن درست نیست")).to_be_visible()
    fits(page)
    field.fill("0913")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("این شمارهٔ تلفن درست نیست")).to_have_count(0)


def at_public_page(page: Page, url: str, engine: Engine, settings: Settings, number: str) -> None:
    """Sign in on the page without a script."""
    page.goto(f"{url}/public/my")
    page.get_by_label("شمارهٔ تلفن").fill(number)
    page.locator("button[value=sms]").click()
    with reading(engine) as session:
        newest = select(CitizenCode).where(CitizenCode.number == number).order_by(CitizenCode.id.desc())
        page.locator("#code").fill(codes.read_digits(session.scalars(newest).first(), settings))
    page.locator("form.ask button").click()
    page.get_by_text(masked(number)).wait_for()


def masked(number: str) -> str:
    return numbers.format_national(numbers.mask(number))


def test_sign_in_at_the_public_page_is_one_in_the_app(
    page: Page, url: str, engine: Engine, settings: Settings
) -> None:
    page.goto(f"{url}/my/account")
    expect(page.get_by_text("وارد نشده‌اید")).to_be_visible()
    for each in (a_number(), a_number()):
        at_public_page(page, url, engine, settings, each)
        page.goto(f"{url}/my/account")
        expect(page.get_by_text(masked(each))).to_be_visible()
        expect(page.get_by_text("وارد نشده‌اید")).to_have_count(0)
        fits(page)
        page.goto(f"{url}/public/my")
        page.get_by_role("button", name="خروج").click()
    page.goto(f"{url}/my/account")
    expect(page.get_by_text("وارد نشده‌اید")).to_be_visible()


def sign_out(page: Page, url: str) -> None:
    page.goto(f"{url}/public/my")
    page.get_by_role("button", name="خروج").click()


def focus(page: Page) -> None:
    """Return to a page as a person does; Chromium without a head calls every page focused, all the time."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_page_left_open_forgets_the_number_before(
    page: Page, url: str, engine: Engine, settings: Settings
) -> None:
    """Another tab signs in by another number, and then out, at the page without a script."""
    first, second = a_number(), a_number()
    with writing(engine) as session:
        shown, other = (a_request(session, number=each).tracking for each in (first, second))
    at_public_page(page, url, engine, settings, first)
    page.goto(f"{url}/my/requests")
    expect(page.locator(f"main a[href$='{shown}']")).to_be_visible()
    elsewhere = page.context.new_page()
    sign_out(elsewhere, url)
    at_public_page(elsewhere, url, engine, settings, second)
    focus(page)
    expect(page.locator(f"main a[href$='{other}']")).to_be_visible()
    expect(page.locator(f"main a[href$='{shown}']")).to_have_count(0)
    sign_out(elsewhere, url)
    focus(page)
    expect(page.locator("main").get_by_role("link", name="ورود با شماره")).to_be_visible()
    expect(page.locator("main .cards li")).to_have_count(0)


def test_report_of_one_number_does_not_go_under_another(
    page: Page, url: str, engine: Engine, settings: Settings
) -> None:
    """The other number has signed in here, at the public page, since the report was finished."""
    at_public_page(page, url, engine, settings, a_number())
    page.goto(f"{url}/my")
    expect(page.get_by_text("وارد نشده‌اید")).to_have_count(0)
    page.route("**/api/v1/my/requests", lambda route: route.abort())
    page.get_by_role("link", name="گزارش یک مشکل").click()
    page.get_by_role("radio").nth(1).press(" ")
    page.get_by_label("چه شده است؟").fill("چراغ کوچه خاموش است")
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", "waiting")
    page.goto(f"{url}/public/my")
    page.get_by_role("button", name="خروج").click()
    at_public_page(page, url, engine, settings, a_number())
    page.unroute("**/api/v1/my/requests")
    page.goto(f"{url}/my")
    expect(page.get_by_role("button", name="با همین شماره بفرست")).to_be_visible()
    with reading(engine) as session:
        assert session.scalars(select(Request)).all() == []
