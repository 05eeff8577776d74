"""A citizen takes and gives up a place by the API, under the order and rules of the telephone."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import BlockReason, OutboxKind, OutboxMessage, Registration
from db.states import Phase, RegistrationState
from hotline.ledger import verify
from hotline.line import blocked, order, registration
from hotline.rounds import phases
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_round

PLACES = f"{V1}/my/places"


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    """The page of a citizen."""
    return page_of(app, engine, settings, number)


def open_round(engine: Engine) -> int:
    with writing(engine) as session:
        return a_round(session, Phase.OPEN).id


def kept(engine: Engine, number: str) -> Registration:
    with reading(engine) as session:
        return session.scalars(select(Registration).where(Registration.number == number)).one()


def told(engine: Engine) -> list[OutboxKind]:
    with reading(engine) as session:
        return list(session.scalars(select(OutboxMessage.kind).order_by(OutboxMessage.id)))


def test_second_registration_returns_the_same_place(mine: TestClient, engine: Engine, number: str) -> None:
    round_id = open_round(engine)
    with writing(engine) as session:
        registration.register(session, round_id=round_id, number=a_number())
    first = mine.post(PLACES, json={"round_id": round_id, "subject": 2})
    again = mine.post(PLACES, json={"round_id": round_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    place = kept(engine, number)
    assert (first.json()["ticket"], first.json()["place"]) == (place.ticket, 2)
    assert (place.subject, place.state) == (2, RegistrationState.WAITING)
    with reading(engine) as session:
        assert [each.id for each in order.list_page(session, round_id, 10, None)][-1] == place.id
    assert OutboxKind.REGISTERED in told(engine)
    assert verify.verify(engine).problems == []


def test_cancelled_place_is_over_and_announced_by_text(mine: TestClient, engine: Engine, number: str) -> None:
    ticket = mine.post(PLACES, json={"round_id": open_round(engine)}).json()["ticket"]
    assert mine.delete(f"{PLACES}/{ticket}").status_code == 204
    assert kept(engine, number).state is RegistrationState.CANCELLED
    assert told(engine)[-1] is OutboxKind.CANCELLED
    problem(mine.delete(f"{PLACES}/{ticket}"), 409, "wrong-state")


def test_place_of_another_cannot_be_cancelled(mine: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        theirs = registration.register(session, round_id=round_.id, number=a_number()).ticket
    problem(mine.delete(f"{PLACES}/{theirs}"), 404, "not-found")
    with reading(engine) as session:
        assert registration.get_by_ticket(session, theirs).state is RegistrationState.WAITING


@pytest.mark.parametrize(
    ("which", "status", "code"),
    [
        ("not yet open", 409, "registration-closed"),
        ("full", 409, "round-full"),
        ("the operators' line", 404, "not-found"),
        ("none", 404, "not-found"),
    ],
)
def test_registration_in_a_closed_round_gives_the_reason(
    mine: TestClient, engine: Engine, number: str, which: str, status: int, code: str
) -> None:
    with writing(engine) as session:
        match which:
            case "not yet open":
                round_id = a_round(session, Phase.ANNOUNCED).id
            case "full":
                full = a_round(session, Phase.OPEN)
                full.capacity, round_id = 1, full.id
                session.flush()
                registration.register(session, round_id=round_id, number=a_number())
            case "the operators' line":
                round_id = phases.get_operators_line(session).id
            case _:
                round_id = 4711
    problem(mine.post(PLACES, json={"round_id": round_id}), status, code)
    with reading(engine) as session:
        assert session.scalar(select(Registration).where(Registration.number == number)) is None


def test_blocked_number_or_too_many_places_are_refused(
    mine: TestClient, engine: Engine, number: str, settings: Settings
) -> None:
    for _ in range(settings.registrations_per_day):
        assert mine.post(PLACES, json={"round_id": open_round(engine)}).status_code == 201
    problem(mine.post(PLACES, json={"round_id": open_round(engine)}), 409, "too-many-today")
    with writing(engine) as session:
        blocked.block(session, number, BlockReason.NUISANCE)
    problem(mine.post(PLACES, json={"round_id": open_round(engine)}), 409, "number-blocked")


@pytest.mark.parametrize("wrong", [{}, {"round_id": "x"}, {"round_id": 1, "subject": 0}, {"round_id": 2**70}])
def test_invalid_registration_is_answered_422(mine: TestClient, wrong: dict[str, object]) -> None:
    assert mine.post(PLACES, json=wrong).status_code == 422
