"""The set-up page's answers: what is set, what is missing, and each trial, for administrators alone."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import writing
from db.models import Role
from hotline import backups
from hotline.messages import outbox
from hotline.trunk import selection
from settings import Settings
from settings.addresses import Address
from tests.api.answers import V1, As, problem

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

TRIAL = {"number": "09131234567", "language": "fa"}
VOICE = b"RIFF\x24\x00\x00\x00WAVE"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    target = tmp_path / "backups"
    target.mkdir()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    trunks = (settings.trunks[0].model_copy(update={"host": Address("127.0.0.1", 5070)}),)
    return settings.model_copy(update={"sms_provider": "console", "backup_dir": target, "trunks": trunks})


@pytest.fixture
def administrator(as_role: As) -> TestClient:
    return as_role(Role.ADMINISTRATOR)


def shown(page: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = page.get(f"{V1}/setup").json()
    return answer


def test_new_installation_names_the_sample_values(
    administrator: TestClient,
) -> None:
    answer = shown(administrator)
    assert answer["city"]["sample"] and answer["city"]["districts"] == 15
    assert answer["sample_trunk"] and answer["trunks"][0]["answers"] is None
    assert answer["providers"] == ["console"] and answer["calls"] == answer["texts"] == []
    assert [(each["voice"], each["sample"]) for each in answer["voices"]] == [("espeak", False)] * 2
    assert answer["backup"]["wanted"] and answer["backup"]["good_at"] is None


def test_trunk_that_is_down_is_shown_without_secrets(administrator: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        selection.record_failure(session, "trunk", "callback-1", 0)
        selection.record_latency(session, "trunk", 12.5)
    answer = administrator.get(f"{V1}/setup")
    (trunk,) = answer.json()["trunks"]
    assert trunk["down_since"] and (trunk["said"], trunk["refused"], trunk["latency_ms"]) == (0, 1, 12.5)
    assert "secret" not in answer.text


def test_second_test_call_is_the_same_and_masked(
    administrator: TestClient,
) -> None:
    first, second = (administrator.post(f"{V1}/setup/calls", json=TRIAL) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["number"], first.json()["result"]) == ("+989…67", None)
    assert [each["id"] for each in shown(administrator)["calls"]] == [first.json()["id"]]
    body = problem(
        administrator.post(f"{V1}/setup/calls", json=TRIAL | {"number": "09137654321"}),
        409,
        "trial-under-way",
    )
    assert "field" not in body
    wrong = administrator.post(f"{V1}/setup/calls", json=TRIAL | {"trunk": "none-such"})
    assert problem(wrong, 404, "not-found")["field"] == "trunk"
    assert {"trial-call"} <= {entry["action"] for entry in administrator.get(f"{V1}/audit").json()["items"]}


@pytest.mark.parametrize("what", ["calls", "texts"])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"number": "+12025550123"}, "number-not-allowed"),
        ({"number": "<script>"}, "number-invalid"),
        ({"number": "09131234567\x00"}, "invalid-input"),
        ({"number": "9" * 41}, "invalid-input"),
        ({"number": ["09131234567"]}, "invalid-input"),
        ({"number": "09131234567", "language": "de"}, "invalid-input"),
        ({}, "invalid-input"),
    ],
)
def test_hostile_trial_is_refused(
    administrator: TestClient, what: str, sent: dict[str, Any], code: str
) -> None:
    answer = administrator.post(f"{V1}/setup/{what}", json=sent)
    problem(answer, 409 if code.startswith("number") else 422, code)
    assert shown(administrator)[what] == []


def test_test_message_is_shown_in_page_and_outbox(administrator: TestClient, engine: Engine) -> None:
    asked = administrator.post(f"{V1}/setup/texts", json=TRIAL)
    assert (asked.status_code, asked.json()["to"], asked.json()["state"]) == (202, "+989…67", "pending")
    assert shown(administrator)["texts"] == administrator.get(f"{V1}/outbox").json() == [asked.json()]
    with writing(engine) as session:
        outbox.answer(session, "answer-1", "+989131234567", {})
    assert [each["trial"] for each in administrator.get(f"{V1}/outbox").json()] == [False, True]
    assert len(shown(administrator)["texts"]) == 1


def test_second_backup_request_is_the_same_until_made(administrator: TestClient, settings: Settings) -> None:
    first, second = (administrator.post(f"{V1}/setup/backup").json() for _ in range(2))
    assert first["asked_at"] and first == second
    since = backups.find_asked_at(settings)
    assert since and backups.find_due_since(settings, since) == since
    backups.write(settings, backups.Status(since.isoformat(), False, error="no room left"))
    assert backups.find_asked_at(settings) is None
    said = shown(administrator)["backup"]
    assert (said["why"], said["error"]) == ("other", "no room left"), "of a version that has no word for it"
    (settings.state_dir / "backup.asked").write_text("\x00 no time")
    assert backups.find_asked_at(settings) is None


def test_sample_sentence_is_played_by_ranges(administrator: TestClient, settings: Settings) -> None:
    problem(administrator.get(f"{V1}/setup/voices/fa"), 404, "not-found")
    problem(administrator.get(f"{V1}/setup/voices/..%2f..%2fsecret"), 404, "not-found")
    problem(administrator.get(f"{V1}/setup/voices/xx"), 422, "invalid-input")
    folder = settings.prompts_dir / "fa"
    folder.mkdir(parents=True)
    (folder / "trial-call.wav").write_bytes(VOICE)
    assert administrator.get(f"{V1}/setup/voices/fa").content == VOICE
    part = administrator.get(f"{V1}/setup/voices/fa", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert [each["sample"] for each in shown(administrator)["voices"]] == [True, False]
