"""The public pages as citizens see them: at any width, without scripts, and from one to the next."""

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Route, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from db.engine import now
from db.states import RequestState, RequestStep
from hotline.ledger import seals
from hotline.line import registration
from hotline.requests import lifecycle, work
from hotline.requests.public import figures, publications
from hotline.rounds import planning
from tests.api.public.public_pages import CITY, Make
from tests.factories import a_number, a_request, some_registrations
from tests.hotline.ledger.tampering import free_to_edit
from tests.kit.browser import browser
from tests.kit.pages import DESK, is_fit

pytestmark = [pytest.mark.long, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]


def some_figures(session: Session) -> None:
    """Store figures of two categories and five departments, one row hidden, and one released request."""
    for state in (RequestState.REPLIED, RequestState.CLOSED, RequestState.REFERRED) * 5:
        a_request(session, state, **({"replied_at": now(session)} if state is RequestState.CLOSED else {}))
    shown = a_request(session, category=2)
    publications.release(session, shown.id, text="آ" * 500, shown=[], with_point=False, who="u")
    session.flush()
    figures.keep(session, figures.count(session))


def test_pages_fit_any_width_without_scripts(session: Session, citizen: TestClient, made: Make) -> None:
    changed, cancelled = made("ن" * 200, "n" * 200), made()
    session.commit()
    planning.change(session, changed, who="x", reason="ر" * 500, capacity=5)
    planning.cancel(session, cancelled, who="x", reason="r" * 500)
    some_figures(session)
    session.commit()
    asked: list[str] = []

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(CITY)
        found = citizen.get(path)
        asked.append(path)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    paths = [
        "/public/",
        "/public/how",
        "/public/fairness",
        "/public/number",
        "/public/my",
        "/public/requests",
    ]
    paths += ["/public/requests/map"]
    paths += [f"/public/rounds/{changed.id}", f"/public/rounds/{cancelled.id}"]
    with browser() as chromium:
        context = chromium.new_context(java_script_enabled=False)
        context.route("**/*", answer)
        page, complaints = context.new_page(), []
        page.on("console", lambda line: complaints.append(line.text))  # a policy that was broken
        for path in [f"{path}{language}" for path in paths for language in ("", "?lang=en")]:
            page.set_viewport_size({"width": 320, "height": 800})
            page.goto(CITY + path)
            for summary in page.locator("summary").all():
                summary.click()
            for width in (320, 390, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} is {wide} wide"
                size = page.evaluate(
                    "parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)"
                )
                assert size >= 18
        assert [line for line in complaints if "woff2" not in line and "404" not in line] == []
    assert "/public/static/public.css" in asked


def test_pages_linked_from_each_other_are_accessible(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    ticket = some_registrations(session, round_, 3)[1].ticket
    some_figures(session)
    session.commit()

    def answer(route: Route) -> None:
        asked = route.request
        path = asked.url.removeprefix(CITY)
        sent = {"content-type": asked.headers.get("content-type", "")}
        found = citizen.request(asked.method, path, content=asked.post_data_buffer, headers=sent)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    links = {
        "fa": ("راهنمای کامل", "ترتیب صف چگونه است؟", "جای من در صف", "نمایش", "نفر ۲ از ۳ نفر"),
        "en": (
            "The whole guide",
            "What is the order of the line?",
            "My place in the line",
            "Show",
            "number 2 of 3",
        ),
    }
    with browser() as chromium:
        page = chromium.new_context(viewport=DESK).new_page()
        page.route("**/*", answer)
        for language, (guide, order, mine, show, place) in links.items():
            page.goto(f"{CITY}/public/{'?lang=en' if language == 'en' else ''}")
            for link in (guide, order, mine):
                is_fit(page)
                page.get_by_role("main").get_by_role("link", name=link).click()
            is_fit(page)
            page.get_by_role("textbox").fill(ticket)
            page.get_by_role("button", name=show).click()
            expect(page.get_by_role("main")).to_contain_text(place)
            is_fit(page)
            for path in (f"rounds/{round_.id}", "requests", "requests/map"):
                page.goto(f"{CITY}/public/{path}{'?lang=en' if language == 'en' else ''}")
                is_fit(page)


def test_browser_checks_the_number_page_against_the_ledger(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made(registration_from=now(session))
    ticket = registration.register(session, round_id=round_.id, number=a_number()).ticket
    request = a_request(session, number="+989131112233")
    work.reply(session, request, who="d", reply="چراغ عوض شد")
    lifecycle.log(session, request, RequestStep.DENIED, "", "هنوز تاریک است")
    session.commit()

    def answer(route: Route) -> None:
        asked = route.request
        path = asked.url.removeprefix(CITY)
        sent = {"content-type": asked.headers.get("content-type", "")}
        found = citizen.request(asked.method, path, content=asked.post_data_buffer, headers=sent)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    with browser() as chromium:
        page = chromium.new_context(viewport=DESK).new_page()
        page.route("**/*", answer)

        def shown(number: str, state: str, words: str) -> None:
            page.goto(f"{CITY}/public/number")
            page.get_by_role("textbox").fill(number)
            page.get_by_role("button", name="نمایش").click()
            expect(page.locator("#proof")).to_have_attribute("data-state", state)
            expect(page.get_by_text(words)).to_be_visible()
            is_fit(page)

        shown(request.tracking, "unsealed", "تا یک دقیقهٔ دیگر مهر می‌شود؛ آن‌گاه")
        seals.seal(session)
        session.commit()
        shown(ticket, "nobody", "کسی بدونِ دلیلِ اعلام‌شده پیش از شما فراخوانده نشده است")
        shown(request.tracking, "proven", "✓ در مرورگر شما بررسی شد")
        assert "هنوز تاریک است" not in page.content(), "what the citizen said is not everybody's"
        free_to_edit(session, "request_history")
        session.execute(text("UPDATE request_history SET note = 'چراغ عوض نشد' WHERE step = 'replied'"))
        session.commit()
        shown(request.tracking, "broken", "جور درنمی‌آید")
