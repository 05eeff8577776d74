"""Administration in a real browser: people, desks, blocked numbers, recordings, the audit log."""

import csv
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import BlockedNumber, BlockReason, Desk, Recording, Registration, Role, Round, User
from db.states import CallbackState, Phase, RegistrationState
from hotline import audit
from hotline.dates import format_digits
from hotline.line import blocked
from hotline.recordings import archive
from settings import Settings
from tests.factories import a_callback, a_number, a_registration, a_round
from tests.kit.pages import is_fit, opened
from tests.kit.recording_files import a_file
from tests.pages.conftest import OpenAs


def at(page: Page, path: str) -> Page:
    """The same person on another page."""
    page.goto(page.url.rsplit("/", 1)[0] + f"/{path}")
    page.get_by_test_id("sign-out").wait_for()
    return page


def test_administration_of_people_desks_and_numbers_is_logged(
    open_as: OpenAs, engine: Engine, tmp_path: Path
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        place = a_registration(session, round_, number="+989131234567")
        office = round_.official.office_fa
    page = open_as(Role.ADMINISTRATOR, "people")

    page.get_by_test_id("add-person").click()
    page.get_by_test_id("new-username").fill("mayor")
    page.get_by_test_id("name").fill("دفتر شهردار")
    page.get_by_test_id("role").select_option("official")
    page.get_by_test_id("person-official").select_option(label=office)
    page.get_by_test_id("person-desk").select_option(label="میز ۷")
    page.get_by_test_id("confirm").click()
    secret = page.get_by_test_id("secret").inner_text()
    page.get_by_test_id("noted").click()
    row = page.locator('[data-username="mayor"]')
    expect(row).to_contain_text("میز ۷")
    expect(row).to_contain_text(office)
    assert secret not in page.content()
    page.get_by_test_id("add-person").click()  # the same name again
    page.get_by_test_id("new-username").fill("mayor")
    page.get_by_test_id("name").fill("دیگری")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_text("این نام کاربری را کس دیگری دارد.")).to_be_visible()
    expect(page.get_by_test_id("new-username")).to_be_focused()
    page.keyboard.press("Escape")
    is_fit(page)

    at(page, "desks")
    desk = page.locator('[data-testid="desk-place"][data-id="7"]')
    expect(desk).to_contain_text("دفتر شهردار")
    desk.get_by_test_id("change-phone").click()
    opened(page)
    page.get_by_test_id("phone-kind").select_option("number")
    page.get_by_test_id("desk-number").fill("۰۹۱۳ ۷۶۵ ۴۳۲۱")
    page.get_by_test_id("confirm").click()
    expect(desk).to_contain_text("۰۹۱۳ ۷۶۵ ۴۳۲۱")
    desk.get_by_test_id("account").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_text("desk-7-sip")).to_be_visible()
    page.keyboard.press("Escape")
    is_fit(page)

    at(page, "people")
    row.get_by_test_id("more").click()
    page.get_by_test_id("disable").click()
    page.get_by_test_id("confirm").click()
    expect(row).to_contain_text("غیرفعال از")
    expect(row).to_contain_text("بدون میز")
    me = page.locator('[data-testid="person"]').first  # the last administrator
    me.get_by_test_id("more").click()
    page.get_by_test_id("disable").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("problem")).to_have_text("دست‌کم یک مدیر سامانهٔ فعال باید بماند.")
    page.keyboard.press("Escape")

    at(page, "blocked")
    page.get_by_test_id("number").fill("۰۹۱۳ ۱۲۳ ۴۵۶۷")
    page.get_by_test_id("note").fill("هر شب زنگ می‌زند")
    page.get_by_test_id("block").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("block-done")).to_contain_text("۱ ثبت‌نام در انتظار لغو شد")
    expect(page.get_by_test_id("blocked")).to_contain_text("هر شب زنگ می‌زند")
    is_fit(page)

    at(page, "audit")
    entries = page.get_by_test_id("entry")
    for told in (
        "مسدود کردن شماره",
        "غیرفعال کردن فرد",
        "دیدن حساب تلفن میز",
        "تغییر تلفن میز",
        "افزودن فرد",
    ):
        expect(entries.filter(has_text=told)).to_have_count(1)
    expect(entries.first).to_contain_text("شماره ۰۹۱۳۱۲۳۴۵۶۷")
    is_fit(page)
    entries.first.get_by_test_id("about").click()
    expect(page.get_by_test_id("search")).to_have_value("09131234567")
    expect(page.get_by_test_id("blocked")).to_have_count(1)
    page.go_back()
    page.get_by_test_id("kind").select_option("person")
    page.get_by_test_id("which").fill("mayor")
    expect(entries).to_have_count(2)
    page.get_by_test_id("action").select_option("person-disabled")
    expect(entries).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_test_id("export").click()
    table = list(csv.reader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [line[2:4] for line in table] == [["چه کاری", "با چه"], ["غیرفعال کردن فرد", "فرد mayor"]]
    page.get_by_test_id("clear-filters").click()
    page.reload()
    expect(entries.first).to_have_attribute("data-action", "audit-exported")
    with writing(engine) as session:
        audit.record(session, audit.COMMAND_LINE, "moved-up", f"registration {place.id}")
    page.get_by_test_id("kind").select_option("registration")
    told = entries.first.get_by_test_id("about")
    expect(told).to_contain_text(format_digits(place.ticket, "fa"))
    told.click()
    page.wait_for_url(f"**/citizens/registration/{place.id}")

    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.CANCELLED
        assert session.scalars(select(BlockedNumber)).one().number == "+989131234567"
        assert session.scalars(select(User).where(User.username == "mayor")).one().disabled_at


def test_administration_pages_are_in_english(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.ADMINISTRATOR, "people", language="en")
    page.get_by_test_id("add-person").click()
    page.get_by_test_id("new-username").fill("auditor2")
    page.get_by_test_id("name").fill("Second auditor")
    page.get_by_test_id("role").select_option("auditor")
    page.get_by_test_id("confirm").click()
    page.get_by_test_id("noted").click()
    page.get_by_test_id("search").fill("second")
    expect(page.get_by_test_id("person")).to_have_count(1)
    at(page, "audit")
    expect(page.get_by_test_id("entry").first).to_contain_text("added a person")
    expect(page.get_by_test_id("entry").first).to_contain_text("person auditor2")
    page.get_by_test_id("entry").first.get_by_test_id("about").click()
    expect(page.get_by_test_id("search")).to_have_value("auditor2")
    expect(page.get_by_test_id("person")).to_have_attribute("data-username", "auditor2")


def test_supervisor_closes_an_abandoned_callback(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.ENDED)
        callback.talking_at = callback.ended_at = now(session)
    page = open_as(Role.SUPERVISOR, "desks")
    desk = page.locator(f'[data-testid="desk-place"][data-id="{callback.desk_id}"]')
    expect(desk).to_contain_text("گفت‌وگو پایان یافت")
    expect(page.get_by_test_id("change-phone")).to_have_count(0)
    desk.get_by_test_id("say-outcome").click()
    page.get_by_test_id("said-outcome").select_option("call_again")
    page.get_by_test_id("reason").fill("اپراتور رفته است")
    page.get_by_test_id("confirm").click()
    expect(desk.get_by_test_id("say-outcome")).to_have_count(0)
    with reading(engine) as session:
        assert session.get_one(Registration, callback.registration_id).state is RegistrationState.WAITING
        (entry,) = audit.search(session, action="outcome-said")
        assert entry.reason.endswith("اپراتور رفته است")


def test_deleted_recording_loses_its_file(open_as: OpenAs, engine: Engine, settings: Settings) -> None:
    folder = settings.recordings_dir
    folder.mkdir(parents=True)
    with writing(engine) as session:
        for _ in range(2):
            callback = a_callback(session, CallbackState.CLOSED)
            callback.talking_at = callback.ended_at = now(session)
            path = a_file(folder, callback.token)
            session.add(
                Recording(callback=callback, made_at=now(session), **archive.inspect_file(path)._asdict())
            )
            session.get_one(Round, callback.round_id).recorded = True
        ticket = callback.registration.ticket
        session.get_one(Desk, callback.desk_id)
    page = open_as(Role.ADMINISTRATOR, "recordings")
    expect(page.get_by_test_id("retention")).to_contain_text("۲ گفت‌وگو")
    items = page.get_by_test_id("recording")
    expect(items).to_have_count(2)
    page.get_by_test_id("ticket-filter").fill(ticket)
    expect(items).to_have_count(1)
    is_fit(page)
    page.get_by_test_id("delete-recording").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("reason")).to_be_focused()  # why?
    page.get_by_test_id("reason").fill("به خواست شهروند")
    page.get_by_test_id("confirm").click()
    expect(items).to_contain_text("پاک شد")
    assert not path.exists()
    expect(page.get_by_test_id("retention")).to_contain_text("۱ گفت‌وگو")


def test_undone_unblocking_restores_the_block(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        blocked.block(session, a_number(), BlockReason.NUISANCE, note="هر شب زنگ می‌زند")
    page = open_as(Role.SUPERVISOR, "blocked")
    page.get_by_test_id("unblock").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("blocked")).to_have_count(0)
    page.get_by_test_id("take-it-back").click()
    expect(page.get_by_test_id("blocked")).to_contain_text("هر شب زنگ می‌زند")
    expect(page.get_by_test_id("undo-notice")).to_have_count(0)
