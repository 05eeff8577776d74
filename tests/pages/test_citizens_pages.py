"""Looking for somebody from anywhere, and everything with a citizen's number on one page."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Registration, Role
from db.states import CallbackState, Outcome, RegistrationState
from hotline import audit, numbers
from tests.factories import a_note, a_registration, a_request, a_round
from tests.kit.pages import is_fit, shown
from tests.pages.conftest import OpenAs

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ISOLATED = "\u2066\u2069 "


@pytest.fixture
def place(engine: Engine) -> Registration:
    """A place of a citizen who was served in an earlier round, and who reported a problem since."""
    with writing(engine) as session:
        at = now(session)
        place = a_registration(session, a_round(session), registered_at=at)
        past = a_registration(
            session, a_round(session), number=place.number, state=RegistrationState.REACHED,
            registered_at=at - timedelta(days=9),
        )  # fmt: skip
        spoken = at - timedelta(days=8)
        callback = Callback(
            registration_id=past.id, round_id=past.round_id, token="callback-past",
            state=CallbackState.CLOSED, outcome=Outcome.REACHED, claimed_at=spoken,
            called_at=spoken, talking_at=spoken, ended_at=spoken + timedelta(seconds=90),
        )  # fmt: skip
        session.add(callback)
        session.flush()
        a_note(session, callback, "جوی آب خیابان")
        a_request(session, number=place.number, category=3, district=5).made_at = at - timedelta(days=1)
        return place


def digits(page: Page, test_id: str) -> str:
    """The figures that it shows, as they are read."""
    return "".join(each for each in page.get_by_test_id(test_id).inner_text() if each not in ISOLATED)


def search(page: Page, typed: str) -> None:
    """Ctrl and the key on which a Latin keyboard has K, whatever the layout writes with it."""
    page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent(
            'keydown', { code: 'KeyK', key: 'ن', ctrlKey: true, bubbles: true, cancelable: true }))"""
    )
    page.get_by_test_id("search-typed").fill(typed)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_searched_ticket_opens_its_citizen_in_order(
    open_as: OpenAs, place: Registration, language: str
) -> None:
    page = open_as(Role.OPERATOR, "requests", language=language)
    search(page, place.ticket.translate(PERSIAN))
    page.keyboard.press("Enter")  # before anything is found
    shown(page, "citizens")
    expect(page.get_by_test_id("search-typed")).to_have_count(0)

    rows = page.get_by_test_id("entry")
    expect(rows).to_have_count(6)
    kinds = [rows.nth(n).get_attribute("data-kind") for n in range(6)]
    open_now, all_that_was = kinds[:2], kinds[2:]
    assert open_now == ["registration", "request"]
    assert all_that_was == ["registration", "request", "call", "registration"]
    expect(rows.nth(4)).to_contain_text("جوی آب خیابان")
    is_fit(page)


def test_number_shown_in_full_is_audited(open_as: OpenAs, engine: Engine, place: Registration) -> None:
    page = open_as(Role.OPERATOR, f"citizens/registration/{place.id}")
    national = numbers.format_national(place.number).translate(PERSIAN)
    assert digits(page, "citizen-number") != national
    page.get_by_test_id("show-number").click()
    expect(page.get_by_test_id("show-number")).to_have_count(0)
    assert digits(page, "citizen-number") == national
    with reading(engine) as session:
        entries = [(each.action, each.subject) for each in audit.search(session)]
    assert entries[:2] == [
        ("number-shown", f"registration {place.id}"),
        ("citizen-read", f"registration {place.id}"),
    ]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_operator_gives_a_place_up_for_a_citizen(
    open_as: OpenAs, engine: Engine, place: Registration, language: str
) -> None:
    page = open_as(Role.OPERATOR, f"citizens/registration/{place.id}", language=language)
    page.get_by_test_id("give-up").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("reason")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("reason").fill("خودش خواست")
    page.get_by_test_id("confirm").click()

    expect(page.get_by_test_id("give-up")).to_have_count(0)
    is_fit(page)
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.CANCELLED
        assert audit.search(session)[0].action in ("registration-cancelled", "citizen-read")


@pytest.mark.parametrize("state", [RegistrationState.CALLING, RegistrationState.REACHED])
def test_place_that_cannot_be_given_up_has_no_button(
    open_as: OpenAs, engine: Engine, place: Registration, state: RegistrationState
) -> None:
    with writing(engine) as session:
        session.get_one(Registration, place.id).state = state
    page = open_as(Role.OPERATOR, f"citizens/registration/{place.id}")
    expect(page.get_by_test_id("entry").first).to_be_visible()
    expect(page.get_by_test_id("give-up")).to_have_count(0)


def test_number_typed_finds_places_and_requests(open_as: OpenAs, place: Registration) -> None:
    page = open_as(Role.SUPERVISOR, "citizens")
    page.get_by_test_id("citizen-typed").fill("0913 000 9999")
    expect(page.get_by_test_id("nobody")).to_be_visible()
    page.get_by_test_id("citizen-typed").fill(numbers.format_national(place.number))
    expect(page.get_by_test_id("found-registrations")).to_have_count(2)
    page.get_by_test_id("found-requests").get_by_role("link").click()
    shown(page, "requests")


def test_page_is_found_by_name_and_citizens_not_by_an_official(open_as: OpenAs, place: Registration) -> None:
    page = open_as(Role.OFFICIAL, "desk", at_desk=True)
    expect(page.get_by_test_id("rail-citizens")).to_have_count(0)
    page.get_by_test_id("rail-search").click()
    page.get_by_test_id("search-typed").fill(place.ticket)
    expect(page.get_by_role("status").get_by_text("چیزی پیدا نشد")).to_be_visible()
    page.get_by_test_id("search-typed").fill("گزارش‌های")
    expect(page.get_by_test_id("found-pages").first).to_have_attribute("data-selected", "true")
    page.keyboard.press("Enter")
    shown(page, "requests")


def test_reopened_search_is_empty(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.OPERATOR, "requests")
    search(page, "0913 000 9999")
    expect(page.get_by_test_id("search-typed")).to_be_focused()
    page.evaluate(
        """() => {
            const press = (code, more) => document.activeElement.dispatchEvent(
              new KeyboardEvent('keydown', { code, key: code, bubbles: true, cancelable: true, ...more }));
            press('Escape', {});
            press('KeyK', { ctrlKey: true });
        }"""
    )
    expect(page.get_by_test_id("search-typed")).to_have_value("")
    expect(page.get_by_test_id("search-typed")).to_be_visible()


def test_enter_before_the_results_runs_the_command_once(
    open_as: OpenAs,
) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/break", hold)
    with page.expect_response("**/api/v1/search"):
        search(page, "نماز")
        expect(page.get_by_test_id("found-commands").first).to_have_attribute("data-selected", "true")
        page.keyboard.press("Enter")
    expect(page.get_by_test_id("search-typed")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.get_by_test_id("search-typed")).to_have_count(0)
    assert len(held) == 1


def test_commands_typed_into_the_search_run(open_as: OpenAs) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    for typed, seen in (
        ("تیره", page.locator("html[data-mantine-color-scheme=dark]")),
        ("نماز", page.locator("[data-testid=break][data-reason=prayer]")),
        ("برگشتم", page.locator("[data-testid=break][data-reason=none]")),
        ("کلیدها", page.get_by_role("dialog").get_by_text("کلیدها").first),
    ):
        search(page, typed)
        expect(page.get_by_test_id("found-commands").first).to_have_attribute("data-selected", "true")
        page.keyboard.press("Enter")
        expect(seen).to_be_visible()
        expect(page.get_by_test_id("search-typed")).to_have_count(0)
    page.keyboard.press("Escape")
    search(page, "انگلیسی")
    page.keyboard.press("Enter")
    expect(page.locator("html[lang=en]")).to_be_visible()
    search(page, "Sign out")
    page.keyboard.press("Enter")
    page.get_by_test_id("username").wait_for()


def test_enter_opens_the_ticket_typed_not_stale_results(
    open_as: OpenAs, engine: Engine, place: Registration
) -> None:
    with writing(engine) as session:
        other = a_registration(session, a_round(session))
    page = open_as(Role.OPERATOR, "requests")
    search(page, place.ticket)
    expect(page.get_by_test_id("found-registrations")).to_be_visible()
    page.get_by_test_id("search-typed").fill(other.ticket)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/citizens/registration/{other.id}")


def test_typing_while_the_search_loads_triggers_no_shortcut(open_as: OpenAs, place: Registration) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    comes: list[Route] = []
    page.route("**/assets/search-*.js", lambda route: comes.append(route))  # noqa: PLW0108  (Playwright marks it)
    with page.expect_request("**/assets/search-*.js"):
        page.reload()
    page.get_by_test_id("rail-search").click()
    page.keyboard.type("ng")
    comes[0].continue_()
    expect(page.get_by_test_id("search-typed")).to_have_value("ng")
    assert [each for each in asked if "claims" in each] == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_number_with_a_new_owner_is_separated_for_good(
    open_as: OpenAs, place: Registration, engine: Engine
) -> None:
    page = open_as(Role.SUPERVISOR, f"citizens/registration/{place.id}")
    page.get_by_test_id("new-owner").click()
    page.get_by_test_id("reason").fill("صاحب تازه با مدرک آمد")
    page.get_by_role("dialog").get_by_role("button", name="شماره را برای همیشه جدا کن").click()
    expect(page.get_by_test_id("citizen-typed")).to_be_visible()
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.CANCELLED
        assert session.get_one(Registration, place.id).number == ""
