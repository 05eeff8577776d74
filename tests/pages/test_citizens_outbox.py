"""Reports and objections that are still on a citizen's telephone: seen, mended, thrown away, sent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine, func, select

from db.engine import reading, writing
from db.models import Picture, Request
from db.states import RequestState
from hotline.citizens import reports
from settings import Settings
from tests.factories import a_number, a_request
from tests.kit import picture_files as files
from tests.kit.browser import person
from tests.pages.citizens_app import SMALL, fits, opened, signs_in

FULL = """(() => {
  const full = () => { throw new DOMException('no room', 'QuotaExceededError') }
  IDBObjectStore.prototype.put = full
  IDBCursor.prototype.update = full
  Storage.prototype.setItem = full
})()"""
"""Fails every write for want of room from now on."""


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def telephone(chromium: Browser) -> Iterator[BrowserContext]:
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=["geolocation"]) as context:
        context.set_geolocation({"latitude": 32.65, "longitude": 51.66, "accuracy": 12})
        yield context


@pytest.fixture
def mine(telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str) -> Page:
    page = opened(telephone, url)
    signs_in(page, engine, settings, number)
    return page


def write(page: Page, words: str = "چراغ کوچه خاموش است") -> None:
    page.get_by_role("link", name="گزارش یک مشکل").click()
    page.get_by_role("radio").nth(1).press(" ")
    page.get_by_label("چه شده است؟").fill(words)


def finish(page: Page) -> None:
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()


def written(engine: Engine, number: str) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(Request.written).where(Request.number == number)))


def test_waiting_report_is_mended_and_thrown_away(
    mine: Page, telephone: BrowserContext, engine: Engine, number: str
) -> None:
    telephone.set_offline(True)
    for words in ("چراغ کوچه خاموش است", "آسفالت گود است"):
        write(mine, words)
        finish(mine)
        mine.get_by_test_id("outbox-row").filter(has_text=words).wait_for()
    fits(mine)
    row = mine.get_by_test_id("outbox-row").filter(has_text="آسفالت گود است")
    mine.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="دور انداختن").click()
    expect(row).to_have_count(0)
    mine.get_by_test_id("outbox-row").get_by_role("button", name="اصلاح").click()
    mine.get_by_label("چه شده است؟").fill("چراغ دو کوچه خاموش است")
    mine.get_by_role("button", name="ثبت گزارش").click()
    expect(mine.get_by_test_id("outbox-row")).to_have_attribute("data-state", "waiting")
    telephone.set_offline(False)
    expect(mine.get_by_test_id("outbox-row")).to_have_attribute("data-state", "arrived")
    assert written(engine, number) == ["چراغ دو کوچه خاموش است"]


def test_full_phone_sends_a_report_with_its_picture(mine: Page, engine: Engine, number: str) -> None:
    write(mine)
    mine.get_by_test_id("choose").set_input_files(
        {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg()}
    )
    expect(mine.get_by_test_id("picture")).to_have_count(1)
    mine.evaluate(FULL)
    finish(mine)
    expect(mine.get_by_role("heading", name="گزارش", exact=False).first).to_contain_text("گزارش")
    expect(mine.get_by_test_id("state")).to_have_text("در انتظار بررسی")
    assert len(written(engine, number)) == 1
    with reading(engine) as session:
        assert session.scalar(select(func.count()).where(Picture.request_id.is_not(None))) == 1


def test_full_phone_without_a_network_says_so(mine: Page, telephone: BrowserContext) -> None:
    write(mine)
    telephone.set_offline(True)
    mine.evaluate(FULL)
    finish(mine)
    expect(mine.get_by_role("alert").filter(has_text="گوشی جایی برای نگهداری ندارد")).to_be_visible()


def test_report_of_nobody_asks_about_near_ones_once_signed_in(
    telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str
) -> None:
    with writing(engine) as session:
        a_request(session, category=2, latitude=32.65, longitude=51.66)
    page = opened(telephone, url)
    write(page)
    page.get_by_role("button", name="همین‌جا که هستم").click()
    expect(page.get_by_text("با دقت ۱۲ متر")).to_be_visible()
    finish(page)
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", "waiting")
    signs_in(page, engine, settings, number)
    row = page.get_by_test_id("outbox-row")
    expect(row).to_contain_text("نزدیک همین‌جا همین گزارش شده است")
    fits(page)
    assert written(engine, number) == []
    row.get_by_role("button", name="می‌بینم").click()
    expect(page.get_by_test_id("near")).to_have_count(1)
    page.get_by_role("link", name="خانه").click()
    page.get_by_test_id("outbox-row").get_by_role("link", name="ادامه").click()
    page.get_by_role("button", name="ثبت گزارش").click()
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", "arrived")
    assert len(written(engine, number)) == 1


def test_errors_stand_at_their_fields_until_mended(mine: Page) -> None:
    mine.get_by_role("link", name="گزارش یک مشکل").click()
    mine.get_by_role("button", name="ثبت گزارش").click()
    topic = mine.get_by_role("group", name="مشکل چیست؟")
    expect(topic).to_have_accessible_description("بگویید مشکل چیست.")
    words, address = (mine.get_by_label(name) for name in ("چه شده است؟", "نشانی یا نشانه‌ای در نزدیکی"))
    expect(mine.get_by_role("alert").filter(has_text="بنویسید یا بگویید")).to_be_visible()
    for field in (words, address):
        expect(field).to_have_attribute("aria-invalid", "true")
    fits(mine)
    words.fill("چراغ کوچه خاموش است")
    expect(words).not_to_have_attribute("aria-invalid", "true")
    expect(mine.get_by_text("بنویسید یا بگویید چه شده است.")).to_have_count(0)
    expect(address).to_have_attribute("aria-invalid", "true")
    mine.get_by_role("radio").nth(1).press(" ")
    expect(mine.get_by_text("بگویید مشکل چیست.")).to_have_count(0)


def test_objection_of_a_second_telephone_is_no_dead_end(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        request = a_request(session, number=number, state=RequestState.REPLIED, reply="چراغ عوض شد")
        tracking = request.tracking
    mine.goto(f"{url}/my/requests/{tracking}")
    mine.get_by_role("button", name="نه، حل نشده است").click()
    mine.get_by_label("چه چیزی حل نشده است؟").fill("هنوز تاریک است")
    with writing(engine) as session:  # said from another telephone meanwhile
        reports.object_to(session, number, tracking, reports.Objection(reason="هنوز خاموش است"))
    mine.get_by_role("button", name="فرستادن").click()
    refused = mine.get_by_test_id("objection").or_(mine.get_by_test_id("stale-objection"))
    expect(refused.get_by_role("link", name="گزارش", exact=False)).to_be_visible()
    expect(refused.get_by_role("button", name="اصلاح")).to_have_count(0)
    mine.reload()
    left = mine.get_by_test_id("stale-objection")
    expect(left).to_contain_text("هنوز تاریک است")
    fits(mine)
    mine.once("dialog", lambda dialog: dialog.accept())
    left.get_by_role("button", name="دور انداختن").click()
    expect(left).to_have_count(0)


def test_request_shows_department_and_voice_while_it_has_them(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        request = a_request(
            session, RequestState.REFERRED, number=number, written="", voice_message="voice.wav"
        )
        id_, tracking = request.id, request.tracking
    mine.goto(f"{url}/my/requests/{tracking}")
    expect(mine.get_by_text("اکنون در دست", exact=True)).to_be_visible()
    expect(mine.get_by_text("با صدای خود گفته‌اید", exact=False)).to_be_visible()
    fits(mine)
    with writing(engine) as session:
        request = session.get_one(Request, id_)
        request.state, request.due_at = RequestState.CLOSED, None
    mine.reload()
    expect(mine.get_by_test_id("state")).to_have_text("پایان‌یافته")
    expect(mine.get_by_text("اکنون در دست", exact=True)).to_have_count(0)


def test_app_without_scripts_leads_to_telephone_and_plain_pages(chromium: Browser, url: str) -> None:
    with person(chromium, locale="fa-IR", viewport=SMALL, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{url}/my/report")
        expect(page.get_by_role("link", name="شماره‌گیری ۱۳۷")).to_have_attribute("href", "tel:137")
        page.get_by_role("link", name="پیگیری با شماره").click()
        expect(page.get_by_role("textbox")).to_be_visible()
