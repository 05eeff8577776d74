"""The wallboard in a real browser: live, honest about its age, and on a wall without anybody signed in."""

import re

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect
from sqlalchemy import Engine

from api.cookies import COOKIE
from db import events
from db.engine import now, writing
from db.models import Incoming, Role, Round
from db.states import CallbackState
from hotline.reports import call_counts
from hotline.rounds import phases
from tests.factories import a_callback, a_round, some_registrations
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs

WALL = {"width": 1920, "height": 1080}
RUNS_OVER = "document.documentElement.scrollHeight > innerHeight"


_RUN_TOGETHER = """(chart) => {
  const columns = [...chart.querySelectorAll('ol > li')];
  const seen = (one) => getComputedStyle(one.firstElementChild ?? one).visibility === 'visible';
  return ['firstElementChild', 'lastElementChild'].flatMap((place) => {
    const words = columns.map((column) => column[place]).filter(seen).map((one) => {
      const range = document.createRange();
      range.selectNodeContents(one);
      const upright = getComputedStyle(one).writingMode !== 'horizontal-tb';
      return { word: one.innerText, box: (upright ? one : range).getBoundingClientRect() };
    }).filter(({ box }) => box.width).sort((one, other) => one.box.left - other.box.left);
    const close = ({ box }, at) => at > 0 && box.left < words[at - 1].box.right + 2;
    return words.filter(close).map(({ word }) => word);
  });
}"""
"""Finds labels above and below the bars that are nearer than 2 pixels to their neighbours.

An upright word is measured by its own box. A range's box has room for accents at both sides, which no digit
fills.
"""


def a_day(engine: Engine) -> int:
    """Two lines, a conversation, calls; the round's id."""
    with writing(engine) as session:
        phases.get_operators_line(session)
        round_ = a_round(session)
        some_registrations(session, round_, 12)
        talking = a_callback(session, CallbackState.TALKING)
        talking.talking_at = now(session)
        call_counts.add(session, {Incoming.ANSWERED: 41, Incoming.TURNED_AWAY: 9})
        return round_.id


def line(page: Page, round_id: int):  # type: ignore[no-untyped-def]
    return page.locator(f"[data-testid=line][data-id='{round_id}']")


def test_wall_shows_events_and_says_when_it_is_stale(open_as: OpenAs, url: str, engine: Engine) -> None:
    round_id = a_day(engine)
    page = open_as(Role.OPERATOR)
    page.set_viewport_size(WALL)
    page.goto(f"{url}/wallboard")
    expect(line(page, round_id)).to_contain_text("۱۲")
    expect(page.get_by_test_id("calls-by-hour")).to_contain_text("۵۰ تا کنون")
    listened = page.get_by_test_id("calls-by-hour").get_by_test_id("chart-table")
    expect(listened.get_by_role("row").filter(has_text="۴۱")).to_have_text(re.compile("۴۱۹$"))
    expect(page.locator("[data-doing=speaking]")).to_be_visible()
    expect(page.get_by_test_id("health")).to_contain_text("پایگاه داده برقرار")
    expect(page.get_by_test_id("health")).not_to_contain_text(re.compile("[a-z]"))
    expect(page.get_by_test_id("hang")).to_have_count(0)  # an operator hangs up no screens
    assert not page.evaluate(RUNS_OVER), "a wall cannot be scrolled"
    with writing(engine) as session:
        registration = some_registrations(session, session.get_one(Round, round_id), 1)[0]
        events.append_registration(session, registration)
    expect(line(page, round_id)).to_contain_text("۱۳")
    is_fit(page)

    page.clock.install()
    page.route("**/api/v1/wallboard", lambda route: route.abort())
    page.clock.fast_forward(30_000)
    expect(page.get_by_test_id("old")).to_contain_text("این عددها از ساعت")
    page.unroute("**/api/v1/wallboard")
    expect(page.get_by_test_id("old")).to_have_count(0)
    page.context.complaints.clear()  # type: ignore[attr-defined]  # Chromium's own, of the network


def test_wall_screen_stays_signed_in_until_taken_down(open_as: OpenAs, url: str, engine: Engine) -> None:
    round_id = a_day(engine)
    page = open_as(Role.SUPERVISOR, language="en")
    page.goto(f"{url}/wallboard")
    page.get_by_test_id("hang").click()
    expect(page.get_by_test_id("hang")).to_have_count(0)
    page.reload()
    expect(line(page, round_id)).to_contain_text("Mayor")
    assert COOKIE not in {cookie["name"] for cookie in page.context.cookies()}
    other = open_as(Role.SUPERVISOR)
    other.goto(f"{url}/wallboard")
    other.get_by_test_id("take-down").click()
    page.reload()
    expect(page.get_by_test_id("signed-out")).to_be_visible()


@pytest.mark.parametrize("hours", [range(9, 17), range(24)], ids=["working hours", "all day"])
def test_bars_of_hours_do_not_overlap(open_as: OpenAs, url: str, engine: Engine, hours: range) -> None:
    a_day(engine)
    page = open_as(Role.OPERATOR)
    answer = page.request.get(
        f"{url}/api/v1/wallboard"
    )  # once: an answer that is fetched in a route dies with the page
    page.route("**/api/v1/wallboard", lambda route: _busy(route, answer, hours))
    page.goto(f"{url}/wallboard")
    chart = page.get_by_test_id("calls-by-hour")
    expect(chart.locator("ol")).to_contain_text("۱۲")
    page.evaluate("document.fonts.ready")
    close: dict[int, list[str]] = {}
    for width in (1920, 1440, 1024, 390, 360):
        page.set_viewport_size({"width": width, "height": 1080})
        close[width] = chart.evaluate(_RUN_TOGETHER)
        assert chart.locator("ol > li > :last-child:visible").count() >= 4, "an hour can still be told"
        if len(hours) < 12:
            assert chart.locator("[data-now] > :first-child:visible").count() >= len(hours), (
                "each has its number"
            )
    assert not any(close.values()), close


def _busy(route: Route, answer: APIResponse, hours: range) -> None:
    """In each of these hours there were many calls, and in no other, which may be the present one."""
    wall = answer.json()
    for hour, counts in enumerate(wall["now"]["hours"]):
        counts |= {"reached": 0, "answered": 0, "turned_away": 0}
        if hour in hours:
            counts |= {"answered": 280 + 7 * hour, "turned_away": 3 * hour}
    route.fulfill(response=answer, json=wall)
