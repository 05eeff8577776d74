"""The citizens' app on a bad line, and killed in the midst: all arrives once, and resumes."""

import io
import os
import signal
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine, func, select

from db.engine import reading
from db.models import Picture, Request, Upload
from settings import Settings
from tests.factories import a_number
from tests.kit.bad_line import BadLine
from tests.kit.browser import person
from tests.kit.process import until
from tests.pages.citizens_app import SMALL, fits, opened, signs_in

TEXT = "چراغ کوچه خاموش است"
NO_MICROPHONE = """navigator.mediaDevices.getUserMedia =
  () => Promise.reject(new DOMException('no', 'NotAllowedError'))"""


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def telephone(chromium: Browser) -> Iterator[BrowserContext]:
    with person(chromium, locale="fa-IR", viewport=SMALL) as context:
        yield context


def photograph() -> bytes:
    """A photograph that no telephone shrinks much: noise."""
    file = io.BytesIO()
    Image.effect_noise((300, 300), 80).convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def write(page: Page, pictures: int) -> None:
    page.get_by_role("link", name="گزارش یک مشکل").click()
    street = {"name": "street.jpg", "mimeType": "image/jpeg"}
    page.get_by_test_id("choose").set_input_files(
        [street | {"buffer": photograph()} for _ in range(pictures)]  # type: ignore[dict-item]
    )
    expect(page.get_by_test_id("picture")).to_have_count(pictures)
    page.get_by_role("radio").nth(1).press(" ")


def finish(page: Page) -> None:
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()


def in_outbox(page: Page, state: str) -> None:
    row = page.get_by_test_id("outbox-row")
    expect(row).to_have_attribute("data-state", state, timeout=180_000)


def arrived(engine: Engine, number: str) -> tuple[int, int, int]:
    """How many requests, how many pictures of theirs, and how many bytes these had when they were sent."""
    with reading(engine) as session:
        count = session.scalar(select(func.count()).where(Request.number == number))
        pictures = session.scalar(select(func.count()).where(Picture.request_id.is_not(None)))
        size = session.scalar(select(func.sum(Upload.size)).where(Upload.kept.is_not(None)))
        return count or 0, pictures or 0, size or 0


def killed(chromium: Browser, page: Page) -> None:
    """Each process of this browser that draws a page is gone, without a word."""
    processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    with page.expect_event("crash"):
        for each in processes:
            if each["type"] == "renderer":
                os.kill(each["id"], signal.SIGKILL)
    page.close()


def test_request_over_an_interrupted_line_arrives_once(
    telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str
) -> None:
    with BadLine(tuple(settings.http), cuts=(8_000, 20_000)) as line:
        page = opened(telephone, line.url)
        signs_in(page, engine, settings, number)
        write(page, 2)
        page.get_by_label("چه شده است؟").fill(TEXT)
        line.slow = True
        finish(page)
        in_outbox(page, "arrived")
        count, pictures, size = arrived(engine, number)
    assert (count, pictures) == (1, 2)
    assert line.cut >= 4, "it was a bad line"
    assert line.up < 2 * size, "it went on where it broke"


def test_killed_page_loses_neither_draft_nor_upload(
    chromium: Browser, telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str
) -> None:
    with BadLine(tuple(settings.http)) as line:
        page = opened(telephone, line.url)
        signs_in(page, engine, settings, number)
        write(page, 1)
        page.get_by_test_id("record").click()
        expect(page.get_by_test_id("stop")).to_contain_text("۳ از ۶۰")
        killed(chromium, page)
        page = opened(telephone, line.url)
        in_outbox(page, "draft")
        page.get_by_role("link", name="ادامه").click()
        expect(page.get_by_test_id("picture")).to_have_count(1)
        expect(page.get_by_test_id("voice")).to_be_visible()
        expect(page.get_by_role("radio").nth(1)).to_be_checked()
        fits(page)
        line.slow = True
        finish(page)  # in no words: it was said
        until(lambda: line.up > 15_000, "it is on its way")
        killed(chromium, page)
        page = opened(telephone, line.url)
        in_outbox(page, "arrived")
    assert arrived(engine, number)[:2] == (1, 1)
    with reading(engine) as session:
        assert session.scalar(select(func.count(Upload.id))) == 1, "it went on where it was"
        request = session.scalars(select(Request)).one()
        assert request.written == "" and request.voice_message is not None
        assert (settings.messages_dir / request.voice_message).stat().st_size > 16_000


def test_refused_microphone_is_shown_and_the_request_sent(
    telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str
) -> None:
    telephone.add_init_script(NO_MICROPHONE)
    page = opened(telephone, url)
    signs_in(page, engine, settings, number)
    write(page, 1)
    page.get_by_test_id("record").click()
    expect(page.get_by_text("گوشی میکروفون نمی‌دهد", exact=False)).to_be_visible()
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()
    expect(page.get_by_text("بنویسید یا بگویید چه شده است.")).to_be_visible()
    page.get_by_label("چه شده است؟").fill(TEXT)
    page.get_by_role("button", name="ثبت گزارش").click()
    in_outbox(page, "arrived")
    assert arrived(engine, number)[:2] == (1, 1)
