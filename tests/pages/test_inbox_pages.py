"""A department's inbox in a real browser: from what has come to the evidence, and what it does not see."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Category, Evidence, Request, Role
from db.states import RequestState
from hotline.requests import department_work, lifecycle, parts, ready_replies, work
from tests.factories import HOUR, a_department, a_request
from tests.hotline.requests.office import today
from tests.kit import picture_files as files
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


def at(page: Page, link: str) -> str:
    """The link, at the address where the pages are in this test."""
    return page.url.partition("/inbox")[0] + link[link.index("/public/") :]


def write_replies(page: Page) -> None:
    """For all, for this category, and for another."""
    rows = page.get_by_test_id("reply-row")
    written = (("", "همه", "سپاس"), ("2", "روشنایی", "چراغ درست شد."), ("3", "زباله", "برده شد."))
    written += (("", "کهنه", "دیگر گفته نمی‌شود"),)
    for category, title, text in written:
        page.get_by_test_id("add-reply").click()
        rows.last.get_by_test_id("reply-category").select_option(category)
        rows.last.get_by_test_id("title_fa").fill(title)
        rows.last.get_by_test_id("text_fa").fill(text)
    is_fit(page)
    page.get_by_test_id("save-replies").click()
    expect(page.get_by_test_id("take-it-back")).to_be_visible()


def kept(engine: Engine, request: Request) -> Request:
    with reading(engine) as session:
        return session.get_one(Request, request.id)


def test_request_passes_through_the_inbox_to_its_evidence(
    open_as: OpenAs, engine: Engine, tmp_path: Path
) -> None:
    picture = tmp_path / "after.jpg"
    picture.write_bytes(files.jpeg())
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa = "عمران و آسفالت"
        session.get_one(Category, 2).evidence = Evidence.PICTURE
        fresh = a_request(session, number="+989131112233", category=2, district=7)
        late = a_request(session, category=3)
        for request in (fresh, late):
            work.refer(session, request, department, due_on=today(session), who="operator1")
        late.due_at = now(session) - 30 * HOUR
        a_request(session, RequestState.REFERRED)
    write_replies(open_as(Role.SUPERVISOR, "categories"))
    page = open_as(Role.DEPARTMENT, department_id=department.id)
    expect(page.get_by_test_id("my-department")).to_have_text("عمران و آسفالت")
    rows = page.get_by_test_id("request")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_attribute("data-id", str(late.id))
    expect(page.get_by_test_id("late-inbox")).to_contain_text("۱")
    expect(page.get_by_test_id("rail-search")).to_have_count(0)
    is_fit(page)
    rows.first.get_by_test_id("choose").click()
    page.get_by_test_id("accept-all").click()
    expect(rows.first).to_have_attribute("data-state", "accepted")
    rows.nth(1).get_by_role("link").click()

    facts = page.get_by_test_id("facts")
    expect(facts).to_contain_text(fresh.written)
    expect(page.get_by_role("main")).not_to_contain_text("۲۲۳۳")
    expect(page.get_by_role("main")).not_to_contain_text("operator1")
    page.get_by_test_id("accept").click()
    expect(facts).to_have_attribute("data-state", "accepted")
    page.get_by_test_id("to-ask").click()
    page.get_by_test_id("words").fill("کدام کوچه؟")
    page.get_by_test_id("say").click()
    expect(facts).to_have_attribute("data-state", "asked")
    expect(page.get_by_test_id("question")).to_contain_text("کدام کوچه؟")
    with writing(engine) as session:
        department_work.record_citizen_answer(session, fresh.id, "کوچهٔ ۵")
    page.get_by_test_id("to-solve").click()
    with writing(engine) as session:
        kept_on = [each for each in ready_replies.list_all(session) if each.title_fa != "کهنه"]
        left = [ready_replies.Values(*(getattr(e, n) for n in ready_replies.Values._fields)) for e in kept_on]
        ready_replies.replace(session, left, who="supervisor")
    page.get_by_test_id("ready-replies").click()
    expect(page.get_by_test_id("ready-reply")).to_have_text(["روشنایی", "همه"])
    page.get_by_test_id("ready-reply").first.click()
    expect(page.get_by_test_id("words")).to_have_value("چراغ درست شد.")
    page.get_by_test_id("words").fill("چراغ تعویض شد")
    page.get_by_test_id("say").click()
    expect(page.locator('[aria-invalid="true"], [data-error]').first).to_be_visible()
    assert kept(engine, fresh).state is RequestState.ACCEPTED
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_test_id("say").click()
    expect(facts).to_have_attribute("data-state", "replied")
    expect(page.get_by_test_id("pictures").get_by_role("img")).to_have_count(1)
    expect(page.get_by_test_id("step").nth(3)).to_contain_text("کوچهٔ ۵")
    expect(page.get_by_test_id("waiting")).to_be_visible()


def test_answer_of_an_agency_is_the_evidence(
    open_as: OpenAs, chromium: Browser, engine: Engine, tmp_path: Path
) -> None:
    picture = tmp_path / "after.jpg"
    picture.write_bytes(files.jpeg())
    with writing(engine) as session:
        department = a_department(session)
        session.get_one(Category, 2).evidence = Evidence.PICTURE
        request = a_request(session, number="+989131112233", category=2)
        work.refer(session, request, department, due_on=today(session), who="operator1")
    page = open_as(Role.DEPARTMENT, f"inbox/{request.id}", department_id=department.id)
    page.get_by_test_id("to-pass-on").click()
    expect(page.get_by_test_id("pass-written")).to_have_value(request.written)
    page.get_by_test_id("pass-on").click()
    expect(page.get_by_test_id("pass-body")).to_be_focused()
    page.get_by_test_id("pass-body").fill("شرکت برق")
    page.get_by_test_id("pass-why").fill("چراغ از آنهاست")
    is_fit(page)
    page.get_by_test_id("pass-on").click()
    link = page.get_by_test_id("pass-link").inner_text()
    page.get_by_test_id("noted").click()
    passed = page.get_by_test_id("pass")
    expect(passed).to_have_attribute("data-state", "waiting")

    told: list[str] = []
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    body = context.new_page()
    body.on("request", lambda asked: told.append(asked.headers.get("referer", "")))
    body.goto(at(page, link))
    expect(body.get_by_role("main")).to_contain_text(request.written)
    assert body.evaluate("document.documentElement.scrollWidth") <= 360
    body.get_by_role("button", name="گزارش را دریافت کردیم").click()
    expect(body.locator("#received")).to_be_visible()
    body.get_by_label("چه کاری انجام شد").fill("چراغ عوض شد")
    body.get_by_label("عکس پس از کار").set_input_files(tmp_path / "after.jpg")
    body.get_by_role("button", name="کار انجام شده است").click()
    expect(body.locator("#done")).to_contain_text("چراغ عوض شد")
    assert not any("passed" in each for each in told), "no address tells the link"
    context.close()

    page.reload()
    expect(passed).to_have_attribute("data-state", "done")
    is_fit(page)
    page.get_by_test_id("to-solve").click()
    page.get_by_test_id("use-words").click()
    expect(page.get_by_test_id("words")).to_have_value("چراغ عوض شد")
    page.get_by_test_id("use-picture").check()
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id("facts")).to_have_attribute("data-state", "replied")
    expect(page.get_by_test_id("pictures").get_by_role("img")).to_have_count(1)
    expect(passed).to_have_attribute("data-open", "false")


def test_request_moved_elsewhere_is_not_given_back_again(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        department = a_department(session)
        request = a_request(session)
        work.refer(session, request, department, due_on=today(session), who="operator1")
    page = open_as(Role.DEPARTMENT, f"inbox/{request.id}", language="en", department_id=department.id)
    page.get_by_test_id("to-giveBack").click()
    page.get_by_test_id("words").fill("Not our street")
    with writing(engine) as session:
        work.refer(
            session, lifecycle.get(session, request.id), a_department(session), due_on=today(session), who="u"
        )
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id("problem").first).to_contain_text("not with your department any more")
    expect(page.get_by_test_id("words")).to_have_value("Not our street")


def test_office_page_opened_by_a_department_is_refused(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        department = a_department(session)
    page = open_as(Role.DEPARTMENT, department_id=department.id)
    page.evaluate("location.assign('/requests')")
    expect(page.get_by_test_id("not-here")).to_be_visible()
    page.get_by_test_id("not-here").get_by_role("link").click()
    expect(page.get_by_test_id("nothing")).to_be_visible()
    with writing(engine) as session:
        work.refer(session, a_request(session), department, due_on=today(session), who="operator1")
    expect(page.get_by_test_id("request")).to_have_count(1)  # long before it is asked again by the clock
    page.get_by_test_id("my-account").click()
    expect(page.get_by_test_id("rail-inbox")).to_be_visible()


def test_request_split_by_a_department_is_split_again(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        department = a_department(session)
        request = a_request(session)
        work.refer(session, request, department, due_on=today(session), who="operator1")
        other = a_request(session)
    page = open_as(Role.DEPARTMENT, f"inbox/{request.id}", department_id=department.id)
    page.get_by_test_id("to-split").click()
    page.get_by_test_id("split").click()
    expect(page.get_by_test_id("rest")).to_be_focused()
    page.get_by_test_id("rest").fill("آسفالت نشست کرده است")
    page.get_by_test_id("split").click()
    expect(page.get_by_test_id("part-of")).to_be_visible()
    expect(page.get_by_test_id("facts")).to_contain_text(request.written)
    expect(page.get_by_test_id("to-split")).to_have_count(0)
    is_fit(page)
    assert kept(engine, request).state is RequestState.SPLIT

    office = open_as(Role.OPERATOR, f"requests/{other.id}")
    office.get_by_test_id("to-split").click()
    office.get_by_test_id("add-piece").click()
    pieces = office.get_by_test_id("piece")
    expect(pieces).to_have_count(3)
    for number in (1, 2):
        pieces.nth(number).get_by_test_id("piece-words").fill(f"بخش {number}")
    pieces.nth(1).get_by_test_id("piece-department").select_option(str(department.id))
    is_fit(office)
    office.get_by_test_id("split").click()
    expect(office.get_by_test_id("facts")).to_have_attribute("data-state", "split")
    rows = office.get_by_test_id("parts").get_by_test_id("request")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_have_attribute("data-state", "referred")
    with writing(engine) as session:
        for part in parts.list_current(session, session.get_one(Request, other.id)):
            work.reply(session, part, who="d", reply="انجام شد")
    office.get_by_test_id("named-part").nth(2).check()
    office.get_by_test_id("is-not-solved").click()
    expect(rows.nth(2)).to_have_attribute("data-state", "reopened")
    expect(rows.nth(1)).to_have_attribute("data-state", "replied")
    is_fit(office)
    rows.nth(2).get_by_role("link").click()
    expect(office.get_by_test_id("part-of")).to_be_visible()
