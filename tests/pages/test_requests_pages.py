"""Requests in a real browser: from the inbox to the citizen's confirmation, and a glance in English."""

import base64
import io
import wave
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Category, Evidence, Picture, PictureKind, Request, Role, User
from db.states import CallbackState, RequestState
from hotline.pictures import attachments, decoding
from hotline.requests import closing, filing
from hotline.requests.public import publications
from settings import Settings
from tests.factories import HOUR, WEEK, a_callback, a_department, a_request
from tests.kit import picture_files
from tests.kit.pages import PHONE, in_state, is_fit
from tests.pages.conftest import OpenAs


def kept(engine: Engine, request: Request) -> Request:
    with reading(engine) as session:
        return session.get_one(Request, request.id)


def test_referred_and_answered_request_is_closed_by_the_citizen(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    settings.messages_dir.mkdir(parents=True)
    with wave.open(str(settings.messages_dir / "m.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * 8000)
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa = "عمران و آسفالت"
        spoken = a_request(session, category=1, district=7, voice_message="m.wav", number="+989131112233")
        late = a_request(session, RequestState.REFERRED, category=3, district=3)
        late.due_at = now(session) - 30 * HOUR
        same = a_request(session, category=1, district=7, number="+989131112233")
        other = a_request(session, category=2, district=5)
    page = open_as(Role.OPERATOR, "requests")
    rows = page.get_by_test_id("request")
    expect(rows.first).to_have_attribute("data-id", str(late.id))  # overdue: before all others
    expect(rows.first).to_contain_text("دیرکرد")
    expect(page.get_by_test_id("view-work")).to_contain_text("۴")
    expect(page.get_by_test_id("view-overdue")).to_contain_text("۱")
    expect(page.get_by_test_id("export-numbers")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_test_id("export").click()
    assert late.tracking in Path(download.value.path()).read_text("utf-8-sig")
    is_fit(page)

    page.get_by_test_id("tile").and_(page.locator("[data-district='7']")).click()
    expect(rows).to_have_count(2)
    expect(page.get_by_test_id("filter-district")).to_have_value("7")
    page.get_by_test_id("keep-filter").click()
    page.get_by_test_id("filter-name").fill("منطقهٔ ۷")
    page.get_by_test_id("confirm").click()
    mine = page.get_by_test_id("kept-filter")
    expect(mine).to_have_attribute("aria-current", "true")
    page.get_by_test_id("view-overdue").click()
    page.get_by_test_id("keep-filter").click()
    page.get_by_test_id("filter-name").fill("منطقهٔ ۷")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_text("فیلتری با این نام دارید")).to_be_visible()
    page.get_by_test_id("confirm").click()  # in its place, then
    page.get_by_test_id("rename-filter").click()
    page.get_by_test_id("filter-name").fill("دیرکرد منطقهٔ ۷")
    page.get_by_test_id("confirm").click()
    expect(mine).to_have_text("دیرکرد منطقهٔ ۷")
    page.get_by_test_id("view-work").click()
    mine.click()
    expect(page.get_by_test_id("view-overdue")).to_have_attribute("aria-current", "page")
    page.get_by_test_id("drop-filter").click()
    page.get_by_test_id("confirm").click()
    expect(mine).to_have_count(0)
    page.get_by_test_id("view-work").click()
    with writing(engine) as session:
        where = {"number": None, "category": 1, "district": 7}
        filing.report(session, **where, voice_message="m.wav", language="fa", week=WEEK)
    expect(rows).to_have_count(3)  # a live event brought it
    page.get_by_test_id("tracking").fill(spoken.tracking)
    page.get_by_test_id("find").click()

    expect(page.get_by_test_id("citizen-number")).to_contain_text("۰۹…۳۳")
    page.get_by_test_id("show-number").click()
    expect(page.get_by_test_id("facts")).to_contain_text("۰۹۱۳ ۱۱۱ ۲۲۳۳")
    played = page.get_by_test_id("sound").evaluate(PLAY)
    assert played == 1
    probable = page.get_by_test_id("probable").first
    expect(probable).to_contain_text("از همین شماره")
    probable.get_by_role("link").click()
    expect(page.get_by_test_id("facts")).to_contain_text(same.written)
    page.get_by_test_id("merge").first.click()
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "duplicate")
    page.get_by_test_id("facts").get_by_role("link").click()

    page.get_by_test_id("refer-department").select_option(label="عمران و آسفالت")
    page.get_by_test_id("refer-note").fill("فوری است")
    page.get_by_test_id("refer").click()
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "referred")
    expect(page.get_by_test_id("history")).to_contain_text("عمران و آسفالت")
    is_fit(page)
    page.get_by_test_id("words").fill("با ۰۹۱۳۱۲۳۴۵۶۷ تماس بگیرید")
    page.get_by_test_id("solved").check()
    page.get_by_test_id("say").click()
    expect(page.get_by_text("شماره‌ای در آن ننویسید")).to_be_visible()
    expect(page.get_by_test_id("words")).to_be_focused()
    page.get_by_test_id("words").fill("چاله پر شد.")
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "replied")

    with writing(engine) as session:  # by telephone
        closing.answer(session, spoken.id, solved=False)
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "reopened")
    page.get_by_test_id("to-reply").click()
    with writing(engine) as session:
        session.get_one(Category, spoken.category).evidence = Evidence.PICTURE
    page.reload()
    page.get_by_test_id("to-reply").click()
    page.get_by_test_id("words").fill("دوباره و کامل پر شد.")
    page.get_by_test_id("solved").check()
    page.get_by_test_id("say").click()
    expect(page.get_by_text("تصویر بیفزایید")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture_files.jpeg()}
    )
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id("pictures").get_by_role("img")).to_have_count(1)
    page.get_by_test_id("is-solved").click()  # the citizen told the operator
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "closed")
    steps = page.get_by_test_id("step")
    expect(steps).to_have_count(5)  # referred, replied, denied, replied, confirmed
    assert kept(engine, spoken).state is RequestState.CLOSED
    assert kept(engine, other).state is RequestState.NEW


PLAY = """player => new Promise((resolve, reject) => {
  player.onended = () => resolve(Math.round(player.duration))
  player.onerror = () => reject(player.error)
  player.muted = true
  player.play()
})"""


def test_released_and_withdrawn_request_shows_the_public_view(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        request = a_request(session, latitude=32.65, longitude=51.67)
    page = open_as(Role.PUBLIC_RELATIONS, f"requests/{request.id}")
    card = page.get_by_test_id("release")
    expect(card).to_have_attribute("data-state", "hidden")
    page.get_by_test_id("to-release").click()
    page.get_by_test_id("release-save").click()
    expect(page.get_by_test_id("release-text")).to_be_focused()
    page.get_by_test_id("release-text").fill("با 09131234567 تماس بگیرید")
    page.get_by_test_id("release-save").click()
    expect(card).to_contain_text("شماره‌ای در آن ننویسید")
    page.get_by_test_id("release-text").fill("چراغ خیابان خاموش است")
    page.get_by_test_id("release-point").check()
    is_fit(page)
    page.get_by_test_id("release-save").click()
    expect(card).to_have_attribute("data-state", "public")
    expect(card).to_contain_text("چراغ خیابان خاموش است")
    with reading(engine) as session:
        (listed,) = publications.list_published(session)
        assert listed.release.with_point
    is_fit(page)
    page.get_by_test_id("withdraw").click()
    expect(card).to_have_attribute("data-state", "hidden")
    with reading(engine) as session:
        assert publications.list_published(session) == []


def test_preview_of_covered_faces_is_what_the_public_sees(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    made = decoding.redraw(io.BytesIO(picture_files.jpeg((400, 300))))
    name = attachments.keep(settings.pictures_dir, made)
    with writing(engine) as session:
        request = a_request(session)
        attachments.add_of_office(session, name, made, who="d")
        given = attachments.lock_waiting(session, [name], Picture.id == name)
        attachments.give(session, given, request.id, PictureKind.EVIDENCE)
    page = open_as(Role.PUBLIC_RELATIONS, f"requests/{request.id}")
    page.set_viewport_size(PHONE)
    page.get_by_test_id("to-release").click()
    page.get_by_test_id("release-text").fill("جدول ترمیم شد")
    page.get_by_test_id("release-picture").check()
    preview = page.get_by_test_id("preview")
    expect(preview).to_have_attribute("data-there", "true")
    draw, areas = page.get_by_test_id("draw"), page.get_by_test_id("area")
    draw.scroll_into_view_if_needed()
    box = draw.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4, steps=3)
    page.mouse.up()
    expect(areas).to_have_count(1)
    page.get_by_test_id("add-area").click()
    areas.nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(areas.nth(1)).to_have_attribute("x", "176")
    expect(areas.nth(1)).to_have_attribute("height", "76")
    page.get_by_test_id("add-area").click()
    areas.nth(2).press("Delete")
    expect(areas).to_have_count(2)
    expect(preview).to_have_attribute("data-areas", "2")
    expect(preview).to_have_attribute("data-there", "true")
    is_fit(page)
    seen = preview.locator("img").get_attribute("src") or ""
    page.get_by_test_id("release-save").click()
    expect(page.get_by_test_id("release")).to_have_attribute("data-state", "public")
    with reading(engine) as session:
        ((copy,),) = [each.pictures for each in publications.list_published(session)]
    assert base64.b64decode(seen.partition(",")[2]) == (settings.pictures_dir / f"{copy}.jpg").read_bytes()
    page.get_by_test_id("to-release").click()
    expect(areas).to_have_count(2)


def test_problem_is_written_and_referred_during_a_conversation(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa = "روشنایی معابر"
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    with writing(engine) as session:
        user = session.scalars(select(User).order_by(User.id.desc())).first()
        a_callback(session, CallbackState.TALKING, user, subject=2)
    page.reload()
    page.get_by_test_id("note").fill("چراغ خاموش است")
    page.get_by_test_id("note").press("Escape")
    written, to = page.get_by_test_id("written"), page.get_by_test_id("refer-department")
    page.keyboard.press("d")
    expect(written).to_have_value("چراغ خاموش است")  # the desk's note
    expect(page.get_by_test_id("category")).to_have_value("2")  # what the citizen has called about
    expect(to).to_have_value("")
    written.fill("چراغ سر کوچه خاموش است")
    page.get_by_test_id("district").select_option("12")
    to.select_option(label="روشنایی معابر")
    keys = page.get_by_role("dialog", name="کلیدها")
    page.get_by_role("dialog").get_by_role("button", name="انصراف").last.focus()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")  # what is on top alone
    expect(keys).to_be_hidden()
    page.get_by_test_id("note").press("Escape")  # leaves the note, and nothing else
    expect(page.get_by_test_id("note")).not_to_be_focused()
    expect(written).to_be_visible()
    page.keyboard.press("Escape")
    expect(written).to_be_hidden()
    page.reload()
    page.get_by_test_id("refer-to-department").click()
    expect(written).to_have_value("چراغ سر کوچه خاموش است")
    expect(page.get_by_test_id("district")).to_have_value("12")
    expect(page.get_by_test_id("note")).to_have_value("چراغ خاموش است")
    page.context.set_offline(offline=True)
    page.get_by_test_id("save-request").click()
    expect(page.get_by_test_id("problem")).to_contain_text("شبکه قطع است")  # at once, and not when it is back
    page.context.set_offline(offline=False)
    expect(page.get_by_test_id("connection-lost")).to_be_hidden()
    page.context.complaints.clear()  # type: ignore[attr-defined]  # Chromium's own, of the network
    expect(written).to_have_value("چراغ سر کوچه خاموش است")
    page.get_by_test_id("save-request").click()
    expect(page.get_by_test_id("wrote")).to_contain_text("شمارهٔ گزارش")
    with reading(engine) as session:
        made = session.scalars(select(Request)).one()
        assert (made.state, made.department_id, made.district) == (RequestState.REFERRED, department.id, 12)
        assert made.registration_id is not None and made.number is not None
        assert made.due_at == made.solve_by, "nobody said another day"

    page.keyboard.press("Escape")
    page.get_by_test_id("refer-to-department").click()
    expect(page.get_by_test_id("district")).to_have_value("")  # the draft was sent
    expect(to).to_have_value(str(department.id))  # where it went last
    page.get_by_test_id("category").select_option("3")
    expect(to).to_have_value("")
    # No modal over a call: its keys go on as long as nobody writes.
    page.get_by_role("dialog").get_by_role("button", name="انصراف").last.focus()
    page.keyboard.press("h")
    in_state(page, "callback-state", "parting")


def test_departments_show_their_names_and_loads(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.PUBLIC_RELATIONS, "departments")
    page.get_by_test_id("add-department").click()
    page.get_by_test_id("name-fa").fill("مدیریت پسماند")
    page.get_by_test_id("name-en").fill("Waste Management")
    page.get_by_test_id("save-department").click()
    item = page.get_by_test_id("department")
    expect(item).to_contain_text("مدیریت پسماند")
    page.get_by_test_id("add-department").click()
    page.get_by_test_id("name-fa").fill("مدیریت پسماند")
    page.get_by_test_id("name-en").fill("Again")
    page.get_by_test_id("save-department").click()
    expect(page.get_by_text("اداره‌ای با این نام هست")).to_be_visible()
    expect(page.get_by_test_id("name-fa")).to_be_focused()
    page.keyboard.press("Escape")
    item.get_by_test_id("switch").click()
    expect(item).to_contain_text("غیرفعال")
    is_fit(page)


def test_auditor_reads_requests_in_english_without_actions(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        referred = a_request(session, RequestState.REFERRED, category=1, district=7)
        assert referred.due_at
        referred.due_at += timedelta(days=1)
        a_request(session, RequestState.REPLIED, category=1, district=None)
    page = open_as(Role.AUDITOR, "requests", language="en")
    expect(page.get_by_test_id("request")).to_contain_text("District 7")
    expect(page.get_by_test_id("write-request")).to_have_count(0)
    page.get_by_test_id("map").locator("summary").click()
    expect(page.get_by_test_id("map-table")).to_contain_text("District 7")
    expect(page.get_by_test_id("unplaced")).to_contain_text("Of 1 open requests nobody knows the district")
    is_fit(page)
    page.get_by_test_id("request").get_by_role("link").click()
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "referred")
    expect(page.get_by_test_id("actions")).to_have_count(0)
    page.set_viewport_size(PHONE)
    is_fit(page)
