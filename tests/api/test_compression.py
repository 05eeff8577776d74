"""Compression: which answers are compressed, and which are sent as they are."""

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.cookies import COOKIE
from db.engine import writing
from db.models import Role, Round, User
from hotline.line import registration
from hotline.people import sign_ins
from settings import Settings
from tests.api.answers import V1, As
from tests.factories import a_callback, a_number, a_registration, some_registrations
from tests.kit.recording_files import a_file
from tests.kit.served import served

BROWSER = {"Accept-Encoding": "gzip, deflate, br"}
"""The encodings that every browser accepts."""


@pytest.fixture
def line(engine: Engine, live: Round) -> str:
    """The address of a line of 100 places."""
    with writing(engine) as session:
        some_registrations(session, live, 100)
    return f"{V1}/rounds/{live.id}/registrations?limit=100"


def test_line_is_compressed_to_a_quarter(desk: TestClient, line: str) -> None:
    plain = desk.get(line, headers={"Accept-Encoding": "identity"})
    small = desk.get(line, headers=BROWSER)
    assert (plain.headers.get("content-encoding"), small.headers["content-encoding"]) == (None, "gzip")
    assert len(plain.content) > 20_000
    assert int(small.headers["content-length"]) < len(plain.content) / 4
    assert small.json() == plain.json() and len(small.json()["items"]) == 100
    assert {plain.headers["vary"], small.headers["vary"]} == {"Accept-Encoding"}
    assert small.headers["cache-control"] == "no-store"


def test_short_answer_is_not_compressed(desk: TestClient, engine: Engine, live: Round) -> None:
    with writing(engine) as session:
        a_registration(session, live)
    answer = desk.get(f"{V1}/rounds/{live.id}/registrations", headers=BROWSER)
    assert len(answer.content) < 1_000
    assert "content-encoding" not in answer.headers


def test_recorded_sound_is_sent_uncompressed_by_ranges(
    desk: TestClient, engine: Engine, user: User, settings: Settings
) -> None:
    settings.messages_dir.mkdir(parents=True)
    sound = a_file(settings.messages_dir, "0123456789abcdef").read_bytes()
    with writing(engine) as session:
        mine = session.get_one(User, user.id)
        held = a_callback(session, user=mine, voice_message="0123456789abcdef.wav")
    address = f"{V1}/registrations/{held.registration_id}/voice-message"
    for asked, status, expected in (
        ({}, 200, sound),
        ({"Range": "bytes=0-"}, 206, sound),
        ({"Range": "bytes=100-2099"}, 206, sound[100:2100]),
    ):
        answer = desk.get(address, headers={**BROWSER, **asked})
        assert (answer.status_code, answer.content) == (status, expected)
        assert answer.headers["content-length"] == str(len(expected))
        assert "content-encoding" not in answer.headers


def test_events_are_sent_at_once_despite_gzip(
    settings: Settings, engine: Engine, user: User, live: Round
) -> None:
    with writing(engine) as session:
        cookie = sign_ins.sign_in(session, user)
    with (
        served(settings) as url,
        httpx.Client(base_url=url, cookies={COOKIE: cookie}, headers=BROWSER, timeout=30) as page,
        page.stream("GET", f"{V1}/events") as events,
    ):
        assert "content-encoding" not in events.headers
        come = events.iter_raw()
        assert b"event: hello" in next(come)
        with writing(engine) as session:
            registration.register(session, round_id=live.id, number=a_number())
        assert b"event: change" in next(come)


def test_streamed_sheet_is_compressed_and_whole(
    as_role: As,
) -> None:
    auditor = as_role(Role.AUDITOR)
    span = "/reports.csv?by=official&from=2026-01-01&until=2026-12-31"
    plain = auditor.get(f"{V1}{span}", headers={"Accept-Encoding": "identity"})
    small = auditor.get(f"{V1}{span}", headers=BROWSER)
    assert (plain.status_code, small.headers.get("content-encoding")) == (200, "gzip")
    assert small.text == plain.text and small.text
