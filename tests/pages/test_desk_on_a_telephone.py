"""The desk on a telephone: the citizen and the end button are in sight, the line is folded up."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Desk, Role, Round
from db.states import CallbackState
from tests.factories import MINUTE, PASSWORD, a_callback, a_desk, a_user, some_registrations
from tests.kit.browser import person
from tests.kit.pages import axe_finds

NARROW = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
THUMB = 44
IN_LINE = 30
_CUT = """(bar) => [...bar.querySelectorAll('.mantine-Button-label')]
  .filter((words) => words.scrollWidth > words.clientWidth + 1).map((words) => words.innerText)"""


@pytest.fixture
def phone(chromium: Browser, url: str, engine: Engine) -> Iterator[Page]:
    """An operator's page on a telephone, in a conversation, with a long line waiting."""
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        user.role = Role.OPERATOR
        session.get_one(Desk, user.desk_id).phone_connected = True
        callback = a_callback(session, CallbackState.TALKING, user, subject=4)
        callback.called_at = callback.confirmed_at = callback.talking_at = now(session) - MINUTE
        some_registrations(session, session.get_one(Round, callback.round_id), IN_LINE)
    with person(chromium, locale="fa-IR", viewport=NARROW, has_touch=True, is_mobile=True) as context:
        who = {"username": user.username, "password": PASSWORD}
        assert context.request.post(f"{url}/api/v1/session", data=who, max_retries=3).ok
        page = context.new_page()
        page.goto(f"{url}/desk")
        page.get_by_test_id("hold").wait_for()
        yield page
        assert context.complaints == []  # type: ignore[attr-defined]


def edges(what: Locator) -> tuple[float, float]:
    """Return the top and the bottom, from the window's top."""
    box = what.bounding_box()
    assert box
    return box["y"], box["y"] + box["height"]


def test_citizen_and_end_button_stay_in_sight_on_a_telephone(
    phone: Page,
) -> None:
    actions, number = phone.get_by_test_id("actions"), phone.locator("main [data-number]")
    top, bottom = edges(actions)
    rail, _ = edges(phone.get_by_test_id("rail-search"))
    assert bottom <= rail + 1
    for what in (phone.get_by_test_id("callback-state"), number.first, phone.get_by_test_id("hold")):
        assert edges(what)[1] <= top, "nobody has to look for it"
    assert edges(phone.get_by_test_id("phone-state"))[0] > edges(number.first)[0]
    for button in phone.locator("main button:visible").all():
        box = button.bounding_box()
        assert box and min(box["width"], box["height"]) >= THUMB - 0.5, button.inner_text()
    assert phone.locator("kbd:visible").count() == 0
    assert actions.evaluate(_CUT) == []
    assert axe_finds(phone) == []

    hang_up = phone.get_by_test_id("hangup")
    before = edges(hang_up)
    phone.get_by_test_id("history").scroll_into_view_if_needed()
    assert edges(hang_up) == pytest.approx(before, abs=1)
    hang_up.tap()
    expect(phone.get_by_test_id("callback-state")).not_to_have_attribute("data-state", "talking")
    assert edges(hang_up) == pytest.approx(before, abs=1), "it does not move"


def test_unfolded_line_fits_a_telephone(
    phone: Page,
) -> None:
    rows, fold = phone.get_by_test_id("line-row"), phone.get_by_test_id("line-fold")
    expect(fold).to_contain_text("۳۰ نفر در انتظار")
    expect(rows).to_have_count(0)
    assert phone.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    fold.tap()
    expect(rows.first).to_be_in_viewport()
    expect(fold).to_have_attribute("aria-expanded", "true")
    assert phone.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert axe_finds(phone) == []
    fold.tap()
    expect(rows).to_have_count(0)


def test_wide_desk_shows_the_line_beside_the_call(phone: Page, chromium: Browser, url: str) -> None:
    state = phone.context.storage_state()
    with person(chromium, locale="fa-IR", viewport=DESK, storage_state=state) as desk:
        page = desk.new_page()
        page.goto(f"{url}/desk")
        expect(page.get_by_test_id("line-row").first).to_be_visible()
        expect(page.get_by_test_id("line-fold")).to_have_count(0)
        for name in ("guest-ask", "hold", "hangup"):
            button = page.get_by_test_id(name)
            words = button.locator(".mantine-Button-label").bounding_box()
            key = button.locator("kbd").bounding_box()
            assert words and key
            assert key["x"] + key["width"] + 4 <= words["x"], f"{name}: the key touches its words"
