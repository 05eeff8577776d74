"""The API's document, asked for while citizens ask for other things."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.factories import at_once

DOCUMENT = "/api/openapi.json"


@pytest.fixture
def page(app: FastAPI) -> TestClient:
    return TestClient(app)


def test_document_is_made_once_and_outside_the_event_loop(
    app: FastAPI, page: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    def openapi() -> dict[str, Any]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            made.append(True)
        else:
            made.append(False)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(app, "openapi", openapi)
    answers = at_once(5, lambda _: page.get(DOCUMENT).json())
    assert answers == [{"openapi": "3.1.0"}] * 5
    assert made == [True], "once, and by a thread that no other request waits for"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_document_is_the_same_for_every_client(app: FastAPI, page: TestClient, encoding: str) -> None:
    answer = page.get(DOCUMENT, headers={"Accept-Encoding": encoding})
    assert answer.json() == json.loads(json.dumps(app.openapi()))
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["content-type"] == "application/json"
