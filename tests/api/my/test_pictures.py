"""Pictures by the API: taken in, or refused in words; seen by their owner alone."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Engine, select

from api import limits
from api.security import LONGEST_BODY, LONGEST_PICTURE
from db.engine import reading
from db.models import Picture
from hotline.pictures import attachments, decoding
from hotline.recordings import disk
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number
from tests.kit import picture_files as files
from tests.kit.s3_server import S3Server, stored_in

SENT = f"{V1}/my/pictures"


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    """The page of a citizen."""
    return page_of(app, engine, settings, number)


def left(settings: Settings) -> list[str]:
    folder = settings.pictures_dir
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_uploaded_picture_is_seen_by_its_owner_alone(
    mine: TestClient, app: FastAPI, engine: Engine, settings: Settings, desk: TestClient, number: str
) -> None:
    answer = mine.post(SENT, content=files.jpeg((2000, 1000)))
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["width"], kept["height"]) == (1600, 800)
    assert left(settings) == [f"{kept['id']}.jpg"]
    seen = mine.get(f"{SENT}/{kept['id']}")
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert seen.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert seen.headers["cache-control"] == "no-store"
    assert len(seen.content) == kept["size"] and Image.open(io.BytesIO(seen.content)).size == (1600, 800)
    other = page_of(app, engine, settings, a_number())
    problem(other.get(f"{SENT}/{kept['id']}"), 404, "not-found")
    problem(desk.get(f"{SENT}/{kept['id']}"), 401, "not-signed-in")
    problem(mine.get(f"{SENT}/{'0' * 32}"), 404, "not-found")
    problem(mine.get(f"{SENT}/..%2fsecret"), 404, "not-found")
    with reading(engine) as session:
        assert [row.number for row in session.scalars(select(Picture))] == [number]


HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "picture-empty"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 415, "picture-drawing"),
    "text": (b'{"a": 1}', 415, "picture-kind"),
    "video": (files.film() + bytes(50_000_000), 415, "picture-video"),
    "large": (files.jpeg() + bytes(decoding.LARGEST), 413, "picture-large"),
    "bomb": (files.bomb(), 422, "picture-pixels"),
    "polyglot": (files.zip_behind(), 422, "picture-hides"),
    "html": (files.jpeg() + b"<!DOCTYPE html><script>alert(1)</script>", 422, "picture-hides"),
    "cut": (files.jpeg()[:-500], 422, "picture-broken"),
    "moving": (files.moving("WEBP"), 422, "picture-animated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_picture_gets_its_error_and_is_not_kept(
    mine: TestClient, settings: Settings, name: str
) -> None:
    body, status, code = HOSTILE[name]
    problem(mine.post(SENT, content=body, headers={"Content-Type": "image/jpeg"}), status, code)

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(body), 1 << 16):
            yield body[begin : begin + (1 << 16)]

    problem(mine.post(SENT, content=pieces()), status, code)
    assert left(settings) == []


def test_oversized_body_is_refused_at_any_address(
    mine: TestClient,
) -> None:
    problem(
        mine.post(SENT, content=b"", headers={"Content-Length": str(LONGEST_PICTURE + 1)}), 413, "too-large"
    )
    problem(mine.post(SENT, content=iter([bytes(1 << 20)] * 65)), 413, "too-large")
    problem(mine.post(f"{V1}/my/requests", content=bytes(LONGEST_BODY + 1)), 413, "too-large")


def test_picture_of_a_stranger_is_not_read(nobody: TestClient) -> None:
    def never() -> Iterator[bytes]:
        yield b"x"

    problem(nobody.post(SENT, content=never()), 401, "not-signed-in")


@pytest.mark.parametrize("how", ["nearly full", "full", "no file can be opened"])
def test_full_disk_refuses_a_picture_and_keeps_the_others(
    mine: TestClient, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first = mine.post(SENT, content=files.jpeg()).json()["id"]
    with monkeypatch.context() as patched:

        def no_space(*_of: object, **_more: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        if how == "full":
            patched.setattr("hotline.recordings.disk.os.fsync", no_space)
        elif how == "no file can be opened":
            patched.setattr("api.pictures.TemporaryFile", no_space)
        else:  # there was room when it began to come
            free = iter([disk.SPARE])
            patched.setattr(disk, "find_disk", lambda _folder: disk.Disk(1 << 40, next(free, 0)))
            patched.setattr(decoding, "redraw", pytest.fail)
        answer = mine.post(SENT, content=files.jpeg())
        problem(answer, 507, "disk-full")
        assert int(answer.headers["retry-after"]) > 0
    assert left(settings) == [f"{first}.jpg"]
    assert mine.post(SENT, content=files.jpeg()).status_code == 201
    with reading(engine) as session:
        assert len(session.scalars(select(Picture)).all()) == 2


def test_pictures_of_a_number_are_rate_limited(
    mine: TestClient, app: FastAPI, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(limits.PICTURES_BURST):
        problem(mine.post(SENT, content=b""), 422, "picture-empty")
    answer = mine.post(SENT, content=files.jpeg())
    problem(answer, 429, "too-many-attempts")
    assert 0 < int(answer.headers["retry-after"]) <= limits.PICTURES_EVERY_S
    monkeypatch.setattr(attachments, "A_DAY", 2)
    other = page_of(app, engine, settings, a_number())
    answers = [other.post(SENT, content=files.jpeg((8, 8))) for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, 429]
    problem(answers[2], 429, "too-many-pictures")
    assert len(left(settings)) == 2, "no file is left of what was refused"
    assert 86_000 < int(answers[2].headers["retry-after"]) <= 86_400


def test_simultaneous_pictures_of_a_number_are_capped(
    mine: TestClient, app: FastAPI, engine: Engine, settings: Settings, number: str
) -> None:
    with ExitStack() as on_their_way:
        for _ in range(limits.PICTURES_AT_ONCE):
            on_their_way.enter_context(app.state.pictures_coming.one(number))
        problem(mine.post(SENT, content=files.jpeg()), 503, "files-busy")
        other = page_of(app, engine, settings, a_number())
        for _ in range(limits.PICTURES_AT_ONCE + 1):
            assert other.post(SENT, content=files.jpeg()).status_code == 201, "its place is given back"
    problem(mine.post(SENT, content=b""), 422, "picture-empty")


def test_symbolic_link_in_place_of_a_picture_is_not_followed(
    mine: TestClient, settings: Settings, tmp_path: Path
) -> None:
    kept = mine.post(SENT, content=files.jpeg()).json()["id"]
    path = settings.pictures_dir / f"{kept}.jpg"
    path.unlink()
    path.symlink_to(tmp_path / "hotline.db")
    problem(mine.get(f"{SENT}/{kept}"), 404, "not-found")


def test_absent_store_or_wrong_bytes_are_reported(mine: TestClient, app: FastAPI, settings: Settings) -> None:
    kept = mine.post(SENT, content=files.jpeg()).json()["id"]
    path = settings.pictures_dir / f"{kept}.jpg"
    with S3Server() as s3:
        app.state.settings = settings.model_copy(update=stored_in(s3.address))
        s3.objects[f"pictures/137/{path.name}"] = path.read_bytes()
        assert mine.get(f"{SENT}/{kept}").content == path.read_bytes()
        path.unlink()
        assert mine.get(f"{SENT}/{kept}").status_code == 200
        s3.objects = dict.fromkeys(s3.objects, files.jpeg((8, 8)))
        problem(mine.get(f"{SENT}/{kept}"), 502, "picture-damaged")
        s3.refuses = (503, "SlowDown")
        answer = mine.get(f"{SENT}/{kept}")
        problem(answer, 503, "pictures-away")
        assert int(answer.headers["retry-after"]) > 0 and "SlowDown" not in answer.text
        assert mine.post(SENT, content=files.jpeg()).status_code == 201, "it waits in the folder"
