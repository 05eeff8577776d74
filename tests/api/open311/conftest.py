"""A program with a key, and both formats of what it is answered."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from db.engine import writing
from hotline.people import api_keys
from hotline.people.api_keys import Scope

V2 = "/open311/v2"
FORMATS = ("json", "xml")
PARTS = {
    *("service", "attribute", "value", "request", "note", "endpoint", "format", "error"),
}
"""Names of the elements that are parts of a list."""
REPORT = {"service_code": "lighting", "lat": "32.65432", "long": "51.66789", "description": "چراغ خاموش است"}

Issue = Callable[..., str]


@pytest.fixture
def issue(engine: Engine) -> Issue:
    """Issues a key."""

    def issued(*may: Scope, per_minute: int = 6000) -> str:
        with writing(engine) as session:
            return api_keys.issue(
                session, name="An app", may=may or [*Scope], per_minute=per_minute, who="admin"
            )[1]

    return issued


@pytest.fixture
def program(app: FastAPI, issue: Issue) -> Iterator[TestClient]:
    """A program with a key that may everything."""
    headers = {"Authorization": f"Bearer {issue()}"}
    with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
        yield client


def content(response: Response) -> Any:
    """Return the content of an answer in either format: numbers and booleans as words, nothing as None."""
    kind = response.headers["content-type"]
    if kind.startswith("application/json"):
        return _plain(response.json())
    assert kind == "text/xml; charset=utf-8"
    assert response.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return _of(ElementTree.fromstring(response.content))


def errors(response: Response, status: int) -> str:
    """The answer is errors in the form of the specification; our own code of the first."""
    assert response.status_code == status, response.text
    (error,) = content(response)
    assert error.keys() == {"code", "description"} and error["code"] == str(status)
    code: str = error["description"].partition(":")[0]
    return code


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text or None
    if {child.tag for child in element} <= PARTS and element.tag.endswith("s"):
        return [_of(child) for child in element]
    return {child.tag: _of(child) for child in element}
