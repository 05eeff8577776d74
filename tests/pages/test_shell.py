"""The parts that stay while the pages change: the rail, and the call on every other page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import now, reading, writing
from db.models import Callback, Official, OfficialKind, Role, User
from db.states import CallbackState
from tests.factories import PASSWORD, a_callback, a_request, a_user
from tests.kit.browser import person
from tests.kit.pages import in_state, is_fit, shown
from tests.kit.process import until
from tests.pages.conftest import OpenAs

SAME = "window.__same === true"
"""Whether the window is the one that was marked: no page was loaded anew since."""


def mark(page: Page) -> None:
    page.evaluate("window.__same = true")


def begins_to_talk(engine: Engine) -> int:
    """The one person's desk is in conversation; the callback."""
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, session.scalars(select(User)).one())
        callback.called_at = callback.placed_at = callback.talking_at = now(session) - timedelta(minutes=11)
        session.flush()
        return callback.id


@pytest.mark.parametrize("language", ["fa", "en"])
def test_call_bar_on_another_page_leads_back(open_as: OpenAs, engine: Engine, language: str) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True, language=language)
    begins_to_talk(engine)
    page.reload()
    mark(page)
    in_state(page, "callback-state", "talking")
    expect(page.get_by_test_id("call-bar")).to_have_count(0)

    page.get_by_test_id("rail-requests").click()
    shown(page, "requests")
    in_state(page, "call-bar", "talking")
    expect(page.get_by_test_id("call-bar-time")).to_contain_text("۱۱:" if language == "fa" else "11:")
    expect(page.get_by_test_id("call-bar-keypad")).to_have_count(0)  # of another window's phone, or none
    is_fit(page)

    page.get_by_test_id("call-bar-back").click()
    in_state(page, "callback-state", "talking")
    assert page.evaluate(SAME)


def test_end_in_the_call_bar_is_requested_once(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "requests", at_desk=True)
    callback_id = begins_to_talk(engine)
    page.reload()
    page.get_by_test_id("call-bar-hangup").click()

    def asked() -> bool:
        with reading(engine) as session:
            return session.get_one(Callback, callback_id).state is CallbackState.PARTING

    until(asked, "the end is asked for")
    with writing(engine) as session:
        session.get_one(Callback, callback_id).state = CallbackState.ENDED
    page.reload()
    page.get_by_test_id("rail").wait_for()
    expect(page.get_by_test_id("call-bar")).to_have_count(0)


def test_navigation_never_reloads_the_page(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.SUPERVISOR, "rounds")
    mark(page)
    seen = set()
    rail = page.get_by_test_id("rail").get_by_role("link")
    for n in range(rail.count()):
        rail.nth(n).click()
        expect(rail.nth(n)).to_have_attribute("aria-current", "page")
        shown(page, (rail.nth(n).get_attribute("href") or "")[1:])
        seen.add(page.url)
        tabs = page.locator("header nav a:not([target])")
        for tab in range(tabs.count()):
            tabs.nth(tab).click()
            shown(page, (tabs.nth(tab).get_attribute("href") or "")[1:])
            expect(tabs.nth(tab)).to_have_attribute("aria-current", "page")
            expect(rail.nth(n)).to_have_attribute("aria-current", "page")
            seen.add(page.url)
    assert len(seen) == 17
    assert page.evaluate(SAME)


def test_overdue_work_is_counted_on_each_page(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "citizens")
    expect(page.get_by_test_id("rail-requests")).to_be_visible()
    expect(page.get_by_test_id("late-requests")).to_have_count(0)
    with writing(engine) as session:
        official = Official(kind=OfficialKind.DEPUTY, office_fa="معاون", office_en="Deputy", clip="deputy")
        late = now(session) - timedelta(days=1)
        a_request(session, promised_by=official, promised_until=late)
    page.reload()
    expect(page.get_by_test_id("late-requests")).to_contain_text("۱")
    shown(page, "citizens")
    is_fit(page)


UNSEEN = """
window.__told = [];
window.__hidden = false;
window.Notification = class {
  static permission = 'granted';
  constructor(title, { body }) { window.__told.push(body); }
  close() {}
};
Object.defineProperty(document, 'visibilityState', { get: () => (window.__hidden ? 'hidden' : 'visible') });
window.__hide = (yes) => {
  window.__hidden = yes;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""
"""A browser's window cannot be covered here: what it says then, and where it would tell of something."""


def test_hidden_window_announces_a_citizen_by_title_and_notice(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    page.add_init_script(UNSEEN)
    page.reload()
    shown(page, "desk")
    page.evaluate("__hide(true)")
    begins_to_talk(engine)
    with writing(engine) as session:
        events.append_desk(session, session.scalars(select(User.desk_id)).one(), "given")
    somebody = re.compile(r"^\(۱\) در حال گفت‌وگو")
    expect(page).to_have_title(somebody)
    assert page.evaluate("__told") == ["در حال گفت‌وگو"]
    page.evaluate("__hide(false)")
    expect(page).not_to_have_title(somebody)
    page.evaluate("__hide(true)")
    expect(page).to_have_title(somebody)
    assert len(page.evaluate("__told")) == 1, "what was seen is in the title alone"


def test_address_opened_before_the_sign_in_is_shown_after_it(
    chromium: Browser, url: str, engine: Engine
) -> None:
    with writing(engine) as session:
        user = a_user(session, None)
        user.role = Role.SUPERVISOR
    with person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        page.goto(f"{url}/holidays")
        for comes_to in ("holidays", "control"):
            page.get_by_test_id("username").fill(user.username)
            page.get_by_test_id("password").fill(PASSWORD)
            page.get_by_test_id("submit").click()
            shown(page, comes_to)
            page.get_by_test_id("sign-out").click()
