"""Duplicates in the office, and requests that are none."""

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from db.engine import writing
from db.models import Request
from hotline.requests import parts, work
from hotline.requests.parts import Piece
from hotline.requests.referrals import agency_referrals
from hotline.requests.referrals.agency_referrals import Passing
from tests.factories import a_request, a_user
from tests.kit.browser import person
from tests.kit.pages import go, is_fit


def test_part_merged_again_is_no_duplicate(office: Page, engine: Engine) -> None:
    with writing(engine) as session:
        whole = a_request(session)
        one, _ = work.split(session, whole, [Piece(1, "چراغ خاموش است"), Piece(2, "نشست")], who="u")
        alike = a_request(session, category=1, written="چراغ خاموش است")
    go(office, f"requests/{one.id}")
    expect(office.get_by_test_id("probable")).to_contain_text(alike.written)
    expect(office.get_by_test_id("merge")).to_have_count(0)  # a part ends with its whole
    with writing(engine) as session:
        parts.join(session, session.get_one(Request, whole.id), who="u")
    facts = office.get_by_test_id("facts")
    expect(facts).to_have_attribute("data-state", "duplicate")
    expect(facts).to_contain_text("دوباره با گزارش اصلی یکی شد")
    expect(facts).not_to_contain_text("تکراری")
    expect(office.get_by_test_id("part-of").get_by_role("link")).to_be_visible()
    expect(office.get_by_test_id("separate")).to_have_count(0)
    is_fit(office)


def test_duplicate_with_an_agency_asks_first_and_tells_it(
    office: Page, chromium: Browser, engine: Engine, url: str
) -> None:
    with writing(engine) as session:
        first, request = a_request(session), a_request(session)
        passing = Passing("شرکت برق", "", "از آنهاست", "چراغ خاموش است")
        _, token = agency_referrals.make(session, request, passing, user=a_user(session), days=14)
    go(office, f"requests/{request.id}")
    facts = office.get_by_test_id("facts")
    merge = office.get_by_test_id("merge")
    expect(merge).to_be_enabled()  # whose link ends is known
    merge.press("Enter")
    dialog = office.get_by_role("dialog")
    expect(dialog).to_contain_text("با این کار پیوند «شرکت برق» پایان می‌یابد")
    is_fit(office)
    office.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(merge).to_be_focused()
    expect(facts).to_have_attribute("data-state", "new")
    merge.press("Enter")
    office.get_by_test_id("confirm").click()
    expect(dialog).to_have_count(0)
    expect(facts).to_have_attribute("data-state", "duplicate")
    expect(office.get_by_test_id("pass")).to_have_attribute("data-open", "false")
    expect(facts.get_by_role("link")).to_have_attribute("href", f"/requests/{first.id}")

    with person(chromium, locale="fa-IR") as context:
        body = context.new_page()
        body.goto(f"{url}/public/passed/{token}")
        expect(body.get_by_role("main")).to_contain_text("این گزارش با گزارش دیگری یکی شد")
        is_fit(body)
