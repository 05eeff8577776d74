"""The set-up page: what is set, what is missing, and a test call of which each step is seen."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from db.engine import writing
from db.models import Role, TrialResult
from hotline.setup import trial_calls
from settings import Settings
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A city with two lines."""
    (one,) = settings.trunks
    trunks = tuple(one.model_copy(update={"name": name}) for name in ("first", "second"))
    return settings.model_copy(update={"trunks": trunks})


def test_each_step_of_a_test_call_is_shown(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.ADMINISTRATOR, "setup")
    expect(page.get_by_test_id("set-up-city")).to_have_attribute("data-state", "missing")
    expect(page.get_by_test_id("sample-city")).to_be_visible()
    page.get_by_test_id("trial-call-go").click()
    expect(page.locator("[data-field=number]")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("trial-call-number").fill("۰۹۱۳۱۲۳۴۵۶۷")
    page.get_by_test_id("trial-call-trunk").select_option("second")
    page.get_by_test_id("trial-call-go").dblclick()
    row = page.get_by_test_id("trial")
    expect(row).to_contain_text("در انتظار گرفتن")
    with writing(engine) as session:
        due = trial_calls.find_due(session)
        assert due
        call = trial_calls.take_up(session, due)
        assert call and call.token and call.trunk == "second"
        token = call.token
        trial_calls.record_ringing(session, token, "second")
    expect(row).to_contain_text("زنگ می‌خورد")
    with writing(engine) as session:
        trial_calls.record_refusal(session, token, "second", 486, goes_on=False)
        trial_calls.record_end(session, token, TrialResult.BUSY)
    expect(row).to_contain_text("مشغول بود")
    expect(row).to_contain_text("شبکه گفت: ۴۸۶")
    is_fit(page)
    page.get_by_test_id("language").click()
    expect(row).to_contain_text("busy")
    is_fit(page)


def test_manual_opens_from_the_setup_page_and_fits(open_as: OpenAs) -> None:
    page = open_as(Role.ADMINISTRATOR, "setup")
    page.get_by_test_id("manual").click()
    expect(page.locator("article.manual h1")).to_be_visible()
    for file in ("operate/night.md", "fa/technician.md"):
        page.goto(f"{page.url.split('/docs')[0]}/docs/{file}")
        for width in (1440, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (file, width)
