"""Each body that a request can have is shown in the API's document, by an example that the API takes."""

import re

from fastapi import FastAPI
from sqlalchemy import Engine

from db.models import Role
from settings import Settings
from tests.api.answers import As
from tests.api.my.signing_in import page_of
from tests.factories import a_number


def test_each_body_has_an_example_that_is_accepted(
    app: FastAPI, as_role: As, engine: Engine, settings: Settings
) -> None:
    document, page = app.openapi(), as_role(Role.ADMINISTRATOR)
    page.cookies.update(page_of(app, engine, settings, a_number()).cookies)  # and a citizen's
    page.headers["Idempotency-Key"] = "0190-example"
    schemas, sent = document["components"]["schemas"], 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if content := operation.get("requestBody", {}).get("content", {}).get("application/json"):
                name = content["schema"]["$ref"].rpartition("/")[2]
                (example,) = schemas[name]["examples"]
                asked = re.sub(r"\{[^}]*\}", "1", path.replace("{of}", "request"))
                answer = page.request(method, asked, json=example)
                code = answer.json().get("code") if answer.is_error else ""
                assert code not in ("invalid-input", "unfit-characters", "not-signed-in"), (path, answer.text)
                sent += 1
    assert sent > 0
