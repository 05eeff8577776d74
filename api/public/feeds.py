"""Rounds in formats that other programs read: Atom, iCalendar, schema.org."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from feedgenerator import Atom1Feed

from db.models import Round
from hotline.dates import Language
from hotline.rounds import notices
from hotline.rounds.notice_texts import find_speaker_name
from hotline.words import PUBLIC
from settings import CITY
from settings.city_file import City

if TYPE_CHECKING:
    from icalendar import Event

_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
_SCHEMA = "https://schema.org"


def write_atom(found: Sequence[Round], language: Language, public_url: str, city: City) -> str:
    """Return the notices as an Atom feed, newest first."""
    suffix = "?lang=en" if language == "en" else ""
    feed = Atom1Feed(
        title=PUBLIC.text(language, "feed", "title"),
        link=f"{public_url}/public/{suffix}",
        feed_url=f"{public_url}/public/rounds.atom{suffix}",
        description="",
        language=language,
        author_name=_publisher(city, language),
    )
    feed.latest_post_date = lambda: max(map(notices.find_updated_at, found), default=_BEFORE_ALL)
    for round_ in sorted(found, key=notices.find_updated_at, reverse=True):
        notice = notices.format_text(round_, language, public_url)
        feed.add_item(
            title=notice.title,
            link=notices.format_link(round_, language, public_url),
            unique_id=notices.format_link(round_, language, public_url),
            description=escape(notice.body),
            pubdate=round_.announce_at,
            updateddate=notices.find_updated_at(round_),
        )
    return str(feed.writeString("utf-8"))


def _publisher(city: City, language: Language) -> str:
    return PUBLIC.fill(language, "feed", "publisher", {"municipality": city.municipality(language)})


def write_icalendar(found: Sequence[Round], public_url: str) -> bytes:
    """Return the rounds as a calendar in both languages, with times in UTC."""
    from icalendar import Calendar, Event  # noqa: PLC0415  (80 modules, and few read calendars)

    calendar = Calendar()
    calendar.add("prodid", "-//Hotline 137//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    title = PUBLIC.text("fa", "feed", "title")
    calendar.add("name", title, parameters={"LANGUAGE": "fa"})
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for round_ in found:
        calendar.add_component(_described(Event(), round_, public_url))
    return bytes(calendar.to_ical())


def _described(event: "Event", round_: Round, public_url: str) -> "Event":
    persian, english = (notices.format_text(round_, language, public_url) for language in ("fa", "en"))
    updated = notices.find_updated_at(round_)
    cancelled = round_.cancelled_at is not None
    event.add("uid", f"round-{round_.id}@{urlsplit(public_url).netloc}")  # one calendar may hold two cities
    event.add("sequence", round_.changes + cancelled)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("dtstamp", updated)
    event.add("last-modified", updated)
    event.add("dtstart", round_.starts_at)
    event.add("dtend", round_.ends_at)
    event.add("summary", persian.title, parameters={"LANGUAGE": "fa"})
    event.add("description", f"{persian.body}\n\n{english.title}\n{english.body}")
    event.add("location", PUBLIC.text("fa", "feed", "location"), parameters={"LANGUAGE": "fa"})
    event.add("url", notices.format_link(round_, "fa", public_url))
    event.add("transp", "TRANSPARENT")  # subscribers are not busy for the whole round
    return event


def describe_event(round_: Round, language: Language, public_url: str, city: City) -> dict[str, Any]:
    """Return the round as a schema.org Event."""
    notice = notices.format_text(round_, language, public_url)
    start_set_at = round_.start_set_at or round_.announce_at
    moved = notices.read_content(round_) == "changed" and start_set_at > round_.announce_at
    status = "Cancelled" if round_.cancelled_at else "Rescheduled" if moved else "Scheduled"
    event: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "Event",
        "name": notice.title,
        "description": notice.body,
        "url": notices.format_link(round_, language, public_url),
        "startDate": round_.starts_at.astimezone(CITY).isoformat(timespec="seconds"),
        "endDate": round_.ends_at.astimezone(CITY).isoformat(timespec="seconds"),
        "eventStatus": f"{_SCHEMA}/Event{status}",
        "eventAttendanceMode": f"{_SCHEMA}/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": "tel:137"},
        "organizer": {
            "@type": "GovernmentOrganization",
            "name": _publisher(city, language),
            "telephone": "137",
        },
        "performer": {"@type": "Organization", "name": find_speaker_name(round_, language)},
        "inLanguage": round_.languages.split(","),
        "isAccessibleForFree": True,
    }
    if round_.capacity:
        event["maximumAttendeeCapacity"] = round_.capacity
    return event
