"""A citizen reports by the API, follows the report, and says whether it is solved."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select

from api.app import create
from db.engine import reading, writing
from db.models import (
    BlockReason,
    Category,
    CitizenSession,
    Follower,
    OutboxKind,
    OutboxMessage,
    Picture,
    Request,
)
from db.states import RequestState
from hotline.citizens import erasure, sessions
from hotline.line import blocked
from hotline.requests import closing, work
from hotline.requests.parts import Piece
from settings import Settings
from tests.api.answers import LONG, V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_request
from tests.kit import picture_files as files
from tests.kit import statements

MINE = f"{V1}/my/requests"
KEY = "0190-report-1"
SAID: dict[str, Any] = {"category": 2, "text": "چراغ کوچه خاموش است", "place": "روبه‌روی دبستان"}
STATEMENTS = 17
"""Statements for a report with a picture (docs/measured.md): no row is read twice."""
SQUARE = [[51.6, 32.6], [51.7, 32.6], [51.7, 32.7], [51.6, 32.7], [51.6, 32.6]]
HOLE = [[51.64, 32.64], [51.66, 32.64], [51.66, 32.66], [51.64, 32.66], [51.64, 32.64]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    path = settings.state_dir / "districts.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    geometry = {"type": "Polygon", "coordinates": [SQUARE, HOLE]}
    feature = {"type": "Feature", "properties": {"district": 5}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return settings.model_copy(update={"districts_file": path})


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    """The page of a citizen."""
    return page_of(app, engine, settings, number)


def picture(page: TestClient) -> str:
    return str(page.post(f"{V1}/my/pictures", content=files.jpeg()).json()["id"])


def report(page: TestClient, key: str = KEY, **more: Any) -> Response:
    return page.post(MINE, json=SAID | more, headers={"Idempotency-Key": key})


def test_request_with_pictures_keeps_its_location(
    mine: TestClient, engine: Engine, number: str, desk: TestClient, app: FastAPI, settings: Settings
) -> None:
    shown = [picture(mine), picture(mine)]
    answer = report(mine, latitude=32.61, longitude=51.65, district=9, pictures=shown)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["state"], told["district"], told["place"]) == ("new", 5, SAID["place"])
    assert [each["id"] for each in told["pictures"]] == shown
    assert mine.get(f"{MINE}/{told['tracking']}").json() == told
    assert [each["tracking"] for each in mine.get(MINE).json()] == [told["tracking"]]
    assert mine.get(f"{V1}/my/pictures/{shown[1]}").status_code == 200
    with reading(engine) as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.to == number)).one()
        assert message.kind is OutboxKind.REQUEST_REPORTED
        id_ = session.scalars(select(Request.id)).one()
    seen = desk.get(f"{V1}/requests/{id_}").json()
    assert seen["request"]["written"] == SAID["text"]
    assert seen["place"] == {"latitude": 32.61, "longitude": 51.65, "words": SAID["place"]}
    assert [(each["id"], each["kind"]) for each in seen["pictures"]] == [(id_, "before") for id_ in shown]
    assert desk.get(f"{V1}/requests/{id_}/pictures/{shown[0]}").headers["content-type"] == "image/jpeg"
    with writing(engine) as session:
        elsewhere = a_request(session).id
    problem(desk.get(f"{V1}/requests/{elsewhere}/pictures/{shown[0]}"), 404, "not-found")
    other = page_of(app, engine, settings, a_number())
    problem(other.get(f"{MINE}/{told['tracking']}"), 404, "not-found")
    problem(other.post(f"{MINE}/{told['tracking']}/confirm"), 404, "not-found")
    problem(other.get(f"{V1}/my/pictures/{shown[0]}"), 404, "not-found")
    assert other.get(MINE).json() == []


def test_request_takes_few_statements(mine: TestClient, app: FastAPI) -> None:
    shown = [picture(mine)]
    with statements.heard(app.state.engine) as said:
        assert report(mine, pictures=shown).status_code == 201
    assert len(said) <= STATEMENTS, "\n".join(said)


def test_repeated_request_is_the_same_and_a_changed_one_refused(
    mine: TestClient, app: FastAPI, engine: Engine, settings: Settings
) -> None:
    shown = [picture(mine)]
    first = report(mine, pictures=shown)
    again = report(mine, pictures=shown)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    problem(report(mine, text="چیز دیگر"), 409, "key-reused")
    assert report(mine, key="0190-report-2").status_code == 201
    other = page_of(app, engine, settings, a_number())
    assert report(other).status_code == 201, "a key is of one number"
    with reading(engine) as session:
        assert len(session.scalars(select(Request)).all()) == 3
        assert len(session.scalars(select(OutboxMessage)).all()) == 3


@pytest.mark.parametrize(
    ("more", "status", "code", "field"),
    [
        ({"category": 404}, 409, "category-inactive", "category"),
        ({"text": " "}, 409, "text-missing", None),
        ({"text": LONG}, 422, "invalid-input", "text"),
        ({"place": " "}, 409, "place-missing", "place"),
        ({"latitude": 35.7, "longitude": 51.4}, 409, "place-outside", "latitude"),
        ({"latitude": 32.6}, 422, "invalid-input", None),
        ({"latitude": 91, "longitude": 51}, 422, "invalid-input", "latitude"),
        ({"answers": ["یک"]}, 409, "answers-unasked", "answers"),
        ({"pictures": ["0" * 32]}, 409, "picture-unknown", "pictures"),
        ({"pictures": ["../secret"]}, 422, "invalid-input", "pictures"),
        ({"pictures": ["0" * 32] * 4}, 422, "invalid-input", "pictures"),
        ({"district": 16}, 409, "place-outside", "district"),
        ({"district": 41}, 422, "invalid-input", "district"),
    ],
)
def test_faulty_request_is_refused_and_frees_its_key(
    mine: TestClient, engine: Engine, more: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    assert problem(report(mine, **more), status, code).get("field") == field
    with reading(engine) as session:
        assert session.scalars(select(Request)).all() == []
    assert report(mine).status_code == 201, "its key is free"


def test_picture_claimed_twice_or_foreign_is_refused(
    mine: TestClient, app: FastAPI, engine: Engine, settings: Settings
) -> None:
    own = picture(mine)
    other = page_of(app, engine, settings, a_number())
    problem(report(other, pictures=[own]), 409, "picture-unknown")
    problem(report(mine, pictures=[own, own]), 409, "picture-unknown")
    assert report(mine, pictures=[own]).status_code == 201
    problem(report(mine, key="0190-report-2", pictures=[own]), 409, "picture-unknown")


@pytest.mark.parametrize(
    ("point", "district"), [((32.61, 51.61), 5), ((32.65, 51.65), None), ((32.5, 51.5), None)]
)
def test_location_gives_the_district_of_the_boundaries(
    mine: TestClient, point: tuple[float, float], district: int | None
) -> None:
    assert report(mine, latitude=point[0], longitude=point[1]).json()["district"] == district


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        '{"features": [{"properties": {"district": 4}, "geometry": null}]}',
        json.dumps(
            {
                "features": [
                    {"properties": {"district": 99}, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
                ]
            }
        ),
    ],
)
def test_unusable_boundaries_keep_the_reported_district(
    mine: TestClient, settings: Settings, content: str
) -> None:
    assert settings.districts_file
    settings.districts_file.write_text(content)
    answer = report(mine, latitude=32.61, longitude=51.61, district=9)
    assert (answer.status_code, answer.json()["district"]) == (201, 9)


def test_answers_to_category_questions_follow_the_words(mine: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        asked = [{"fa": "چند چراغ؟", "en": "How many?"}, {"fa": "از کی؟", "en": "Since when?"}]
        session.get_one(Category, 2).questions = asked
    told = report(mine, answers=["", "شنبه"]).json()
    assert told["written"] == f"{SAID['text']}\n\nاز کی؟\nشنبه"


def test_endless_requests_of_a_number_are_rate_limited(
    engine: Engine, settings: Settings, number: str
) -> None:
    few = settings.model_copy(update={"reports_per_day": 3})
    page = page_of(create(few), engine, few, number)
    answers = [report(page, key=f"report-{i:04}") for i in range(50)]
    assert [each.status_code for each in answers] == [201] * 3 + [429] * 47
    problem(answers[-1], 429, "too-many-reports")
    assert 86_000 < int(answers[-1].headers["retry-after"]) <= 86_400
    assert report(page, key="report-0001").status_code == 200, "what was sent is answered all the same"
    with reading(engine) as session:
        assert len(session.scalars(select(Request)).all()) == 3


def test_request_of_a_blocked_number_is_refused(mine: TestClient, engine: Engine, number: str) -> None:
    tracking = report(mine).json()["tracking"]
    with writing(engine) as session:
        blocked.block(session, number, BlockReason.NUISANCE)
    problem(report(mine, key="0190-report-2"), 409, "number-blocked")
    problem(mine.post(f"{MINE}/{tracking}/confirm"), 409, "number-blocked")
    assert mine.get(MINE).status_code == 200


def test_objection_with_a_picture_reopens_until_confirmed(
    mine: TestClient, engine: Engine, number: str, desk: TestClient
) -> None:
    tracking = report(mine).json()["tracking"]
    problem(mine.post(f"{MINE}/{tracking}/confirm"), 409, "wrong-state")

    def solve(who: str) -> int:
        with writing(engine) as session:
            request = session.scalars(select(Request).where(Request.tracking == tracking)).one()
            work.reply(session, request, who=who, reply="ترمیم شد")
            return request.id

    id_ = solve("operator1")
    shown = picture(mine)
    objection = {"reason": "هنوز خاموش است", "pictures": [shown]}
    problem(mine.post(f"{MINE}/{tracking}/object", json={"reason": " "}), 409, "reason-missing")
    told = mine.post(f"{MINE}/{tracking}/object", json=objection).json()
    assert (told["state"], told["asked"]) == (RequestState.REOPENED, False)
    assert told["steps"][-1]["note"] == objection["reason"]
    assert [(each["id"], each["kind"]) for each in told["pictures"]] == [(shown, "objection")]
    seen = desk.get(f"{V1}/requests/{id_}").json()
    assert (seen["steps"][-1]["note"], seen["request"]["denials"]) == (objection["reason"], 1)
    problem(mine.post(f"{MINE}/{tracking}/object", json={"reason": "باز هم"}), 409, "wrong-state")
    solve("operator2")
    assert mine.post(f"{MINE}/{tracking}/confirm").json()["state"] == RequestState.CLOSED


def test_objection_sent_twice_counts_once(mine: TestClient, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        request = a_request(session, number=number)
        id_, path = request.id, f"{MINE}/{request.tracking}"
        work.reply(session, request, who="operator1", reply="ترمیم شد")
    asked = mine.get(path).json()["replied_at"]
    said = {"reason": "هنوز خاموش است", "pictures": [picture(mine)], "answer": asked}
    first, again = (mine.post(f"{path}/object", json=said).json() for _ in range(2))
    assert first == again and again["state"] == RequestState.REOPENED and again["replied_at"] is None
    with writing(engine) as session:
        work.reply(session, work.get_for_update(session, id_), who="operator2", reply="دوباره ترمیم شد")
    late = mine.post(f"{path}/object", json=said).json()
    assert (late["state"], [step["step"] for step in late["steps"]].count("denied")) == ("replied", 1)
    problem(mine.post(f"{path}/object", json=said | {"reason": "دیگر"}), 409, "answer-over")
    problem(mine.post(f"{path}/object", json=said | {"answer": "0001-01-01T00:00:00Z"}), 422, "invalid-input")
    assert mine.get(path).json()["asked"]


def test_objection_to_one_part_reopens_it_alone(mine: TestClient, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        whole = a_request(session, number=number)
        path = f"{MINE}/{whole.tracking}"
        pieces = [Piece(1, "چراغ"), Piece(2, "چاله"), Piece(3, "نهر")]
        ids = [part.id for part in work.split(session, whole, pieces, who="u")]
        closing.reject(session, work.get_for_update(session, ids[0]), who="u", reason="کار شرکت برق است")
        for id_, reply in zip(ids[1:], ("پر شد", "لایروبی شد"), strict=True):
            work.reply(session, work.get_for_update(session, id_), who="u", reply=reply)
    told = mine.get(path).json()
    assert [(part["place"], part["reply"]) for part in told["parts"]] == [(2, "پر شد"), (3, "لایروبی شد")]
    said = {"reason": "هنوز بوی بد می‌آید"}
    for place in (1, 9):
        problem(mine.post(f"{path}/object", json=said | {"parts": [3, place]}), 409, "part-unknown")
    told = mine.post(f"{path}/object", json=said | {"parts": [3]}).json()
    assert (told["state"], told["parts"]) == ("accepted", [])
    with reading(engine) as session:
        states = [session.get_one(Request, id_).state for id_ in ids]
    assert states == [RequestState.REJECTED, RequestState.REPLIED, RequestState.REOPENED]


def test_missing_or_odd_idempotency_key_is_named(mine: TestClient) -> None:
    problem(mine.post(MINE, json=SAID), 422, "invalid-input")
    for odd in ("short", "x" * 65, "with a space"):
        problem(report(mine, key=odd), 422, "invalid-input")


def test_rating_of_an_own_request_can_be_changed(mine: TestClient, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        tracking = a_request(session, RequestState.REPLIED, number=number).tracking
    problem(mine.post(f"{MINE}/{tracking}/rate", json={"stars": 5}), 409, "wrong-state")
    assert mine.get(f"{MINE}/{tracking}").json()["may_rate"] is False
    said = mine.post(f"{MINE}/{tracking}/confirm").json()
    assert (said["may_rate"], said["stars"]) == (True, None)
    for wrong in (0, 6, 2.5, None, "x"):
        assert mine.post(f"{MINE}/{tracking}/rate", json={"stars": wrong}).status_code == 422
    for stars in (5, 2):
        said = mine.post(f"{MINE}/{tracking}/rate", json={"stars": stars}).json()
        assert (said["may_rate"], said["stars"]) == (True, stars)


@pytest.mark.parametrize("act", ["report", "picture", "confirm", "object", "follow"])
def test_deletion_in_another_window_leaves_nothing_in_transit(
    mine: TestClient,
    engine: Engine,
    number: str,
    act: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    with writing(engine) as session:
        own, other = a_request(session, RequestState.REPLIED, number=number), a_request(session)
    mine.get(MINE)  # its session is in use
    with reading(engine) as session:
        before = session.scalars(select(CitizenSession)).one()
    with writing(engine) as session:
        erasure.delete_citizen(session, number, who="u", give_up=True)
    monkeypatch.setattr(sessions, "find_by_access", lambda *_: before)  # it was looked at just before
    match act:
        case "report":
            answer = report(mine)
        case "picture":
            answer = mine.post(f"{V1}/my/pictures", content=files.jpeg())
        case "follow":
            answer = mine.post(f"{MINE}/{other.tracking}/follow", json={"language": "fa"})
        case _:
            said = {"json": {"reason": "باز خاموش است"}} if act == "object" else {}
            answer = mine.post(f"{MINE}/{own.tracking}/{act}", **said)
    problem(answer, 401, "not-signed-in")
    with reading(engine) as session:
        assert session.query(Request).filter(Request.number == number).all() == []
        assert session.query(Follower).all() == session.query(Picture).all() == []
    assert [*settings.pictures_dir.glob("*.jpg")] == []
