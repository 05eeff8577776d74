"""Readers of the public pages and feeds: a page's elements and data, the rounds of each feed."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from fastapi.testclient import TestClient
from icalendar import Calendar

from db.models import Round

HOST = "137.example"
CITY = f"https://{HOST}"
ATOM = "{http://www.w3.org/2005/Atom}"
Make = Callable[..., Round]


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


def events(citizen: TestClient) -> dict[str, Any]:
    calendar = Calendar.from_ical(citizen.get("/public/rounds.ics").content)
    assert calendar["METHOD"] == "PUBLISH"
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


def entries(citizen: TestClient, language: str = "") -> list[ElementTree.Element]:
    feed = ElementTree.fromstring(citizen.get(f"/public/rounds.atom{language}").content)
    return feed.findall(f"{ATOM}entry")
