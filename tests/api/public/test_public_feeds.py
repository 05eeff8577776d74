"""The feeds of rounds and the data in their pages, read back as calendars, readers and search engines do."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy.orm import Session

from db.models import Round
from hotline.rounds import planning
from tests.api.public.public_pages import ATOM, CITY, HOST, Make, Read, entries, events
from tests.factories import HOUR

HOSTILE = "</script><i>\"'&amp;\u202e]]>\x0b\r\nBEGIN:VEVENT"
PLAIN = "</script><i>\"'&amp;]]> BEGIN:VEVENT"


@pytest.mark.parametrize("path", ["/public/rounds.atom", "/public/rounds.ics"])
def test_known_feed_is_sent_again_only_after_a_change(
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


def test_calendar_holds_times_texts_and_changes(session: Session, citizen: TestClient, made: Make) -> None:
    round_ = made()
    session.commit()
    event = events(citizen)[f"round-{round_.id}@{HOST}"]
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
    event = events(citizen)[f"round-{round_.id}@{HOST}"]
    assert (event["SEQUENCE"], event["STATUS"]) == (1, "CONFIRMED")
    assert event["DTEND"].dt == ends.replace(microsecond=0)

    planning.cancel(session, round_, who="x", reason="بیماری")
    session.commit()
    event = events(citizen)[f"round-{round_.id}@{HOST}"]
    assert (event["SEQUENCE"], event["STATUS"]) == (2, "CANCELLED")
    assert "بیماری" in event["DESCRIPTION"]


def test_atom_feed_has_the_newest_first_in_each_language(
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


def test_structured_data_describes_the_round(session: Session, citizen: TestClient, made: Make) -> None:
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


def test_event_status_follows_each_change_of_the_round(
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
def test_hostile_names_and_reasons_are_plain_text(
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
