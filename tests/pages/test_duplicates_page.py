"""What the office calls a duplicate, and what not."""

from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.engine import writing
from db.models import Request
from hotline.requests import parts, work
from hotline.requests.parts import Piece
from tests.factories import a_request
from tests.kit.pages import go, is_fit


def test_given_a_part_that_was_joined_again_when_the_office_opens_it_then_it_is_called_no_duplicate(
    office: Page, engine: Engine
) -> None:
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
