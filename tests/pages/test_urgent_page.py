"""Urgent requests in a real browser: shown on every open page, at once, until somebody takes one."""

import time

import pytest
from playwright.sync_api import APIResponse, Page, Response, Route, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import reading, writing
from db.models import Callback, Category, Desk, Role, UrgentMatter, User
from hotline.requests import filing, urgent
from tests.factories import WEEK
from tests.hotline.requests.test_escalations import before_supervisors
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs

NUMBER = "+989131234567"
_COUNTS_TONES = """() => {
  window.tones = 0
  const start = OscillatorNode.prototype.start
  OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at) }
}"""


def filed(engine: Engine) -> None:
    """A citizen reports something urgent."""
    with writing(engine) as session:
        session.get_one(Category, 1).urgent = True
        filing.file(session, number=NUMBER, category=1, district=3, written="گودال", language="fa", week=WEEK)


def taken_by(engine: Engine) -> str | None:
    with reading(engine) as session:
        return session.scalars(select(UrgentMatter)).one().taken_by


def connected(engine: Engine) -> None:
    with writing(engine) as session:
        for desk in session.scalars(select(Desk)):
            desk.phone_connected = True


@pytest.mark.parametrize("width", [1440, 360])
def test_urgent_matter_rings_on_all_pages_until_taken(open_as: OpenAs, engine: Engine, width: int) -> None:
    desk, supervisor = open_as(Role.OPERATOR, "desk", at_desk=True), open_as(Role.SUPERVISOR, "rounds")
    for page in (desk, supervisor):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(_COUNTS_TONES)
    since = time.monotonic()
    filed(engine)
    expect(desk.get_by_test_id("urgent-matter")).to_be_visible()
    print(f"filed, and seen at a desk after {time.monotonic() - since:.2f} s")  # noqa: T201
    expect(supervisor.get_by_test_id("urgent-matter")).to_be_visible()
    assert all(page.evaluate("window.tones") > 0 for page in (desk, supervisor))
    is_fit(desk)
    is_fit(supervisor)
    supervisor.get_by_test_id("urgent-take").click()
    expect(desk.get_by_test_id("urgent-matter")).to_have_count(0)
    assert taken_by(engine)
    supervisor.get_by_test_id("urgent-done").click()
    expect(supervisor.get_by_test_id("urgent")).to_have_count(0)


def test_flood_of_one_number_stays_silent(open_as: OpenAs, engine: Engine) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    desk.evaluate(_COUNTS_TONES)
    desk.evaluate("window.setInterval = () => 0")  # it rings for what is new alone
    matters = desk.get_by_test_id("urgent-matter")
    for count in (1, 2, 3):
        filed(engine)
        expect(matters).to_have_count(count)
    rung = desk.evaluate("window.tones")
    filed(engine)
    expect(matters).to_have_count(4)
    expect(matters.nth(3)).to_contain_text("بی‌صدا")
    assert desk.evaluate("window.tones") == rung > 0
    matters.first.get_by_test_id("urgent-take").click()
    desk.get_by_test_id("urgent-done").click()
    expect(matters).to_have_count(3)
    expect(matters.nth(2)).not_to_contain_text("بی‌صدا")
    assert desk.evaluate("window.tones") > rung


def test_urgent_call_by_a_desk_goes_before_all_others(open_as: OpenAs, engine: Engine) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    connected(engine)
    desk.reload()
    filed(engine)
    desk.get_by_test_id("urgent-take-call").click()
    expect(desk.get_by_test_id("urgent")).to_have_count(0)
    with reading(engine) as session:
        callback, user = session.scalars(select(Callback)).one(), session.scalars(select(User)).one()
        assert (callback.registration.number, callback.desk_id) == (NUMBER, user.desk_id)
        assert callback.called_at


def test_event_before_its_answer_still_places_the_urgent_call(open_as: OpenAs, engine: Engine) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    connected(engine)
    desk.reload()
    filed(engine)
    taken: list[tuple[Route, APIResponse]] = []
    desk.route("**/urgent/*/take", lambda route: taken.append((route, route.fetch())))
    with desk.expect_response(_nothing_urgent):
        desk.get_by_test_id("urgent-take-call").click()
    expect(desk.get_by_test_id("urgent-matter")).to_have_count(1)
    route, answer = taken[0]
    route.fulfill(response=answer)
    expect(desk.get_by_test_id("urgent")).to_have_count(0)
    with reading(engine) as session:
        assert session.scalars(select(Callback)).one().called_at


def test_urgent_matter_taken_by_another_says_so(open_as: OpenAs, engine: Engine) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    filed(engine)
    _late(desk)
    with writing(engine) as session:
        urgent.take(session, urgent.list_open(session)[0].id, who="sara")
    desk.get_by_test_id("urgent-take").click()
    desk.unroute("**/api/v1/urgent")
    desk.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.get_by_test_id("urgent")).to_contain_text("همکار دیگری")
    expect(desk.get_by_test_id("urgent-take")).to_have_count(0)
    desk.get_by_test_id("urgent-done").click()
    expect(desk.get_by_test_id("urgent")).to_have_count(0)


@pytest.mark.parametrize("done", [False, True])
def test_lost_answer_of_a_take_is_retried_by_a_press(open_as: OpenAs, engine: Engine, done: bool) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    filed(engine)
    desk.route("**/urgent/*/take", lambda route: (route.fetch() if done else None, route.abort()))
    desk.get_by_test_id("urgent-take").click()
    expect(desk.get_by_test_id("problem")).to_be_visible()
    assert (taken_by(engine) is not None) is done
    desk.unroute("**/urgent/*/take")
    desk.context.complaints.clear()  # type: ignore[attr-defined]  # Chromium's own, of the lost answer
    desk.get_by_test_id("urgent-take").click()
    expect(desk.get_by_test_id("urgent-done")).to_be_visible()
    assert taken_by(engine)


def _nothing_urgent(answer: Response) -> bool:
    return answer.url.endswith("/api/v1/urgent") and answer.headers["content-length"] == str(len("[]"))


def _late(desk: Page) -> None:
    """Freeze the page's data: no event reaches it any more."""
    expect(desk.get_by_test_id("urgent-matter")).to_be_visible()
    known = desk.request.get(f"{desk.url.removesuffix('/desk')}/api/v1/urgent").json()
    desk.route("**/api/v1/urgent", lambda route: route.fulfill(json=known))


def test_page_without_an_inbox_shows_no_urgent_matter(open_as: OpenAs, engine: Engine) -> None:
    filed(engine)
    page = open_as(Role.PUBLIC_RELATIONS, "rounds")
    expect(page.get_by_test_id("round")).to_have_count(0)
    expect(page.get_by_test_id("urgent")).to_have_count(0)


def test_escalated_request_is_shown_to_supervisors_until_seen(open_as: OpenAs, engine: Engine) -> None:
    page, desk = open_as(Role.SUPERVISOR, "rounds"), open_as(Role.OPERATOR, "requests")
    expect(page.get_by_test_id("rail")).to_be_visible()
    with writing(engine) as session:
        request = before_supervisors(session)
        events.append_escalation(session)
    expect(page.get_by_test_id("escalation")).to_have_attribute("data-id", str(request.id))
    expect(page.get_by_test_id("late-control")).to_contain_text("۱")
    page.reload()
    page.get_by_test_id("escalation-take").click()
    expect(page.get_by_test_id("escalations")).to_have_count(0)
    expect(desk.get_by_test_id("request")).to_have_count(1)
    expect(desk.get_by_test_id("escalations")).to_have_count(0)
