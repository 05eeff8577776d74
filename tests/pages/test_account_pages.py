"""Signing in with a second factor, and one's own account, in a real browser."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Role, SignIn, User
from hotline.people import sign_ins
from hotline.setup import first_visit
from settings import Settings
from tests.factories import PASSWORD, a_desk, a_user
from tests.kit.browser import person
from tests.kit.pages import answered, is_fit

NEW = "a longer password 137"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Default settings: the administrator's role needs a second factor."""
    return settings.model_copy(update={"second_factor_roles": ("administrator",)})


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with person(chromium, locale="fa-IR") as opened:
        yield opened


def sign_in(page: Page, url: str, username: str, password: str = PASSWORD) -> None:
    page.goto(url)
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("submit").click()


def sign_out(page: Page) -> None:
    """Sign out and wait for the answer. Leaving the page earlier would delay the sign-out."""
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("username")).to_have_value("")


def test_first_sign_in_of_an_administrator_sets_up_the_factor(
    context: BrowserContext, url: str, engine: Engine
) -> None:
    with writing(engine) as session:
        user = a_user(session, username="admin")
        user.role, user.password_given = Role.ADMINISTRATOR, True
    page = context.new_page()
    sign_in(page, url, "admin")
    expect(page.get_by_test_id("new-password")).to_be_visible()
    page.goto(f"{url}/rounds")  # nothing else is in reach
    page.get_by_test_id("new-password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    described = page.get_by_test_id("new-password")
    expect(described).to_have_accessible_description(re.compile("همان رمزی است"))
    is_fit(page)
    described.fill(NEW)
    page.get_by_test_id("submit").press("Enter")
    totp = pyotp.TOTP(page.get_by_test_id("key").inner_text().replace(" ", ""))
    page.goto(f"{url}/rounds")  # nothing else is in reach, and the same key is offered again
    assert page.get_by_test_id("key").inner_text().replace(" ", "") == totp.secret
    is_fit(page)
    page.get_by_test_id("code").fill("000000")
    page.get_by_test_id("confirm-factor").click()
    expect(page.get_by_test_id("code")).to_have_accessible_description(re.compile("این کد درست نیست"))
    used = totp.now()
    page.get_by_test_id("code").fill(used)
    page.get_by_test_id("confirm-factor").click()
    codes = page.get_by_test_id("recovery-codes").locator("li")
    expect(codes).to_have_count(10)
    kept = codes.first.inner_text()
    assert "۰" <= kept[0] <= "۹"
    is_fit(page)
    page.get_by_test_id("noted").click()
    sign_out(page)

    sign_in(page, url, "admin", NEW)
    page.get_by_test_id("code").fill(used)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("code")).to_have_accessible_description(re.compile("این کد درست نیست"))
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("code")).to_have_accessible_description(re.compile("used already"))
    is_fit(page)
    page.get_by_test_id("code").fill(kept)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("sign-out").wait_for()
    page.get_by_test_id("my-account").click()
    expect(page.get_by_test_id("factor-state")).to_contain_text(
        "Recovery codes left: 9. Your role asks for it."
    )
    refusals = ("401", "403", "422")
    said = [one for one in context.complaints if not any(map(one.__contains__, refusals))]  # type: ignore[attr-defined]
    assert said == []


def test_setup_code_admits_the_first_administrator(
    context: BrowserContext, url: str, engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        code = first_visit.make_code(session, settings)
    page = context.new_page()
    page.goto(url)
    code_field = page.get_by_test_id("setup-code")
    expect(code_field).to_have_accessible_description(re.compile("hotline137 setup-code$"))
    page.get_by_test_id("setup-code").fill("wrong")
    page.get_by_test_id("name").fill("مدیر سامانه")
    page.get_by_test_id("new-password").fill(NEW)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("setup-code")).to_have_accessible_description(re.compile("این کد درست نیست"))
    is_fit(page)
    page.get_by_test_id("setup-code").fill(code)
    page.keyboard.press("Enter")
    totp = pyotp.TOTP(page.get_by_test_id("key").inner_text().replace(" ", ""))
    page.get_by_test_id("code").fill(totp.now())
    page.get_by_test_id("confirm-factor").click()
    expect(page.get_by_test_id("recovery-codes").locator("li")).to_have_count(10)
    page.reload()
    expect(page.get_by_test_id("codes-help")).to_contain_text("جایگزین کنید")
    is_fit(page)
    expect(page.get_by_test_id("recovery-codes")).to_have_count(0)
    page.get_by_test_id("noted").click()
    page.get_by_test_id("sign-out").wait_for()
    expect(page.get_by_test_id("set-up-trunk")).to_be_visible()  # what is to be set next
    sign_out(page)
    page.goto(f"{url}/setup")
    expect(page.get_by_test_id("password")).to_be_visible()
    expect(page.get_by_test_id("setup-code")).to_have_count(0)


def test_late_answer_of_the_first_step_keeps_the_second(
    context: BrowserContext, url: str, engine: Engine
) -> None:
    with writing(engine) as session:
        a_user(session, username="admin").role = Role.ADMINISTRATOR
    page = context.new_page()
    before: list[tuple[Route, APIResponse]] = []

    def late(route: Route) -> None:
        if route.request.method == "GET":
            before.append((route, answered(route)))
        else:
            route.continue_()

    page.route("**/api/v1/session", late)
    sign_in(page, url, "admin")
    page.get_by_test_id("key").wait_for()
    for route, answer in before:
        route.fulfill(response=answer)
    page.get_by_test_id("code").fill("000000")
    page.get_by_test_id("confirm-factor").click()
    expect(page.get_by_test_id("code")).to_have_accessible_description(re.compile("این کد درست نیست"))
    assert before


def test_own_account_changes_password_pin_factor_and_sessions(
    context: BrowserContext, url: str, engine: Engine
) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session), username="operator")
        sign_ins.sign_in(
            session, user, address="198.51.100.7", agent="Mozilla/5.0 (iPad) Version/26 Safari/605"
        )
        sign_ins.sign_in(session, user, address="2001:db8::137", agent="")
    page = context.new_page()
    sign_in(page, url, "operator")
    page.get_by_test_id("my-account").click()
    sessions = page.get_by_test_id("session")
    expect(sessions).to_have_count(3)
    expect(sessions.filter(has_text="Safari در iPad")).to_contain_text("198.51.100.7")
    is_fit(page)
    sessions.filter(has_text="iPad").get_by_test_id("end-session").click()
    expect(sessions).to_have_count(2)

    for form in ("pin", "password", "pin"):  # each marks, and leads to, what is its own
        page.get_by_test_id(f"save-{form}").click()
        expect(page.get_by_test_id(f"present-for-{form}")).to_be_focused()
        expect(page.get_by_test_id(f"present-for-{form}")).to_have_accessible_description("این را بنویسید.")
    page.get_by_test_id("present-for-pin").fill(PASSWORD)
    page.get_by_test_id("new-pin").fill("۲۴۶۸۰")
    page.get_by_test_id("save-pin").click()
    expect(page.get_by_text("رمز تلفن دارید.")).to_be_visible()

    page.get_by_test_id("set-up-factor").click()
    expect(page.get_by_test_id("present-for-factor")).to_be_focused()
    page.get_by_test_id("present-for-factor").fill(NEW)
    page.get_by_test_id("set-up-factor").click()
    expect(page.get_by_test_id("present-for-factor")).to_have_accessible_description(
        "رمز عبور کنونی درست نیست."
    )
    page.get_by_test_id("present-for-factor").fill(PASSWORD)
    page.get_by_test_id("set-up-factor").click()
    totp = pyotp.TOTP(page.get_by_test_id("key").inner_text().replace(" ", ""))
    page.get_by_test_id("code").fill(totp.now())
    page.get_by_test_id("confirm-factor").click()
    page.get_by_test_id("noted").click()
    expect(page.get_by_test_id("factor-state")).to_contain_text("روشن است. ۱۰ کد بازیابی")
    expect(sessions).to_have_count(1)
    page.get_by_test_id("present-for-factor").fill(PASSWORD)
    page.get_by_test_id("remove-factor").click()
    expect(page.get_by_test_id("factor-state")).to_contain_text("خاموش است")

    page.get_by_test_id("present-for-password").fill(PASSWORD)
    page.get_by_test_id("new-password").fill("12345678")
    page.get_by_test_id("save-password").click()
    expect(page.get_by_text("به‌آسانی حدس زده می‌شود")).to_be_visible()
    expect(page.get_by_test_id("new-password")).to_be_focused()
    page.get_by_test_id("new-password").fill(NEW)
    page.get_by_test_id("save-password").click()
    expect(page.get_by_text("ذخیره شد.").last).to_be_visible()
    sign_out(page)
    sign_in(page, url, "operator", NEW)
    page.get_by_test_id("sign-out").wait_for()
    with reading(engine) as session:
        assert session.scalars(select(User.totp_salt)).all() == [None]
        assert len(session.scalars(select(SignIn)).all()) == 1
