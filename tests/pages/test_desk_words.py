"""Ready notes and names of breaks: the office writes them, desks press and read them, in both languages."""

from playwright.sync_api import APIResponse, Route, expect
from sqlalchemy import Engine, select

from db.engine import writing
from db.models import Role, User
from db.states import CallbackState
from tests.factories import a_callback
from tests.kit.pages import answered, is_fit
from tests.kit.process import until
from tests.pages.conftest import OpenAs

NOTE = "نشانی را گفت"


def test_saved_desk_word_reaches_desks_and_can_be_undone(open_as: OpenAs, engine: Engine) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    with writing(engine) as session:
        a_callback(session, CallbackState.ENDED, session.scalars(select(User)).one())
    desk.reload()
    ready = desk.get_by_test_id("ready-note")
    expect(ready).to_have_count(4)
    gone = ready.first.inner_text()

    office = open_as(Role.SUPERVISOR, "subjects")
    rows = office.get_by_test_id("ready-note-row")
    rows.first.get_by_test_id("remove-note").click()
    office.get_by_test_id("add-note").click()
    rows.last.get_by_test_id("word-fa").fill(NOTE)
    expect(office.get_by_test_id("words-not-whole")).to_be_visible()
    office.get_by_test_id("save-words").click()  # and in English?
    expect(rows.last.get_by_test_id("word-en")).to_be_focused()
    expect(rows.last.get_by_test_id("word-en")).to_have_accessible_description("این را بنویسید.")
    rows.last.get_by_test_id("word-en").fill("Told the address")
    meal = office.locator('[data-testid="break-row"][data-reason="meal"]')
    meal.get_by_test_id("word-fa").fill("ناهار")
    meal.get_by_test_id("word-en").fill("Lunch")
    is_fit(office)
    office.get_by_test_id("save-words").click()
    expect(office.get_by_test_id("take-it-back")).to_be_visible()

    expect(ready).to_have_count(4)
    expect(ready.last).to_have_text(NOTE)
    expect(desk.get_by_text(gone)).to_have_count(0)
    ready.last.click()
    expect(desk.get_by_test_id("note")).to_have_value(NOTE)
    reasons = desk.get_by_test_id("break-reason").locator("option")
    expect(reasons.nth(4)).to_have_text("ناهار")
    expect(reasons.nth(2)).to_have_text("استراحت")
    desk.get_by_test_id("language").click()
    expect(reasons.nth(4)).to_have_text("Lunch")
    expect(ready.last).to_have_text("Told the address")

    office.reload()
    rows.last.get_by_test_id("remove-note").click()
    office.get_by_test_id("save-words").click()
    expect(rows).to_have_count(3)
    office.get_by_test_id("take-it-back").click()
    expect(rows).to_have_count(4)
    expect(ready).to_have_count(4)


def test_concurrent_edit_of_the_words_loses_nothing(
    open_as: OpenAs,
) -> None:
    one, other = (open_as(Role.SUPERVISOR, "subjects") for _ in range(2))
    word = '[data-testid="break-row"][data-reason="{}"] [data-testid="word-{}"]'
    for language, text in (("fa", "ناهار"), ("en", "Lunch")):
        other.locator(word.format("meal", language)).fill(text)
        one.locator(word.format("rest", language)).fill("چای")
    one.get_by_test_id("save-words").click()
    expect(other.get_by_test_id("words-overtaken")).to_be_visible()
    expect(other.locator(word.format("meal", "fa"))).to_have_value("ناهار")
    is_fit(other)
    other.get_by_test_id("words-overtaken").get_by_role("button").click()
    expect(other.locator(word.format("meal", "fa"))).to_have_value("")
    expect(other.locator(word.format("rest", "fa"))).to_have_value("چای")


def test_answer_after_its_event_still_undoes_to_the_old_words(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.SUPERVISOR, "subjects")
    rows = page.get_by_test_id("ready-note-row")
    held: list[tuple[Route, APIResponse]] = []
    told: list[int] = []

    def late(route: Route) -> None:
        answer = answered(route)
        if route.request.method == "PUT":
            held.append((route, answer))
        else:
            route.fulfill(response=answer)
            told.append(len(answer.json()["ready_notes"]))

    page.route("**/api/v1/desk-words", late)
    rows.last.get_by_test_id("remove-note").click()
    page.get_by_test_id("save-words").click()
    # What is asked for once the page follows the events may be told before it.
    until(lambda: rows.count() == 3 and held and 3 in told, "it is saved, and asked for anew")
    expect(page.get_by_test_id("words-overtaken")).to_have_count(0)  # by nobody else
    ((route, answer),) = held
    route.fulfill(response=answer)
    page.unroute("**/api/v1/desk-words")
    page.get_by_test_id("take-it-back").click()
    expect(rows).to_have_count(4)


def test_auditor_reads_the_words_without_changing_them(open_as: OpenAs) -> None:
    page = open_as(Role.AUDITOR, "subjects")
    expect(page.get_by_test_id("ready-note-row")).to_have_count(4)
    expect(page.get_by_test_id("save-words")).to_have_count(0)
    expect(page.get_by_test_id("remove-note")).to_have_count(0)
