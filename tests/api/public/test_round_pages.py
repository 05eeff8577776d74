"""The public pages of rounds, read back as others read them."""

from urllib.robotparser import RobotFileParser

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from db.states import Phase
from hotline import numbers
from hotline.rounds import phases
from tests.api.public.public_pages import ATOM, CITY, HOST, Make, Read, entries, events
from tests.factories import a_round, some_registrations


def ids_on(page: Read) -> set[int]:
    hrefs = [str(link["href"]).partition("?")[0] for link in page.all("a")]
    return {int(href.rpartition("/")[2]) for href in hrefs if href.startswith("/public/rounds/")}


def test_planned_and_operators_rounds_are_not_public(session: Session, citizen: TestClient) -> None:
    by_phase = {phase: a_round(session, phase) for phase in Phase}
    operators_line, planned = phases.get_operators_line(session), by_phase[Phase.PLANNED]
    session.commit()
    public = {r.id for r in by_phase.values()} - {planned.id}
    for path in ("/public", "/public/", "/public/?lang=en"):
        assert ids_on(Read(citizen.get(path).text)) == public
    assert set(events(citizen)) == {f"round-{id_}@{HOST}" for id_ in public}
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
def test_unknown_round_address_gets_a_page(address: str, citizen: TestClient) -> None:
    answer = citizen.get(f"/public/rounds/{address}?lang=en")
    assert answer.status_code == 404
    assert "This page is not here" in answer.text


def test_pages_and_feeds_without_rounds_are_complete(citizen: TestClient) -> None:
    assert "دور گفت‌وگویی اعلام نشده است" in citizen.get("/public/").text
    assert events(citizen) == {}
    assert entries(citizen) == []


def test_page_declares_its_language_and_links_the_other(
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


def test_page_names_its_canonical_address_and_an_image(citizen: TestClient) -> None:
    page = Read(citizen.get("/public/how?lang=en&utm_source=x").text)
    links = {str(link["rel"]): link["href"] for link in page.all("link") if link["rel"] == "canonical"}
    assert links == {"canonical": f"{CITY}/public/how?lang=en"}
    others = {link["hreflang"]: link["href"] for link in page.all("link") if "hreflang" in link}
    assert others == {"fa": f"{CITY}/public/how", "en": f"{CITY}/public/how?lang=en"}
    (image,) = [meta["content"] for meta in page.all("meta") if meta.get("property") == "og:image"]
    shown = citizen.get(str(image).removeprefix(CITY))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")


def test_robots_file_leaves_search_engines_the_public_pages(citizen: TestClient) -> None:
    robots = RobotFileParser()
    answer = citizen.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    robots.parse(answer.text.splitlines())
    for path, may in (
        *(("/public", True), ("/public?lang=en", True), ("/public/rounds/7", True)),
        *(("/public/requests/map", True), ("/my/icon-512.png", True)),
        *(("/my", False), ("/public/my", False), ("/public/ledger/proof/7", False), ("/desk", False)),
    ):
        assert robots.can_fetch("Anybot", f"{CITY}{path}") is may, path


def test_round_on_short_notice_says_less_than_a_day(session: Session, citizen: TestClient) -> None:
    round_ = a_round(session, Phase.OPEN)
    session.commit()
    assert "کمتر از یک روز پیش از آغاز" in citizen.get(f"/public/rounds/{round_.id}").text


def test_pages_run_nothing_and_are_cached_a_minute(session: Session, citizen: TestClient, made: Make) -> None:
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


def test_shared_page_has_a_preview(session: Session, citizen: TestClient, made: Make) -> None:
    round_ = made()
    session.commit()
    for path in ("/public/how", f"/public/rounds/{round_.id}?lang=en"):
        metas = Read(citizen.get(path).text).all("meta")
        preview = {meta["property"]: meta["content"] or "" for meta in metas if "property" in meta}
        assert preview["og:url"] == CITY + path
        assert preview["og:title"] and preview["og:description"]
    assert "Manager of District 4" in preview["og:title"]


def test_public_pages_reveal_no_waiting_citizen(session: Session, citizen: TestClient) -> None:
    round_ = a_round(session, Phase.LIVE)
    registered = some_registrations(session, round_, 5)
    session.commit()
    paths = ["/public/", f"/public/rounds/{round_.id}", "/public/rounds.atom", "/public/rounds.ics"]
    read = "".join(citizen.get(path).text for path in paths)
    assert f"/public/rounds/{round_.id}" in read
    for registration in registered:
        national = numbers.format_national(registration.number)
        for secret in (registration.number, national, registration.ticket):
            assert secret not in read
