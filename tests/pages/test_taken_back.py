"""Undo is offered for ten seconds where it is possible, and only there."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Department, Desk, Holiday, Official, Role, Round, User
from db.states import Phase
from hotline import numbers
from hotline.clock import CITY
from hotline.line import blocked
from hotline.timetable import timetable_rules
from hotline.timetable.days import find_moment
from tests.factories import (
    NUMBER,
    a_department,
    a_desk,
    a_registration,
    a_round,
    a_user,
    an_official,
)
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


@pytest.fixture
def open_still(open_as: OpenAs, url: str) -> Callable[[Role, str], Page]:
    """A page whose clock stands, so that ten seconds are not over on a machine that is busy."""

    def open_page(role: Role, path: str) -> Page:
        page = open_as(role, path)
        page.goto("about:blank")  # until its clock is set, it is 1970 for a page that is there already
        page.clock.set_fixed_time(datetime.now().astimezone())
        page.add_init_script(_NO_TIME)
        page.goto(f"{url}/{path}")
        return page

    return open_page


_NO_TIME = """
  const { get } = Headers.prototype;
  Headers.prototype.get = function (name) { return name === 'Date' ? null : get.call(this, name); };
"""
"""The server's answers do not tell what time it is by now."""
Open = Callable[[Role, str], Page]


def take_back(page: Page) -> None:
    is_fit(page)
    page.get_by_test_id("take-it-back").click()
    expect(page.get_by_test_id("undo-notice")).to_have_count(0)


def confirm(page: Page) -> None:
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("confirm")).to_have_count(0)


def test_blocking_is_undoable_unless_a_place_was_lost(open_still: Open, engine: Engine) -> None:
    page = open_still(Role.SUPERVISOR, "blocked")
    page.get_by_test_id("number").fill(numbers.format_national(NUMBER))
    page.get_by_test_id("block").click()
    expect(page.get_by_test_id("blocked")).to_have_count(1)
    take_back(page)
    expect(page.get_by_test_id("blocked")).to_have_count(0)
    with writing(engine) as session:
        assert not blocked.is_blocked(session, NUMBER)
        a_registration(session, a_round(session), number=NUMBER)
    page.get_by_test_id("number").fill(numbers.format_national(NUMBER))
    page.get_by_test_id("block").click()
    expect(page.get_by_role("dialog")).to_contain_text("این شماره ۱ نوبت در صف دارد که لغو می‌شود")
    with reading(engine) as session:
        assert not blocked.is_blocked(session, NUMBER)  # not before it is confirmed
    confirm(page)
    expect(page.get_by_test_id("block-done")).to_contain_text("۱ ثبت‌نام در انتظار لغو شد")
    expect(page.get_by_test_id("take-it-back")).to_have_count(0)
    page.get_by_test_id("number").fill(numbers.format_national(NUMBER))  # again: it stays blocked
    page.get_by_test_id("block").click()
    expect(page.get_by_test_id("block-done")).to_contain_text("ثبت‌نامی در انتظار نداشت")
    expect(page.get_by_test_id("take-it-back")).to_have_count(0)
    page.get_by_test_id("search").fill("هیچ‌کس")
    expect(page.get_by_text("شماره‌ای با این جست‌وجو پیدا نشد.")).to_be_visible()
    page.get_by_test_id("search").fill("")
    page.get_by_test_id("unblock").click()
    confirm(page)
    expect(page.get_by_test_id("block-done")).to_have_count(0)


def test_refused_undo_is_shown_and_can_be_closed(
    open_still: Open,
) -> None:
    page = open_still(Role.SUPERVISOR, "blocked")
    page.get_by_test_id("number").fill(numbers.format_national(NUMBER))
    page.get_by_test_id("block").click()
    problem = {"status": 409, "content_type": "application/problem+json", "body": '{"code": "wrong-state"}'}
    page.route("**/api/v1/blocked/*", lambda route: route.fulfill(**problem))
    page.get_by_test_id("take-it-back").click()
    notice = page.get_by_test_id("undo-notice")
    expect(notice.get_by_role("alert")).to_be_visible()
    page.clock.set_fixed_time(datetime.now().astimezone() + timedelta(seconds=11))
    expect(page.get_by_test_id("take-it-back")).to_have_count(0)
    page.get_by_test_id("undo-close").click()
    expect(notice).to_have_count(0)


def test_own_holiday_of_the_city_is_undoable(open_still: Open, engine: Engine) -> None:
    with writing(engine) as session:
        day = now(session).astimezone(CITY).date() + timedelta(days=1)
        session.add(Holiday(day=day, works=True, name="جشن شهر"))
    page = open_still(Role.PUBLIC_RELATIONS, "holidays")
    own = page.locator(f'[data-day="{day}"]')
    own.get_by_test_id("take-back").click()
    confirm(page)
    take_back(page)
    expect(own).to_contain_text("جشن شهر")
    with reading(engine) as session:
        assert session.get_one(Holiday, day).works
    page.get_by_test_id("add-holiday").click()
    page.get_by_test_id("reason").fill("روز اصفهان")
    expect(page.get_by_test_id("no-day")).to_be_visible()
    page.get_by_test_id("confirm").click()  # which day?
    expect(page.get_by_test_id("holiday-day")).to_be_focused()
    expect(page.get_by_test_id("holiday-day")).to_have_accessible_description("یکی را انتخاب کنید.")
    page.get_by_test_id("holiday-day").click()
    page.locator(".rmdp-day-picker .city-today").click()
    expect(page.get_by_test_id("holiday-day")).to_be_focused()  # not the page below
    expect(page.get_by_test_id("closing")).to_have_text("در این روز دوری نیست که لغو شود.")
    confirm(page)
    today = page.locator(f'[data-day="{day - timedelta(days=1)}"]')
    expect(today).to_contain_text("روز اصفهان")
    take_back(page)
    expect(page.get_by_text("روز اصفهان")).to_have_count(0)


def test_holiday_on_a_rounds_day_shows_its_cost_first(open_still: Open, engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        today = at.astimezone(CITY).date()
        official = an_official(session)
        session.flush()
        rule = timetable_rules.add(
            session,
            officials=[official],
            name="هر روز",
            rrule="FREQ=DAILY",
            starts_on=today + timedelta(days=400),
            starts_at=time(9),
            ends_at=time(12),
        )
        mine, others = a_round(session, Phase.OPEN), a_round(session)
        mine.rule_id, mine.occurs_on = rule.id, today
        midnight = find_moment(today + timedelta(days=1), time())
        mine.starts_at = min(at + timedelta(minutes=20), midnight - timedelta(seconds=1))
        mine.ends_at = at + timedelta(hours=1)
        mine.registration_until = mine.starts_at
        for _ in range(3):
            a_registration(session, mine)
        others.starts_at = at - timedelta(seconds=1)
        round_id, other_id = mine.id, others.id
    page = open_still(Role.PUBLIC_RELATIONS, "timetable")
    expect(page.locator("[aria-busy=false] [data-day]").first).to_be_visible()  # it stays where it is
    page.locator(f'[data-day="{today}"]').click()
    page.get_by_test_id("mark-holiday").click()
    expect(page.get_by_test_id("closing")).to_contain_text("۱ دور در این روز لغو می‌شود")
    page = open_still(Role.PUBLIC_RELATIONS, "holidays")
    page.get_by_test_id("add-holiday").click()
    page.get_by_test_id("holiday-day").click()
    page.locator(".rmdp-day-picker .city-today").click()
    said = page.get_by_test_id("closing")
    expect(said).to_contain_text("۱ دور در این روز لغو می‌شود و ۳ نوبتِ در انتظار به دور بعدی می‌رود")
    expect(page.get_by_test_id("staying")).to_contain_text("۱ دور دیگر این روز می‌ماند")
    page.get_by_test_id("reason").fill("روز اصفهان")
    expect(page.get_by_test_id("confirm")).to_have_text("ثبت و لغو ۱ دور")
    is_fit(page)
    confirm(page)
    expect(page.get_by_test_id("take-it-back")).to_have_count(0)
    with reading(engine) as session:
        assert session.get_one(Round, round_id).cancelled_at is not None
        assert session.get_one(Round, other_id).cancelled_at is None


def test_deactivated_office_or_department_is_restored(open_still: Open, engine: Engine) -> None:
    with writing(engine) as session:
        official, department = an_official(session), a_department(session)
    page = open_still(Role.PUBLIC_RELATIONS, "officials")
    mayor = page.locator(f'[data-testid="official"][data-id="{official.id}"]')
    mayor.get_by_test_id("turn-official").click()
    expect(page.get_by_test_id("undo-notice")).to_contain_text(official.office_fa)
    with reading(engine) as session:
        assert not session.get_one(Official, official.id).active
    take_back(page)
    with reading(engine) as session:
        assert session.get_one(Official, official.id).active

    page = open_still(Role.PUBLIC_RELATIONS, "departments")
    page.get_by_test_id("switch").click()
    expect(page.get_by_test_id("undo-notice")).to_contain_text(department.name_fa)
    take_back(page)
    with reading(engine) as session:
        assert session.get_one(Department, department.id).active


def test_person_disabled_by_mistake_keeps_the_desk(open_still: Open, engine: Engine) -> None:
    with writing(engine) as session:
        person = a_user(session, a_desk(session), "zahra")
        desk_id = person.desk_id
    page = open_still(Role.ADMINISTRATOR, "people")
    row = page.locator('[data-username="zahra"]')
    row.get_by_test_id("more").click()
    page.get_by_test_id("disable").click()
    confirm(page)
    with reading(engine) as session:
        assert session.get_one(User, person.id).desk_id is None
    take_back(page)
    with reading(engine) as session:
        back = session.get_one(User, person.id)
        assert (back.disabled_at, back.desk_id) == (None, desk_id)
        assert session.get_one(Desk, desk_id) is not None
