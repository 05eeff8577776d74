"""Public relations plans Wednesdays from nothing: rules, different days, holidays, offices, subjects."""

from datetime import date, timedelta

import jdatetime
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Official, OfficialKind, Role, Round, Subject, TimetableRule
from hotline import dates
from hotline.timetable import days
from scheduler import jobs
from settings import Settings
from tests.kit.pages import DESK, PHONE, is_fit, opened
from tests.pages.conftest import OpenAs

WEDNESDAY = 2
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@pytest.fixture
def wednesdays(engine: Engine) -> list[date]:
    """The next ones on which the city answers, from the day after tomorrow on."""
    with reading(engine) as session:
        first = days.find_local_day(now(session)) + timedelta(days=2)
        ahead = [first + timedelta(days=n) for n in range(70)]
        closed = days.find_holidays(session, ahead[0], ahead[-1])
    return [day for day in ahead if day.weekday() == WEDNESDAY and day not in closed]


@pytest.fixture
def districts(engine: Engine) -> None:
    with writing(engine) as session:
        names = (("مدیر منطقهٔ یک", "Manager of District 1"), ("مدیر منطقهٔ دو", "Manager of District 2"))
        for district, (fa, en) in enumerate(names, start=1):
            session.add(
                Official(
                    kind=OfficialKind.DISTRICT_MANAGER,
                    district=district,
                    office_fa=fa,
                    office_en=en,
                    clip=f"office-district-{district}",
                )
            )


def cell(page: Page, day: date) -> Locator:
    """The day in the calendar, in whichever of the next months it is."""
    page.get_by_test_id("day-cell").first.wait_for()
    found = page.locator(f'[data-day="{day}"]')
    for _ in range(3):
        if found.count():
            break
        page.get_by_test_id("next-month").click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)  # it stays where it is
    return found


def choose_day(page: Page, field: str, day: date) -> None:
    """The day in the month that the field opens, or in one of the next."""
    wanted = jdatetime.date.fromgregorian(date=day, locale="fa_IR")
    page.get_by_test_id(field).click()
    header = page.locator(".rmdp-header-values")
    expect(header).to_be_visible()  # until it has its place it is hidden, and its text is empty
    for _ in range(3):
        if wanted.strftime("%B") in header.inner_text():
            break
        page.locator(".rmdp-arrow-container.rmdp-right").click()
    cells = page.locator(".rmdp-day:not(.rmdp-deactive)")
    cells.get_by_text(str(wanted.day).translate(PERSIAN), exact=True).click()
    expect(page.get_by_test_id(field)).to_have_value(dates.format_day(day, "fa"))


def make_rounds(engine: Engine, settings: Settings) -> None:
    jobs.make_rounds(engine, settings.model_copy(update={"timetable_days": 70}))


def jalali(day: date) -> str:
    return jdatetime.date.fromgregorian(date=day, locale="fa_IR").strftime("%-d %B").translate(PERSIAN)


def test_planned_wednesdays_show_in_calendar_and_notices(
    open_as: OpenAs, engine: Engine, settings: Settings, districts: None, wednesdays: list[date]
) -> None:
    first, second, third, fourth = wednesdays[:4]
    page = open_as(Role.PUBLIC_RELATIONS, "timetable")
    page.get_by_test_id("add-rule").click()
    page.get_by_test_id("rule-name").fill("مدیران مناطق")
    choose_day(page, "starts-on", first)  # on a Tuesday, tomorrow would take the first turn
    page.get_by_test_id("save-rule").click()
    expect(page.get_by_test_id("add-official")).to_be_focused()  # who answers?
    expect(page.get_by_text("یکی را انتخاب کنید.")).to_be_visible()
    page.get_by_test_id("all-districts").click()
    page.get_by_role("button", name="مدیر منطقهٔ دو زودتر").click()
    page.get_by_test_id("save-rule").click()
    rule = page.get_by_test_id("rule")
    expect(rule).to_contain_text("هر چهارشنبه، ۰۹:۰۰ تا ۱۲:۰۰")
    rule.get_by_test_id("next-days").click()
    expect(rule.get_by_test_id("next-day").filter(has_text=jalali(first))).to_contain_text("مدیر منطقهٔ دو")

    cell(page, first).click()  # a ceremony: nobody answers
    page.get_by_test_id("make-different").click()
    page.get_by_test_id("way-dropped").check()
    page.get_by_test_id("reason").fill("مراسم شهر")
    page.get_by_test_id("save-override").click()
    expect(page.get_by_test_id("day-coming")).to_contain_text("دور گفت‌وگویی نیست: مراسم شهر")
    page.keyboard.press("Escape")

    cell(page, second).click()  # a holiday of the city's own
    page.get_by_test_id("mark-holiday").click()
    page.get_by_test_id("reason").fill("روز اصفهان")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("day-off")).to_have_text("تعطیل: روز اصفهان")
    page.keyboard.press("Escape")

    make_rounds(engine, settings)
    page.reload()
    page.set_viewport_size(PHONE)  # now a list of days
    cell(page, third).click()  # made already: somebody else speaks
    expect(page.get_by_test_id("day-round")).to_contain_text("مدیر منطقهٔ دو")
    page.get_by_test_id("make-different").click()
    page.get_by_test_id("way-substitute").check()
    page.get_by_test_id("substitute").select_option(label="مدیر منطقهٔ یک")
    page.get_by_test_id("reason").fill("مأموریت")
    page.get_by_test_id("save-override").click()
    expect(page.get_by_test_id("day-round")).to_contain_text("به‌جای ایشان: مدیر منطقهٔ یک")
    is_fit(page)
    page.set_viewport_size(DESK)
    page.get_by_test_id("day-round").get_by_role("link").click()
    expect(page.get_by_test_id("notice")).to_contain_text("مدیر منطقهٔ یک")
    expect(page.get_by_test_id("history")).to_contain_text("مأموریت")
    expect(page.get_by_test_id("carries")).to_be_visible()
    is_fit(page)

    page.goto(page.url.partition("/rounds")[0] + "/timetable")
    page.get_by_test_id("change-rule").click()  # from now on half an hour later
    opened(page)
    page.get_by_test_id("start").fill("۹:۳۰")
    page.get_by_test_id("end").fill("۱:۰۰")
    expect(page.get_by_test_id("end")).to_have_accessible_description("روز بعد")
    page.get_by_test_id("end").fill("۱۲:۰۰")
    page.get_by_test_id("reason").fill("ساعت کاری تازه")
    page.get_by_test_id("save-rule").click()
    behind = page.get_by_test_id("behind")
    expect(behind).to_contain_text(jalali(third))
    behind.get_by_role("checkbox", name=jalali(third)).uncheck()
    page.get_by_test_id("catch-up-reason").fill("ساعت کاری تازه")
    page.get_by_test_id("catch-up").click()
    expect(behind.get_by_role("checkbox")).to_have_count(2)  # the one that stays, and short notice
    with reading(engine) as session:
        found = session.scalars(select(Round).order_by(Round.starts_at)).all()
        hours = {r.occurs_on: f"{r.starts_at.astimezone(days.CITY):%H:%M}" for r in found}
    assert first not in hours and second not in hours
    assert (hours[third], hours[fourth]) == ("09:00", "09:30")
    is_fit(page)


def test_calendar_is_used_by_the_keyboard_alone(
    open_as: OpenAs, engine: Engine, districts: None, wednesdays: list[date]
) -> None:
    page = open_as(Role.AUDITOR, "timetable", language="en")
    today = page.locator('[aria-current="date"]')
    day = date.fromisoformat(today.get_attribute("data-day") or "")
    expect(today).to_be_visible()
    today.focus()
    for key, expected in (
        ("ArrowRight", day + timedelta(days=1)),
        ("ArrowDown", day + timedelta(days=8)),
        ("ArrowUp", day + timedelta(days=1)),
        ("ArrowLeft", day),
    ):
        page.keyboard.press(key)
        expect(page.locator(f'[data-day="{expected}"]')).to_be_focused()
    page.keyboard.press("PageDown")
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    expect(page.locator(f'[data-day="{following}"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("day-dialog")).to_contain_text("Nothing is planned for this day.")
    expect(page.get_by_test_id("add-round")).to_be_hidden()  # an auditor only reads
    page.keyboard.press("Escape")
    page.get_by_test_id("this-month").click()
    expect(today).to_be_visible()


def test_planning_pages_work_in_english(
    open_as: OpenAs, engine: Engine, districts: None, wednesdays: list[date]
) -> None:
    day = wednesdays[0] + timedelta(days=1)
    page = open_as(Role.PUBLIC_RELATIONS, "timetable", language="en")
    home = page.url.rpartition("/")[0]
    cell(page, day).click()
    page.get_by_test_id("add-round").click()
    page.get_by_test_id("save-round").click()
    expect(page.get_by_test_id("day-round")).to_contain_text("Manager of District 1, 09:00 to 12:00")

    page.goto(f"{home}/officials")
    one = page.get_by_test_id("official").filter(has_text="Manager of District 1")
    one.get_by_test_id("turn-official").click()
    expect(page.get_by_test_id("problem")).to_contain_text("Take them out of it first.")
    two = page.get_by_test_id("official").filter(has_text="Manager of District 2")
    two.get_by_test_id("turn-official").click()
    expect(two).to_contain_text("inactive")
    two.get_by_test_id("change-official").click()
    opened(page)
    page.get_by_test_id("office-en").fill("Manager of the second district")
    page.get_by_test_id("save-official").click()
    expect(page.get_by_test_id("official").last).to_contain_text("Manager of the second district")
    is_fit(page)

    page.goto(f"{home}/subjects")
    last = page.get_by_test_id("subject").last
    last.get_by_test_id("name-en").fill("Anything else")
    last.get_by_test_id("save-subject").click()
    expect(last.get_by_test_id("save-subject")).to_be_disabled()  # it is saved
    last.get_by_test_id("offered").click()
    expect(last.get_by_test_id("offered")).not_to_be_checked()
    is_fit(page)

    page.goto(f"{home}/holidays")
    official = page.get_by_test_id("holiday").filter(has_text="official calendar")
    expect(official.first).to_be_visible()
    page.get_by_test_id("add-holiday").click()
    page.get_by_test_id("holiday-day").click()
    page.locator(".rmdp-day-picker .city-today").click()
    page.get_by_test_id("reason").fill("Day of Isfahan")
    page.get_by_test_id("confirm").click()
    own = page.get_by_test_id("holiday").filter(has_text="Day of Isfahan")
    expect(own).to_contain_text("the city")
    is_fit(page)
    own.get_by_test_id("take-back").click()
    page.get_by_test_id("confirm").click()
    expect(own).to_have_count(0)
    with reading(engine) as session:
        subject = session.get_one(Subject, 9)
        assert (subject.name_en, subject.offered) == ("Anything else", False)
        assert session.scalars(select(TimetableRule)).all() == []
