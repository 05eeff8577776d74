"""A citizen's page and the search that leads to it: who sees it, and the audit log of it."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import BlockReason, Official, OfficialKind, OutboxKind, OutboxMessage, Registration, Role
from db.states import CallbackState
from hotline import audit, numbers
from hotline.line import blocked
from settings import Settings
from tests.api.answers import As, SignedIn, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_callback, a_desk, a_registration, a_request, a_round, a_user

V1 = "/api/v1"


@pytest.fixture
def place(engine: Engine) -> Registration:
    """A place in a round; with its number also go a request and a text message."""
    with writing(engine) as session:
        place = a_registration(session, a_round(session))
        a_request(session, number=place.number, category=3, district=5)
        session.add(
            OutboxMessage(
                key="told", kind=OutboxKind.REGISTERED, registration_id=place.id, to=place.number, body="…",
                made_at=now(session), not_before=now(session),
            )
        )  # fmt: skip
        return place


def found(page: TestClient, typed: str) -> dict[str, Any]:
    answer = page.post(f"{V1}/search", json={"typed": typed})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def logged(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(entry.action, entry.subject) for entry in audit.search(session)]


def test_place_is_found_by_any_form_of_ticket_or_number(as_role: As, place: Registration) -> None:
    operator, national = as_role(Role.OPERATOR), numbers.format_national(place.number)
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    forms = (place.ticket, place.ticket.translate(persian), f" {place.ticket[:4]} {place.ticket[4:]} ")
    forms = (
        *forms,
        f"\u2066{place.ticket[:4]} {place.ticket[4:]}\u2069",
        f"{place.ticket[:4]}-{place.ticket[4:]}",
    )
    spaced = f"{national[:4]} {national[4:]}"
    for typed in (*forms, national, national.translate(persian), place.number, spaced):
        results = found(operator, typed)
        assert [one["id"] for one in results["registrations"]] == [place.id], typed
        assert bool(results["requests"]) == (typed not in forms)


def test_tracking_number_finds_its_request_alone(as_role: As, engine: Engine, place: Registration) -> None:
    with writing(engine) as session:
        request = a_request(session, number=place.number)
    results = found(as_role(Role.OPERATOR), request.tracking)
    assert [one["tracking"] for one in results["requests"]] == [request.tracking]
    assert results["registrations"] == []


@pytest.mark.parametrize("typed", ["", "1", "%", "_", "00000000", "09", "'; --", "۰" * 80, "\u202e137"])
def test_unknown_number_finds_nothing(as_role: As, place: Registration, typed: str) -> None:
    assert found(as_role(Role.OPERATOR), typed) == {"registrations": [], "requests": [], "staff": []}


def test_official_finds_requests_of_the_own_district_only(
    as_user: SignedIn, engine: Engine, place: Registration
) -> None:
    with writing(engine) as session:
        here, there = (a_request(session, number=place.number, district=one) for one in (5, 6))
        manager = a_user(session, a_desk(session))
        manager.role = Role.OFFICIAL
        manager.official = Official(
            kind=OfficialKind.DISTRICT_MANAGER,
            district=5,
            office_fa="…",
            office_en="…",
            clip="official-district-5",
        )
    official = as_user(manager)
    for typed in (place.ticket, place.number):
        assert found(official, typed) == {"registrations": [], "requests": [], "staff": []}
    assert [one["id"] for one in found(official, here.tracking)["requests"]] == [here.id]
    assert found(official, there.tracking)["requests"] == []
    assert official.get(f"{V1}/citizens/registration/{place.id}").status_code == 403


def test_name_is_found_by_those_who_manage_people_only(as_role: As, engine: Engine) -> None:
    with writing(engine) as session:
        person = a_user(session)
        person.name = "مهتاب_100%"
    assert [one["id"] for one in found(as_role(Role.ADMINISTRATOR), "تاب_1")["staff"]] == [person.id]
    assert found(as_role(Role.ADMINISTRATOR), "تاب%1")["staff"] == []
    assert found(as_role(Role.SUPERVISOR), "مهتاب")["staff"] == []


def test_citizen_page_masks_the_number_and_is_audited(
    as_role: As, engine: Engine, place: Registration
) -> None:
    with writing(engine) as session:
        blocked.block(session, place.number, BlockReason.NUISANCE, who="desk1", note="")
    operator = as_role(Role.OPERATOR)
    citizen = operator.get(f"{V1}/citizens/registration/{place.id}").json()
    assert citizen["number"] == numbers.format_national(numbers.mask(place.number))
    assert (citizen["masked"], citizen["blocked"]) == (True, True)
    assert [one["id"] for one in citizen["registrations"]] == [place.id]
    (request,) = citizen["requests"]
    assert [one["kind"] for one in citizen["messages"]] == ["registered"]
    by_request = operator.get(f"{V1}/citizens/request/{request['id']}").json()
    assert by_request == citizen

    shown = operator.post(f"{V1}/citizens/registration/{place.id}/number").json()
    assert shown == {"number": numbers.format_national(place.number)}
    subject = f"registration {place.id}"
    read = ("citizen-read", subject), ("citizen-read", f"request {request['id']}"), ("number-shown", subject)
    assert [entry for entry in logged(engine) if entry in read] == [*reversed(read)]


def test_page_of_the_citizen_in_hand_shows_the_number(as_user: SignedIn, engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        held = a_callback(session, CallbackState.TALKING, user).registration
    citizen = as_user(user).get(f"{V1}/citizens/registration/{held.id}").json()
    assert (citizen["number"], citizen["masked"]) == (numbers.format_national(held.number), False)
    assert "citizen-read" not in dict(logged(engine))


def test_unknown_citizen_address_is_not_found(as_role: As, engine: Engine) -> None:
    with writing(engine) as session:
        nameless = a_request(session, number=None)
    operator = as_role(Role.OPERATOR)
    for address in ("registration/404404", "request/404404", f"request/{nameless.id}"):
        assert operator.get(f"{V1}/citizens/{address}").status_code == 404
        assert operator.post(f"{V1}/citizens/{address}/number").status_code == 404
    assert logged(engine) == []


def test_number_of_a_new_owner_leads_to_nobody(
    as_role: As, place: Registration, engine: Engine, app: FastAPI, settings: Settings
) -> None:
    before = page_of(app, engine, settings, place.number)
    assert before.get(f"{V1}/my").status_code == 200
    supervisor, way = as_role(Role.SUPERVISOR), f"{V1}/citizens/registration/{place.id}"
    why = {"reason": "صاحب تازه با مدرک آمد"}
    problem(supervisor.post(f"{way}/new-owner", json={"reason": " "}), 409, "reason-missing")
    problem(supervisor.post(f"{way}/new-owner", json=why), 409, "places-held")
    assert supervisor.get(way).status_code == 200
    assert supervisor.post(f"{way}/new-owner", json=why | {"give_up": True}).status_code == 204
    problem(supervisor.get(way), 404, "not-found")
    problem(before.get(f"{V1}/my"), 401, "not-signed-in")
    after = page_of(app, engine, settings, place.number).get(f"{V1}/my").json()
    assert (after["places"], after["requests"]) == ([], [])
    assert ("number-new-owner", f"citizen {numbers.mask(place.number)}") in logged(engine)
