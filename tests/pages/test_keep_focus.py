"""Keyboard focus in the pages of the office stays near any element that disappears."""

from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import BlockReason, Holiday, Role
from hotline.clock import CITY
from hotline.line import blocked
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.requests import ready_replies
from hotline.requests.ready_replies import Values
from tests.kit.pages import go, opened
from tests.pages.conftest import OpenAs


def press(page: Page, name: str, row: int = 0) -> None:
    """Press a button by the keyboard, as a person without a pointer does."""
    page.get_by_test_id(name).nth(row).press("Enter")


def confirm(page: Page) -> None:
    opened(page)
    press(page, "confirm")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_removed_row_moves_the_focus_to_the_next_or_heading(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        for which in range(3):
            blocked.block(session, f"+98913000000{which}", BlockReason.NUISANCE)
        titles = [Values(None, title, "", "درست شد.", "") for title in ("چراغ", "آب")]
        ready_replies.replace(session, titles, who="admin")
    page = open_as(Role.ADMINISTRATOR, "blocked")
    rows = page.get_by_test_id("blocked")
    expect(rows).to_have_count(3)
    for row, left in ((1, 2), (1, 1)):  # one in the middle, and the last one
        press(page, "unblock", row)
        confirm(page)
        expect(rows).to_have_count(left)
        expect(rows.last).to_be_focused()
    press(page, "unblock")
    confirm(page)
    expect(rows).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    go(page, "categories")
    replies = page.get_by_test_id("reply-row")
    press(page, "remove-reply", 1)
    expect(replies).to_have_count(1)
    expect(replies).to_be_focused()
    press(page, "remove-reply")
    expect(replies).to_have_count(0)
    expect(page.get_by_role("heading", level=2)).to_be_focused()

    go(page, "requests?view=overdue")
    press(page, "keep-filter")
    page.get_by_test_id("filter-name").fill("دیرکرد")
    page.get_by_test_id("filter-name").press("Enter")
    press(page, "drop-filter")
    confirm(page)
    expect(page.get_by_test_id("drop-filter")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()  # no heading of what stands beside it


def test_removed_dialog_opener_moves_the_focus_to_its_row(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        api_keys.issue(session, name="An app", may=[Scope.READ], per_minute=60, who="admin")
        day = now(session).astimezone(CITY).date() + timedelta(days=1)
        session.add(Holiday(day=day, works=False, name="روز اصفهان"))
        session.add(Holiday(day=day + timedelta(days=1), works=False, name="روز آب"))
    page = open_as(Role.ADMINISTRATOR, "keys")
    press(page, "revoke-key")
    opened(page)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("revoke-key")).to_be_focused()  # it is still there
    press(page, "revoke-key")
    confirm(page)
    expect(page.get_by_test_id("revoke-key")).to_have_count(0)
    expect(page.get_by_test_id("key")).to_be_focused()

    go(page, "holidays")
    press(page, "take-back")
    confirm(page)
    expect(page.locator(f'[data-day="{day}"]')).to_have_count(0)
    expect(page.locator(f'[data-day="{day + timedelta(days=1)}"]')).to_be_focused()
