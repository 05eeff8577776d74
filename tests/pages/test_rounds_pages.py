"""The public-relations office in a real browser against a real API process: a round planned and cancelled."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import jdatetime
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import now, reading, writing
from db.models import Official, OfficialKind, Registration, Round
from db.states import RegistrationState
from hotline import dates
from tests.factories import a_round, some_registrations
from tests.kit.pages import PHONE, is_fit, opened

TEHRAN = ZoneInfo("Asia/Tehran")
RUNS_OVER = "document.documentElement.scrollWidth > innerWidth"
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def an_office(engine: Engine, kind: OfficialKind, name: str, district: int | None = None) -> None:
    with writing(engine) as session:
        session.add(
            Official(kind=kind, district=district, office_fa=name, office_en=name, clip="office-mayor")
        )


def the_round(engine: Engine) -> Round:
    with reading(engine) as session:
        return session.scalars(select(Round)).one()


def test_planned_and_cancelled_round_is_persian_and_audited(office: Page, engine: Engine, url: str) -> None:
    an_office(engine, OfficialKind.MAYOR, "شهردار اصفهان")
    an_office(engine, OfficialKind.DISTRICT_MANAGER, "مدیر منطقهٔ سه", 3)
    office.reload()
    office.get_by_test_id("make-round").click()
    opened(office)
    office.get_by_test_id("official").select_option(label="مدیر منطقهٔ سه")
    with reading(engine) as session:
        day = now(session).astimezone(TEHRAN).date() + timedelta(days=3)
    jalali = jdatetime.date.fromgregorian(date=day, locale="fa_IR")
    expect(office.get_by_test_id("day")).to_have_value(dates.format_day(day, "fa"))
    office.get_by_test_id("day").click()  # opens the month
    cell = office.locator(".rmdp-day:not(.rmdp-deactive)").get_by_text(
        str(jalali.day).translate(PERSIAN), exact=True
    )
    cell.click()
    expect(office.get_by_test_id("day")).to_be_focused()  # not the page below
    office.get_by_test_id("start").fill("۹:۳۰")
    office.get_by_test_id("end").fill("25:00")
    office.get_by_test_id("save-round").click()
    expect(office.get_by_test_id("end")).to_be_focused()
    expect(office.get_by_test_id("end")).to_have_attribute("aria-invalid", "true")
    office.get_by_test_id("end").fill("12:00")
    before = office.get_by_test_id("end").bounding_box()
    office.get_by_test_id("end").fill("08:00")
    expect(office.get_by_test_id("end")).to_have_accessible_description("روز بعد")
    assert office.get_by_test_id("end").bounding_box() == before
    office.get_by_test_id("end").fill("10:00")
    office.get_by_test_id("capacity").fill("۴۰")
    office.get_by_test_id("save-round").click()
    until = office.get_by_test_id("registration-until-time")  # what the server refuses stands beside it, too
    expect(until).to_have_accessible_description(re.compile("ترتیب زمان‌ها درست نیست"))
    expect(until).to_be_focused()
    office.get_by_test_id("end").fill("12:00")
    office.get_by_test_id("save-round").click()

    item = office.get_by_test_id("phase-announced").get_by_test_id("round")
    expect(item).to_contain_text("مدیر منطقهٔ سه")
    expect(item).to_contain_text("۰۹:۳۰ تا ۱۲:۰۰")
    expect(item).to_contain_text(str(jalali.year).translate(PERSIAN))
    expect(item).to_contain_text("یک روز یا بیشتر پیش از آغاز اعلام شد")
    made = the_round(engine)
    start = made.starts_at.astimezone(TEHRAN)
    assert (start.date(), f"{start:%H:%M}", made.capacity) == (day, "09:30", 40)

    office.get_by_test_id("make-round").click()  # of the same day as the first one
    expect(office.get_by_test_id("others")).to_contain_text("۱ دور دیگر")
    office.keyboard.press("Escape")

    item.get_by_role("link").click()
    expect(office.get_by_test_id("notice")).to_contain_text("مدیر منطقهٔ سه")
    office.get_by_test_id("change-round").click()
    opened(office)
    office.get_by_test_id("minutes").fill("۵")
    office.get_by_test_id("save-round").click()
    expect(office.get_by_test_id("reason")).to_be_focused()  # why?
    office.get_by_test_id("reason").fill("گفت‌وگوهای کوتاه‌تر")
    office.get_by_test_id("save-round").click()
    expect(office.get_by_test_id("round-form")).to_be_hidden()
    assert the_round(engine).minutes == 5

    with writing(engine) as session:
        for registration in some_registrations(session, session.get_one(Round, made.id), 2):
            events.append_registration(session, registration)
    office.get_by_test_id("cancel-round").click()
    office.get_by_test_id("confirm").click()
    expect(office.get_by_test_id("reason")).to_be_focused()  # why?
    expect(office.get_by_test_id("cost")).to_contain_text("۲ نوبت")
    expect(office.get_by_test_id("confirm")).to_have_text("لغو دور با ۲ نوبت")
    office.get_by_test_id("reason").fill("سفر استانی")
    office.get_by_test_id("confirm").click()
    expect(office.get_by_test_id("phase")).to_have_text("این دور لغو شد: سفر استانی")
    expect(office.get_by_test_id("cancel-round")).to_be_hidden()
    cancelled = the_round(engine)
    assert cancelled.cancelled_at and cancelled.reason == "سفر استانی"

    office.get_by_test_id("rail-notices").click()
    notice = office.get_by_test_id("notices-out").get_by_test_id("round-notice")
    expect(notice).to_have_attribute("data-state", "cancelled")
    expect(notice).to_contain_text("سفر استانی")
    expect(notice.get_by_test_id("change-notice")).to_have_count(0)
    office.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notice.get_by_test_id("copy-en").click()
    expect(notice.get_by_test_id("copy-en")).to_have_text("رونوشت شد")
    assert "will not speak with citizens" in office.evaluate("navigator.clipboard.readText()")
    notice.get_by_test_id("texts").click()
    expect(notice.get_by_role("article")).to_have_count(2)
    is_fit(office)
    with office.expect_popup() as opened_beside:
        notice.get_by_test_id("public-page").click()
    expect(opened_beside.value.get_by_role("main")).to_contain_text("سفر استانی")

    with writing(engine) as session:  # as if its notice had been due only now
        session.get_one(Round, made.id).announce_at = now(session)
    office.goto(f"{url}/rounds/{made.id}")
    expect(office.get_by_role("main")).to_contain_text("پیش از انتشار اطلاعیه لغو شد")
    expect(office.get_by_test_id("report")).to_be_visible()
    expect(office.get_by_test_id("notice")).to_have_count(0)  # citizens never read of it


def test_moved_up_citizen_shows_the_reason_in_the_line(supervisor: Page, engine: Engine) -> None:
    with writing(engine) as session:
        live = a_round(session)
        carried = some_registrations(session, live, 1, rounds_missed=2)[0]
        late = some_registrations(session, live, 2)[1]
        some_registrations(session, live, 1, state=RegistrationState.UNCONFIRMED)
    supervisor.get_by_test_id("phase-live").get_by_role("link").click()
    report = supervisor.get_by_test_id("report")
    expect(report).to_contain_text("شماره تأیید نشد")
    rows = supervisor.get_by_test_id("line-row")
    expect(rows.first).to_have_attribute("data-ticket", carried.ticket)
    expect(rows.first).to_contain_text("انتقالی از دو دور پیش")
    rows.last.get_by_test_id("move-up").click()
    supervisor.get_by_test_id("reason").fill("جانباز نابینا")
    supervisor.get_by_test_id("confirm").click()
    expect(rows.first).to_have_attribute("data-ticket", late.ticket)
    expect(rows.first).to_contain_text("به تشخیص سرپرست: جانباز نابینا")
    expect(supervisor.get_by_test_id("cancel-round")).to_be_hidden()  # planning is not the supervisor's
    supervisor.get_by_test_id("end-round").click()
    supervisor.get_by_test_id("confirm").click()
    expect(supervisor.get_by_test_id("phase")).to_have_attribute("data-phase", "over")
    with reading(engine) as session:
        assert session.get_one(Registration, late.id).moved_up == 1


def test_extending_a_live_round_asks_only_for_the_rest(office: Page, engine: Engine) -> None:
    with writing(engine) as session:
        live = a_round(session)
        some_registrations(session, live, 2)
    office.get_by_test_id("phase-live").get_by_role("link").click()
    office.get_by_test_id("change-round").click()
    opened(office)
    expect(office.get_by_test_id("end")).to_be_visible()
    for past in ("day", "start", "registration-from", "announce", "short-notice"):
        expect(office.get_by_test_id(past)).to_have_count(0)
    office.get_by_test_id("minutes").fill("۴")
    office.get_by_test_id("capacity").fill("۹۰")
    office.get_by_test_id("reason").fill("استقبال شهروندان")
    office.get_by_test_id("save-round").click()
    expect(office.get_by_test_id("round-form")).to_be_hidden()
    changed = the_round(engine)
    assert (changed.minutes, changed.capacity, changed.starts_at) == (4, 90, live.starts_at)
    expect(office.get_by_test_id("phase")).to_have_attribute("data-phase", "live")


def test_programme_fits_a_phone(office: Page, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 3)
    office.set_viewport_size(PHONE)
    expect(office.get_by_test_id("round")).to_be_visible()
    is_fit(office)
    office.get_by_test_id("make-round").click()
    expect(office.get_by_test_id("round-form")).to_be_visible()
    assert not office.evaluate(RUNS_OVER)
    office.keyboard.press("Escape")
    office.get_by_test_id("round").get_by_role("link").click()
    expect(office.get_by_test_id("report")).to_be_visible()
    assert not office.evaluate(RUNS_OVER)
