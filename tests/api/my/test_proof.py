"""A citizen is given what the public ledger has of their report, and checks it with nothing of ours."""

import json
from hashlib import sha256

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import writing
from hotline.citizens import erasure
from hotline.ledger import seals
from hotline.requests import closing, work
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_request
from tests.hotline.requests.office import refer

REQUESTS = f"{V1}/my/requests"


def a_history(engine: Engine, number: str) -> str:
    with writing(engine) as session:
        request = a_request(session, number=number)
        refer(session, request)
        work.reply(session, request, who="d", reply="چراغ عوض شد")
        closing.answer(session, request.id, solved=False, note="هنوز تاریک است")
        seals.seal(session)
        return request.tracking


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_proof_of_a_request_matches_the_public_ledger(
    app: FastAPI, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    tracking = a_history(engine, number)
    mine: TestClient = page_of(app, engine, settings, number)
    steps = mine.get(f"{REQUESTS}/{tracking}").json()["steps"]
    lines = mine.get(f"{REQUESTS}/{tracking}/proof").json()["lines"]
    public = TestClient(app).get("/public/ledger/entries").text.splitlines()
    assert [line["step"] for line in lines] == [step["step"] for step in steps] != []
    for line, step in zip(lines, steps, strict=True):
        assert public[line["entry"] - 1] == line["line"]
        hashes = json.loads(line["line"])[5]
        assert hashed(line["told"]) == hashes["step"]
        assert json.loads(line["told"])[1:3] == [tracking, step["step"]]
        assert line["note"] is None or hashed(line["note"]) == hashes["note"]
        assert (json.loads(line["note"])[1] if line["note"] else "") == step["note"]
    assert not any(secret in "\n".join(public) for secret in (tracking, number[1:], "چراغ", "تاریک"))


def test_proof_of_a_foreign_or_deleted_request_is_not_found(
    app: FastAPI, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    tracking = a_history(engine, number)
    other = page_of(app, engine, settings, a_number())
    problem(other.get(f"{REQUESTS}/{tracking}/proof"), 404, "not-found")
    with writing(engine) as session:
        erasure.delete_citizen(session, number, who="citizen", give_up=True)
    problem(page_of(app, engine, settings, number).get(f"{REQUESTS}/{tracking}/proof"), 404, "not-found")
    assert TestClient(app).get("/public/ledger/proof/1").json()["tree_size"] == 3


def test_each_step_on_the_number_page_links_to_its_proof(app: FastAPI, engine: Engine) -> None:
    tracking = a_history(engine, a_number())
    shown = TestClient(app).post("/public/number", data={"ticket": tracking})
    assert shown.status_code == 200
    assert [f"/public/ledger/proof/{entry}" in shown.text for entry in (1, 2, 3, 4)] == [True] * 3 + [False]
    assert "هنوز تاریک است" not in shown.text
