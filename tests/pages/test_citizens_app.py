"""The citizens' app on a telephone: reports that are written without a network, and arrive once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine, func, select, text

from db.engine import reading, writing
from db.models import Picture, Request
from db.states import Phase, RequestState, RequestStep
from hotline.citizens import following, sessions
from hotline.ledger import seals
from hotline.line import registration
from hotline.requests import closing, lifecycle, work
from settings import Settings
from tests.factories import a_number, a_request, a_round
from tests.hotline.ledger.tampering import free_to_edit
from tests.kit import picture_files as files
from tests.kit.browser import person
from tests.pages.citizens_app import SMALL, fits, opened, signs_in

LOSES = """(() => {
  const ask = window.fetch
  window.__lost = []
  window.fetch = async (address, options) => {
    const answer = await ask(address, options)
    if (options?.method !== 'POST' || window.__lost.includes(address)) return answer
    window.__lost.push(address)
    throw new TypeError('the connection was reset')
  }
})()"""
"""The first answer of each address never comes, though it was heard there."""
TEXT = "چراغ کوچه خاموش است"


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def telephone(chromium: Browser) -> Iterator[BrowserContext]:
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        yield context


@pytest.fixture
def mine(telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str) -> Page:
    """The app of a citizen who is signed in."""
    page = opened(telephone, url)
    signs_in(page, engine, settings, number)
    return page


def begin(page: Page) -> None:
    page.get_by_role("link", name="گزارش یک مشکل").click()
    page.get_by_test_id("choose").set_input_files(
        {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg()}
    )
    expect(page.get_by_test_id("picture")).to_have_count(1)
    page.get_by_role("radio").nth(1).press(" ")
    page.get_by_label("چه شده است؟").fill(TEXT)


def finish(page: Page) -> None:
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()


def in_outbox(page: Page, state: str) -> None:
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", state)


def requests_of(engine: Engine, number: str) -> tuple[int, int]:
    """How many there are, and how many pictures."""
    with reading(engine) as session:
        count = session.scalar(select(func.count()).where(Request.number == number))
        pictures = session.scalar(select(func.count()).where(Picture.request_id.is_not(None)))
        return count or 0, pictures or 0


def test_request_written_offline_arrives_once_after_two_kills(
    mine: Page, telephone: BrowserContext, url: str, engine: Engine, number: str
) -> None:
    telephone.set_offline(True)
    begin(mine)
    mine.close()
    again = opened(telephone, url)
    again.get_by_role("link", name="گزارش‌ها", exact=True).click()
    expect(again.get_by_role("heading", name="هنوز نرفته، در همین گوشی: ۱")).to_be_visible()
    fits(again)
    in_outbox(again, "draft")
    again.get_by_role("link", name="ادامه").click()
    expect(again.get_by_label("چه شده است؟")).to_have_value(TEXT)
    expect(again.get_by_test_id("picture")).to_have_count(1)
    finish(again)
    in_outbox(again, "waiting")
    again.close()
    last = opened(telephone, url)
    in_outbox(last, "waiting")
    assert requests_of(engine, number) == (0, 0)
    telephone.set_offline(False)
    in_outbox(last, "arrived")
    assert requests_of(engine, number) == (1, 1)
    with reading(engine) as session:
        request = session.scalars(select(Request)).one()
        assert (request.written, request.place) == (TEXT, "روبه‌روی دبستان")


def test_request_with_lost_answers_arrives_once(mine: Page, engine: Engine, number: str) -> None:
    mine.add_init_script(LOSES)
    mine.reload()
    begin(mine)
    finish(mine)
    for count in (1, 2):
        mine.wait_for_function("(count) => window.__lost.length === count", arg=count)
        in_outbox(mine, "waiting")
        mine.evaluate("window.dispatchEvent(new Event('online'))")
    in_outbox(mine, "arrived")
    assert requests_of(engine, number) == (1, 1)


def test_picture_still_being_shrunk_is_sent_along(mine: Page, engine: Engine, number: str) -> None:
    mine.get_by_role("link", name="گزارش یک مشکل").click()
    mine.get_by_role("radio").nth(1).press(" ")
    mine.get_by_label("چه شده است؟").fill(TEXT)
    mine.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    mine.get_by_test_id("choose").set_input_files(
        {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg((3000, 2000))}
    )
    mine.get_by_role("button", name="ثبت گزارش").click()
    in_outbox(mine, "arrived")
    assert requests_of(engine, number) == (1, 1)


def test_remote_sign_out_clears_what_the_app_cached(
    mine: Page, telephone: BrowserContext, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        a_request(session, number=number)
    mine.goto(f"{url}/my/requests")
    expect(mine.locator("main .cards li")).to_have_count(1)
    mine.get_by_role("link", name="خانه").click()
    begin(mine)
    finish(mine)
    in_outbox(mine, "arrived")
    with writing(engine) as session:
        sessions.end_all(session, number)
    mine.reload()
    expect(mine.get_by_test_id("outbox-row")).to_have_count(0)
    mine.goto(f"{url}/my/requests")
    expect(mine.locator("main").get_by_role("link", name="ورود با شماره")).to_be_visible()
    telephone.set_offline(True)
    mine.reload()
    expect(mine.get_by_text("شبکه قطع است", exact=False)).to_be_visible()
    expect(mine.locator("main .cards li")).to_have_count(0)


def test_app_left_while_it_forgets_shows_nothing_kept(
    mine: Page, telephone: BrowserContext, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        a_request(session, number=number)
    mine.goto(f"{url}/my/requests")
    expect(mine.locator("main .cards li")).to_have_count(1)
    telephone.set_offline(True)
    mine.evaluate("localStorage.removeItem('hotline137.my.number')")  # signed out, and nothing forgotten yet
    mine.reload()
    expect(mine.locator("main").get_by_role("alert")).to_be_visible()
    expect(mine.locator("main .cards li")).to_have_count(0)


def test_refused_request_arrives_once_mended(
    mine: Page, telephone: BrowserContext, engine: Engine, number: str
) -> None:
    telephone.grant_permissions(["geolocation"])
    telephone.set_geolocation({"latitude": 35.7, "longitude": 51.4, "accuracy": 12})
    begin(mine)
    expect(mine.get_by_role("status").filter(has_text="نویسه")).to_have_count(0)
    mine.get_by_label("چه شده است؟").fill("ا" * 1400)
    expect(mine.get_by_text("۱۰۰ نویسهٔ دیگر جا دارد")).to_be_visible()
    mine.get_by_label("چه شده است؟").fill("ا" * 1600)
    expect(mine.get_by_text("بیش از ۱۵۰۰ نویسه نمی‌شود", exact=False)).to_be_visible()
    mine.get_by_role("button", name="همین‌جا که هستم").click()
    expect(mine.get_by_text("با دقت ۱۲ متر")).to_be_visible()
    mine.get_by_role("button", name="ثبت گزارش").click()
    in_outbox(mine, "refused")
    expect(mine.get_by_text("این نقطه بیرون از شهر است", exact=False)).to_be_visible()
    mine.get_by_role("button", name="اصلاح").click()
    mine.get_by_role("button", name="این نقطه نباشد").click()
    finish(mine)
    in_outbox(mine, "arrived")
    assert requests_of(engine, number) == (1, 1)


def test_request_waits_for_a_sign_in(
    telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str
) -> None:
    page = opened(telephone, url)
    begin(page)
    finish(page)
    in_outbox(page, "waiting")
    signs_in(page, engine, settings, number)
    in_outbox(page, "arrived")
    assert requests_of(engine, number) == (1, 1)


def test_following_a_nearby_request_creates_no_second(
    mine: Page, telephone: BrowserContext, engine: Engine, number: str
) -> None:
    telephone.grant_permissions(["geolocation"])
    telephone.set_geolocation({"latitude": 32.65, "longitude": 51.66, "accuracy": 12})
    with writing(engine) as session:
        other = a_request(session, category=2, latitude=32.65, longitude=51.66)
        tracking = other.tracking
    begin(mine)
    mine.get_by_role("button", name="همین‌جا که هستم").click()
    expect(mine.get_by_test_id("near")).to_have_count(1)
    fits(mine)
    mine.get_by_role("button", name="همان است؛ پیگیری می‌کنم").click()
    expect(mine.get_by_role("heading", name="آنچه پیگیری می‌کنم")).to_be_visible()
    with reading(engine) as session:
        (followed,) = following.list_followed(session, number)
        assert (followed.request.tracking, requests_of(engine, number)) == (tracking, (0, 0))
    mine.get_by_role("link", name="خانه").click()
    expect(mine.get_by_role("link", name="گزارش یک مشکل")).to_be_visible()
    expect(mine.get_by_test_id("outbox-row")).to_have_count(0)


def test_place_proof_checked_on_the_phone_reveals_forgery(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=number)
    with writing(engine) as session:
        seals.seal(session)
    mine.goto(f"{url}/my/rounds")
    mine.get_by_role("button", name="بررسی گواهی در همین گوشی").click()
    expect(mine.get_by_test_id("proof")).to_have_attribute("data-state", "proven")
    fits(mine)
    mine.evaluate(
        "localStorage.setItem('hotline137.my.seal', JSON.stringify({ size: 1, root: 'f'.repeat(64) }))"
    )
    mine.get_by_role("button", name="بررسی گواهی در همین گوشی").click()
    expect(mine.get_by_test_id("proof")).to_have_attribute("data-state", "broken")


def test_history_proof_checked_on_the_phone_reveals_forgery(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        request = a_request(session, number=number)
        work.reply(session, request, who="d", reply="چراغ عوض شد")
        seals.seal(session)
        tracking = request.tracking
    check = mine.get_by_role("button", name="بررسی گواهی در همین گوشی")
    mine.goto(f"{url}/my/requests/{tracking}")
    check.click()
    expect(mine.get_by_test_id("proof")).to_have_attribute("data-state", "proven")
    fits(mine)
    with writing(engine) as session:
        free_to_edit(session, "request_history")
        session.execute(text("UPDATE request_history SET note = 'چراغ عوض نشد'"))
    mine.reload()
    check.click()
    expect(mine.get_by_test_id("proof")).to_have_attribute("data-state", "broken")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_each_app_page_fits_a_small_telephone(
    mine: Page, url: str, engine: Engine, number: str, language: str
) -> None:
    with writing(engine) as session:
        a_round(session)
        request = a_request(session, number=number, state=RequestState.REPLIED, reply="چراغ عوض شد")
        tracking = request.tracking
        rated = a_request(session, number=number)
        work.reply(session, rated, who="d", reply="چراغ عوض شد")
        closing.answer(session, rated.id, solved=True)
    for path in ("", "/report", "/requests", f"/requests/{tracking}", "/rounds", "/account", "/sign-in"):
        mine.goto(f"{url}/my{path}?lang={language}")
        mine.locator("main h1").wait_for()
        expect(mine.get_by_text("کمی صبر کنید…" if language == "fa" else "One moment…")).to_have_count(0)
        fits(mine)
    expect(mine.locator("html")).to_have_attribute("lang", language)
    for pages in ("my", "public/my"):
        mine.goto(f"{url}/{pages}/requests/{rated.tracking}")
        mine.locator(".stars button").nth(4).wait_for()
        fits(mine)
        at = {round((box.bounding_box() or {"y": 0.0})["y"]) for box in mine.locator(".stars button").all()}
        assert len(at) == 1, "all five in one row"


def test_denied_answer_with_a_reason_reopens_the_request(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        request = a_request(session, number=number, state=RequestState.REPLIED, reply="چراغ عوض شد")
        tracking = request.tracking
    mine.goto(f"{url}/my/requests/{tracking}")
    mine.get_by_role("button", name="نه، حل نشده است").click()
    mine.get_by_label("چه چیزی حل نشده است؟").fill("هنوز تاریک است")
    mine.reload()
    expect(mine.get_by_label("چه چیزی حل نشده است؟")).to_have_value("هنوز تاریک است")
    mine.get_by_test_id("choose").set_input_files(
        {"name": "dark.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg()}
    )
    expect(mine.get_by_test_id("picture")).to_have_count(1)
    fits(mine)
    mine.reload()
    expect(mine.get_by_test_id("picture")).to_have_count(1)
    mine.context.set_offline(True)
    mine.get_by_role("button", name="فرستادن").click()
    expect(mine.get_by_test_id("objection")).to_have_attribute("data-state", "waiting")
    context = mine.context
    mine.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"{url}/my/requests/{tracking}")
    expect(page.get_by_test_id("state")).to_contain_text("حل نشده")
    assert requests_of(engine, number) == (1, 1)


def test_answer_in_the_app_reaches_the_department(mine: Page, url: str, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        request = a_request(session, RequestState.ASKED, number=number)
        lifecycle.log(session, request, RequestStep.ASKED, "roads", "کدام کوچه؟")
        id_, tracking = request.id, request.tracking
    mine.goto(f"{url}/my/requests/{tracking}")
    expect(mine.get_by_text("کدام کوچه؟").first).to_be_visible()
    mine.get_by_label("پاسخ شما").fill("کوچهٔ سوم")
    fits(mine)
    mine.get_by_role("button", name="فرستادن").click()
    expect(mine.get_by_label("پاسخ شما")).to_have_count(0)
    with reading(engine) as session:
        steps = lifecycle.list_steps(session, session.get_one(Request, id_))
        assert (steps[-1].step, steps[-1].note) == (RequestStep.ANSWERED, "کوچهٔ سوم")


def test_merged_request_shows_the_answer_of_the_other(
    mine: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        first, own = a_request(session, number=a_number()), a_request(session, number=number)
        closing.merge(session, own.id, first.id, who="u")
        work.reply(session, first, who="d", reply="چراغ عوض شد")
        tracking = own.tracking
    mine.goto(f"{url}/my/requests/{tracking}")
    expect(mine.get_by_text("هر دو گزارش با هم پیگیری می‌شوند", exact=False)).to_be_visible()
    expect(mine.get_by_text("چراغ عوض شد")).to_be_visible()
    expect(mine.get_by_test_id("state")).to_have_text("پاسخ داده شد: حل شده است")
    expect(mine.get_by_text("آیا حل شده است؟", exact=False)).to_have_count(0)
    fits(mine)
    mine.get_by_role("link", name="گزارش‌های من").click()
    expect(mine.get_by_text("پاسخ داده شد: حل شده است")).to_be_visible()
