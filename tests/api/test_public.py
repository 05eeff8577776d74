"""The public pages and feeds of rounds, read back as others read them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from playwright.sync_api import Route
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create
from db.engine import now
from db.models import Official, OfficialKind, Round
from db.states import Phase
from hotline import numbers
from hotline.rounds import planning, rounds
from settings import Settings
from tests.factories import HOUR, a_round, some_registrations
from tests.kit.browser import browser
from tests.kit.pages import DESK, is_fit

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "</script><i>\"'&amp;\u202e]]>\x0b\r\nBEGIN:VEVENT"
PLAIN = "</script><i>\"'&amp;]]> BEGIN:VEVENT"
CITY = "https://137.example"


class Read(HTMLParser):
    """A page as a browser takes it: its elements, its text, and what its data blocks hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.data: list[Any] = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.data.append(json.loads(data))
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def citizen(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """A page that belongs to nobody."""
    app = create(settings.model_copy(update={"public_url": CITY}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


Make = Callable[..., Round]


@pytest.fixture
def made(session: Session) -> Make:
    """Makes a round of an office of this name, announced now, 30 hours ahead; the caller commits."""

    def make(fa: str = "مدیر منطقهٔ چهار", en: str = "Manager of District 4", **values: Any) -> Round:
        at = now(session)
        official = Official(kind=OfficialKind.DEPUTY, office_fa=fa, office_en=en, clip="office-x")
        defaults: dict[str, Any] = {
            "registration_from": at + HOUR,
            "registration_until": at + 29 * HOUR,
            "starts_at": at + 30 * HOUR,
            "ends_at": at + 33 * HOUR,
        }
        return planning.make(session, official=official, **defaults | values)

    return make


def ids_on(page: Read) -> set[int]:
    hrefs = [str(link["href"]).partition("?")[0] for link in page.all("a")]
    return {int(href.rpartition("/")[2]) for href in hrefs if href.startswith("/public/rounds/")}


def events(citizen: TestClient) -> dict[str, Any]:
    calendar = Calendar.from_ical(citizen.get("/public/rounds.ics").content)
    assert calendar["METHOD"] == "PUBLISH"
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


def entries(citizen: TestClient, language: str = "") -> list[ElementTree.Element]:
    feed = ElementTree.fromstring(citizen.get(f"/public/rounds.atom{language}").content)
    return feed.findall(f"{ATOM}entry")


def test_given_rounds_in_every_phase_when_looked_at_then_all_but_the_planned_and_operators_ones_are_public(
    session: Session, citizen: TestClient
) -> None:
    by_phase = {phase: a_round(session, phase) for phase in Phase}
    operators_line, planned = rounds.operators_line(session), by_phase[Phase.PLANNED]
    session.commit()
    public = {r.id for r in by_phase.values()} - {planned.id}
    for path in ("/public", "/public/", "/public/?lang=en"):
        assert ids_on(Read(citizen.get(path).text)) == public
    assert set(events(citizen)) == {f"round-{id_}@hotline137" for id_ in public}
    assert {e.findtext(f"{ATOM}id") for e in entries(citizen)} == {
        f"{CITY}/public/rounds/{id_}" for id_ in public
    }
    for id_ in public:
        assert citizen.get(f"/public/rounds/{id_}").status_code == 200
    for id_ in (planned.id, operators_line.id):
        answer = citizen.get(f"/public/rounds/{id_}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "پیدا نشد" in answer.text


@pytest.mark.parametrize("address", ["0", "-1", "x", "99999999999999999999", "۱", "1.5", "%00", "²"])
def test_given_an_address_of_no_round_when_opened_then_a_page_says_so(
    address: str, citizen: TestClient
) -> None:
    answer = citizen.get(f"/public/rounds/{address}?lang=en")
    assert answer.status_code == 404
    assert "This page is not here" in answer.text


def test_given_no_rounds_when_looked_at_then_pages_and_feeds_are_whole(citizen: TestClient) -> None:
    assert "دور گفت‌وگویی اعلام نشده است" in citizen.get("/public/").text
    assert events(citizen) == {}
    assert entries(citizen) == []


def test_given_a_page_when_read_then_it_has_its_language_direction_and_the_way_to_the_other(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    session.commit()
    path = f"/public/rounds/{round_.id}"
    persian, english = Read(citizen.get(path).text), Read(citizen.get(f"{path}?lang=en").text)
    assert persian.all("html") == [{"lang": "fa", "dir": "rtl"}]
    assert english.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert f"{path}?lang=en" in [a["href"] for a in persian.all("a")]
    assert path in [a["href"] for a in english.all("a")]
    assert "مدیر منطقهٔ چهار" in persian.text
    assert "Manager of District 4" in english.text
    assert "دست‌کم یک روز پیش از آغاز" in persian.text
    assert "tel:137" in [a["href"] for a in persian.all("a")]
    inside = [str(a["href"]) for a in english.all("a") if str(a["href"]).startswith("/public/")]
    assert {href for href in inside if not href.endswith("?lang=en")} == {path, "/public/rounds.ics"}


def test_given_a_round_on_short_notice_when_looked_at_then_the_page_says_less_than_a_day(
    session: Session, citizen: TestClient
) -> None:
    round_ = a_round(session, Phase.OPEN)
    session.commit()
    assert "کمتر از یک روز پیش از آغاز" in citizen.get(f"/public/rounds/{round_.id}").text


def test_given_pages_when_fetched_then_nothing_of_them_runs_and_caches_may_keep_them_a_minute(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    session.commit()
    for path in ("/public/", f"/public/rounds/{round_.id}", "/public/rounds.atom", "/public/rounds.ics"):
        answer = citizen.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "set-cookie" not in answer.headers
    page = Read(citizen.get(f"/public/rounds/{round_.id}").text)
    assert [s["type"] for s in page.all("script")] == ["application/ld+json"]
    assert not any(name.startswith("on") or name == "style" for _, a in page.elements for name in a)
    css = citizen.get("/public/static/public.css")
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    assert citizen.get("/public/static/icon.svg").status_code == 200


@pytest.mark.parametrize("path", ["/public/rounds.atom", "/public/rounds.ics"])
def test_given_a_feed_that_is_known_when_asked_again_then_only_a_change_is_sent(
    path: str, session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    session.commit()
    etag = citizen.get(path).headers["ETag"]
    known = {"If-None-Match": f"W/{etag}"}
    again = citizen.get(path, headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    planning.change(session, round_, who="x", reason="جلسه", capacity=5)
    session.commit()
    assert citizen.get(path, headers=known).status_code == 200


def test_given_a_round_when_read_from_the_calendar_then_its_times_texts_and_changes_are_there(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    session.commit()
    event = events(citizen)[f"round-{round_.id}@hotline137"]
    whole = round_.starts_at.replace(microsecond=0)
    assert event["DTSTART"].dt == whole
    assert event["DTEND"].dt == round_.ends_at.replace(microsecond=0)
    assert (event["SEQUENCE"], event["STATUS"]) == (0, "CONFIRMED")
    assert event["SUMMARY"].params["LANGUAGE"] == "fa"
    assert event["SUMMARY"].startswith("گفت‌وگوی تلفنی مدیر منطقهٔ چهار با شهروندان: ")
    assert "The Manager of District 4 answers citizens" in event["DESCRIPTION"]
    assert event["URL"] == f"{CITY}/public/rounds/{round_.id}"

    ends = round_.ends_at + HOUR
    planning.change(session, round_, who="x", reason="جلسه", ends_at=ends)
    session.commit()
    event = events(citizen)[f"round-{round_.id}@hotline137"]
    assert (event["SEQUENCE"], event["STATUS"]) == (1, "CONFIRMED")
    assert event["DTEND"].dt == ends.replace(microsecond=0)

    planning.cancel(session, round_, who="x", reason="بیماری")
    session.commit()
    event = events(citizen)[f"round-{round_.id}@hotline137"]
    assert (event["SEQUENCE"], event["STATUS"]) == (2, "CANCELLED")
    assert "بیماری" in event["DESCRIPTION"]


def test_given_rounds_when_read_from_atom_then_the_newest_is_first_and_each_language_has_its_own(
    session: Session, citizen: TestClient, made: Make
) -> None:
    first, second = made(), made("شهردار اصفهان", "Mayor of Isfahan")
    session.commit()
    planning.change(session, first, who="x", reason="جلسه", capacity=5)
    session.commit()
    found = entries(citizen)
    assert [e.findtext(f"{ATOM}id") for e in found] == [
        f"{CITY}/public/rounds/{r.id}" for r in (first, second)
    ]
    updated = datetime.fromisoformat(found[0].findtext(f"{ATOM}updated", ""))
    assert updated == first.changed_at
    assert "تغییر" in found[0].findtext(f"{ATOM}title", "")
    english = entries(citizen, "?lang=en")
    assert english[1].findtext(f"{ATOM}title", "").startswith("Mayor of Isfahan speaks with citizens")
    assert english[1].findtext(f"{ATOM}id", "").endswith("?lang=en")


def linked_data(citizen: TestClient, round_: Round, language: str = "") -> dict[str, Any]:
    (event,) = Read(citizen.get(f"/public/rounds/{round_.id}{language}").text).data
    assert isinstance(event, dict)
    return event


def test_given_a_round_when_a_search_engine_reads_its_page_then_the_event_is_whole(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made(capacity=30)
    session.commit()
    event = linked_data(citizen, round_)
    assert (event["@context"], event["@type"]) == ("https://schema.org", "Event")
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["startDate"].endswith("+03:30")
    start = datetime.fromisoformat(event["startDate"])
    assert start == round_.starts_at.replace(microsecond=0)
    assert event["performer"]["name"] == "مدیر منطقهٔ چهار"
    assert event["maximumAttendeeCapacity"] == 30
    assert event["url"] == f"{CITY}/public/rounds/{round_.id}"
    assert linked_data(citizen, round_, "?lang=en")["performer"]["name"] == "Manager of District 4"


def test_given_a_round_changed_moved_and_cancelled_when_read_then_each_status_is_its_own(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_, seen = made(), []
    steps: list[Callable[[], None]] = [
        lambda: planning.change(session, round_, who="x", reason="جلسه", capacity=5),
        lambda: planning.change(session, round_, who="x", reason="جلسه", starts_at=round_.starts_at + HOUR),
        lambda: planning.cancel(session, round_, who="x", reason="بیماری"),
    ]
    session.commit()
    for step in steps:
        step()
        session.commit()
        seen.append(linked_data(citizen, round_)["eventStatus"].removeprefix("https://schema.org/Event"))
    assert seen == ["Scheduled", "Rescheduled", "Cancelled"]
    assert "بیماری" in citizen.get(f"/public/rounds/{round_.id}").text


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("language", ["", "?lang=en"])
def test_given_hostile_names_and_reasons_when_published_then_they_are_only_text(
    language: str, cancelled: bool, session: Session, citizen: TestClient, made: Make
) -> None:
    name, reason = HOSTILE, HOSTILE.replace("\u202e", "")  # which a reason may not hold any more
    round_ = made(name, name)
    session.commit()
    if cancelled:
        planning.cancel(session, round_, who="x", reason=reason)
    else:
        planning.change(session, round_, who="x", reason=reason, capacity=5)
    session.commit()
    for path in ("/public/", f"/public/rounds/{round_.id}"):
        html = citizen.get(path + language).text
        page = Read(html)
        assert page.all("i") == []
        assert page.text.count(PLAIN) >= 1
        assert html.count("</script>") == len(page.all("script"))
        assert "\u202e" not in html
    assert PLAIN in linked_data(citizen, round_, language)["description"]
    (entry,) = entries(citizen, language)
    assert PLAIN in entry.findtext(f"{ATOM}title", "")
    summary = Read(entry.findtext(f"{ATOM}summary", ""))
    assert summary.elements == []
    assert PLAIN in summary.text
    (event,) = events(citizen).values()
    assert PLAIN in event["SUMMARY"]
    assert len(Calendar.from_ical(citizen.get("/public/rounds.ics").content).subcomponents) == 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_given_any_width_and_no_scripts_when_pages_are_shown_then_all_is_large_and_nothing_sticks_out(
    session: Session, citizen: TestClient, made: Make
) -> None:
    changed, cancelled = made("ن" * 200, "n" * 200), made()
    session.commit()
    planning.change(session, changed, who="x", reason="ر" * 500, capacity=5)
    planning.cancel(session, cancelled, who="x", reason="r" * 500)
    session.commit()
    asked: list[str] = []

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(CITY)
        found = citizen.get(path)
        asked.append(path)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    paths = ["/public/", "/public/how", "/public/fairness", "/public/ticket"]
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


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_given_a_citizen_when_the_pages_are_followed_from_one_to_the_next_then_each_is_fit_and_found(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    ticket = some_registrations(session, round_, 3)[1].ticket
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
            assert place in page.inner_text("main")
            is_fit(page)
            page.goto(f"{CITY}/public/rounds/{round_.id}{'?lang=en' if language == 'en' else ''}")
            is_fit(page)


def test_given_a_page_when_it_is_shared_then_its_preview_has_a_title_a_text_and_its_address(
    session: Session, citizen: TestClient, made: Make
) -> None:
    round_ = made()
    session.commit()
    for path in ("/public/how", f"/public/rounds/{round_.id}?lang=en"):
        metas = Read(citizen.get(path).text).all("meta")
        preview = {meta["property"]: meta["content"] or "" for meta in metas if "property" in meta}
        assert preview["og:url"] == CITY + path
        assert preview["og:title"] and preview["og:description"]
    assert "Manager of District 4" in preview["og:title"]


def test_given_citizens_in_the_line_when_all_public_pages_are_read_then_nothing_tells_of_them(
    session: Session, citizen: TestClient
) -> None:
    round_ = a_round(session, Phase.LIVE)
    registered = some_registrations(session, round_, 5)
    session.commit()
    paths = ["/public/", f"/public/rounds/{round_.id}", "/public/rounds.atom", "/public/rounds.ics"]
    read = "".join(citizen.get(path).text for path in paths)
    assert f"/public/rounds/{round_.id}" in read
    for registration in registered:
        national = numbers.national(registration.number)
        for secret in (registration.number, national, registration.ticket):
            assert secret not in read
