"""The document holds for everybody: what it says may be sent is sent by each, and answered as it says.

Schemathesis makes the requests out of the document. Who is refused at all is the matter of test_roles.
"""

from collections.abc import Callable
from typing import NamedTuple

import hypothesis
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks
from sqlalchemy import Engine

from api.cookies import COOKIE
from api.my import signed_in
from db.engine import writing
from db.models import Role
from hotline.people import api_keys, sign_ins
from hotline.people.api_keys import Scope
from settings import Settings
from tests.api.my.signing_in import page_of
from tests.factories import a_desk, a_number, a_user, of_department
from tests.kit import seed_city

pytestmark = pytest.mark.long

DOCUMENT = "/api/openapi.json"
schemathesis.openapi.media_type("application/offset+octet-stream", st.binary(max_size=64))
UNENDING = ("/api/v1/events", "/api/v1/events/inbox")
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
SEEDED = 8
"""How many rows of most kinds the town has."""
ALIKE = 2
"""Requests of each kind in a green run; as many as Hypothesis likes when it explores."""

Headers = dict[str, str]
SignsIn = Callable[[], Headers]
WHO = ["nobody", "citizen", "program", *Role]


@pytest.fixture
def signs_in(app: FastAPI, engine: Engine, settings: Settings, who: str) -> SignsIn:
    """Signs this one in, once more each time: much of what is asked ends a session."""
    seed_city.fill(engine)
    if who == "nobody":
        return dict
    if who == "program":
        with writing(engine) as session:
            most = api_keys.MOST_A_MINUTE
            _, secret = api_keys.issue(session, name="An app", may=[*Scope], per_minute=most, who="admin")
        return lambda: {"Authorization": f"Bearer {secret}"}
    if who == "citizen":
        many = settings.model_copy(update={"calls_per_hour": 1_000_000})  # so many codes are asked for

        def citizen() -> Headers:
            cookies = page_of(app, engine, many, a_number()).cookies
            return {"Cookie": f"{signed_in.ACCESS}={cookies[signed_in.ACCESS]}"}

        return citizen
    role = Role(who)

    def staff() -> Headers:
        with writing(engine) as session:
            user = of_department(session) if role is Role.DEPARTMENT else a_user(session, a_desk(session))
            user.role = role
            return {"Cookie": f"{COOKIE}={sign_ins.sign_in(session, user)}"}

    return staff


class Asked(NamedTuple):
    """A request; and which one of the town's things it asks for, if it is one of those."""

    case: Case
    of_the_town: bool
    id_: int

    def by(self, client: asgi.ASGIClient, headers: Headers) -> None:
        if self.of_the_town:
            for name, value in (self.case.path_parameters or {}).items():
                if isinstance(value, int):
                    self.case.path_parameters[name] = self.id_
        self.case.call_and_validate(session=client, headers=headers, checks=CHECKS)


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[APIOperation, list[Asked]]]:
    """Generate the requests once, by operation, and reuse them: generating costs more than asking."""
    return {}


@pytest.mark.parametrize("who", WHO)
def test_every_documented_request_is_answered_as_documented(
    app: FastAPI, signs_in: SignsIn, made: dict[str, tuple[APIOperation, list[Asked]]]
) -> None:
    explores = hypothesis.settings().derandomize is False
    if explores or not made:
        with asgi.get_client(app) as client:
            client.get(DOCUMENT)  # written now, however slow the machine; schemathesis waits for 10 s
        document = schemathesis.openapi.from_asgi(DOCUMENT, app)
        operations = [found.ok() for found in document.get_all_operations()]
        made.update({each.label: (each, []) for each in operations if each.path not in UNENDING})
    assert len(made) > 200
    with asgi.get_client(app) as client:
        for operation, alike in made.values():
            headers = signs_in()
            if not alike:
                _asks(operation, client, headers, alike)
                continue
            for asked in alike:
                asked.by(client, headers)


def _asks(operation: APIOperation, client: asgi.ASGIClient, headers: Headers, alike: list[Asked]) -> None:
    profile = hypothesis.settings()
    explores = profile.derandomize is False

    @hypothesis.settings(
        max_examples=profile.max_examples if explores else ALIKE,
        suppress_health_check=[*HealthCheck],
        database=None,
    )
    @given(case=operation.as_strategy(), of_the_town=st.booleans(), id_=st.integers(1, SEEDED))
    def ask(case: Case, of_the_town: bool, id_: int) -> None:
        asked = Asked(case, of_the_town, id_)
        if not explores:
            alike.append(asked)
        asked.by(client, headers)

    ask()
