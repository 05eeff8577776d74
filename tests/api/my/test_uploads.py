"""A citizen's files in pieces: they go on where they broke, are nobody else's, and are judged as ever."""

import io
import os
import time
import wave
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import Picture, Request, Upload, UploadKind
from hotline.citizens import account_contents, erasure
from hotline.pictures import attachments, decoding
from hotline.recordings import voice_notes
from hotline.recordings.disk import Disk
from hotline.uploads import pending_uploads, pieces
from scheduler import erasing
from scheduler import pictures as schedulers
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number
from tests.kit import picture_files as files
from tests.kit import voice_files as voices

UPLOADS = f"{V1}/my/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}
REPORT = {"category": 2, "text": "چراغ کوچه خاموش است", "place": "روبه‌روی دبستان"}


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    """The page of a citizen."""
    return page_of(app, engine, settings, number)


def begun(page: TestClient, size: int, kind: str = "picture") -> str:
    """Begin an upload and return its address."""
    answer = page.post(UPLOADS, params={"kind": kind}, headers=TUS | {"Upload-Length": str(size)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0" and answer.headers["upload-expires"].endswith("GMT")
    return answer.headers["location"]


def add(page: TestClient, where: str, at: int, piece: bytes) -> Response:
    return page.patch(where, content=piece, headers=PIECE | {"Upload-Offset": str(at)})


def there(page: TestClient, where: str) -> int:
    answer = page.head(where, headers=TUS)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def sent(page: TestClient, data: bytes, kind: str = "picture") -> str:
    """All of it is there."""
    where = begun(page, len(data), kind)
    assert add(page, where, 0, data).status_code == 204
    return where


def left(settings: Settings) -> dict[str, list[str]]:
    folders = (settings.uploads_dir, settings.pictures_dir, settings.messages_dir)
    return {each.name: sorted(os.listdir(each)) for each in folders if each.is_dir() and os.listdir(each)}


def test_resumed_picture_upload_joins_the_request(mine: TestClient, settings: Settings) -> None:
    data = files.jpeg((2000, 1000))
    where = begun(mine, len(data))
    assert there(mine, where) == 0
    answer = add(mine, where, 0, data[:1000])
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "1000")
    assert there(mine, where) == 1000
    problem(add(mine, where, 0, data[:1000]), 409, "upload-offset")
    problem(add(mine, where, 2000, data[2000:]), 409, "upload-offset")
    problem(mine.post(f"{where}/finish"), 409, "upload-unfinished")
    assert add(mine, where, 1000, data[1000:]).headers["upload-offset"] == str(len(data))
    kept = mine.post(f"{where}/finish").json()
    assert mine.post(f"{where}/finish").json() == kept, "an answer that was lost comes again"
    assert there(mine, where) == len(data), "and so does how far it is"
    problem(add(mine, where, len(data), b""), 409, "upload-offset")
    assert left(settings) == {"pictures": [f"{kept['id']}.jpg"]}
    answer = mine.post(
        f"{V1}/my/requests",
        json=REPORT | {"pictures": [kept["id"]]},
        headers={"Idempotency-Key": "0190-report-1"},
    )
    assert [each["id"] for each in answer.json()["pictures"]] == [kept["id"]]


HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 415, "picture-drawing"),
    "text": (b'{"a": 1}', 415, "picture-kind"),
    "video": (files.film(), 415, "picture-video"),
    "bomb": (files.bomb(), 422, "picture-pixels"),
    "polyglot": (files.zip_behind(), 422, "picture-hides"),
    "cut": (files.jpeg()[:-500], 422, "picture-broken"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_picture_in_pieces_gets_its_error(mine: TestClient, settings: Settings, name: str) -> None:
    data, status, code = HOSTILE[name]
    where = begun(mine, len(data))
    told = add(mine, where, 0, data)
    if told.status_code != 204:  # its first bytes tell
        problem(told, status, code)
        assert told.headers["tus-resumable"] == "1.0.0"
    problem(mine.post(f"{where}/finish"), status, code)
    problem(mine.post(f"{where}/finish"), status, code)
    assert mine.delete(where, headers=TUS).status_code == 204
    problem(mine.post(f"{where}/finish"), 404, "upload-unknown")
    assert left(settings) == {}


@pytest.mark.parametrize(
    ("kind", "size", "status", "code"),
    [
        ("picture", 0, 422, "picture-empty"),
        ("picture", 50_000_000, 413, "picture-large"),
        ("picture", decoding.LARGEST + 1, 413, "picture-large"),
        ("voice", 0, 422, "voice-empty"),
        ("voice", voice_notes.LARGEST + 1, 413, "voice-large"),
        ("picture", "-1", 400, "upload-headers"),
        ("picture", "1e3", 400, "upload-headers"),
        ("picture", "9" * 30, 400, "upload-headers"),
        ("film", 5, 422, "invalid-input"),
    ],
)
def test_announced_wrong_size_is_refused_before_a_byte(
    mine: TestClient, settings: Settings, kind: str, size: int | str, status: int, code: str
) -> None:
    answer = mine.post(UPLOADS, params={"kind": kind}, headers=TUS | {"Upload-Length": str(size)})
    problem(answer, status, code)
    assert left(settings) == {}


def test_wrong_upload_protocol_is_refused(mine: TestClient) -> None:
    offer = mine.options(UPLOADS)
    assert offer.status_code == 204
    assert offer.headers["tus-extension"] == "creation,expiration,termination"
    assert offer.headers["tus-max-size"] == str(decoding.LARGEST)
    answer = mine.post(UPLOADS, params={"kind": "picture"}, headers={"Upload-Length": "5"})
    problem(answer, 412, "upload-version")
    assert answer.headers["tus-version"] == "1.0.0"
    where = begun(mine, 5)
    problem(mine.patch(where, content=b"x", headers=TUS | {"Upload-Offset": "0"}), 415, "upload-type")
    problem(mine.patch(where, content=b"x", headers=PIECE), 400, "upload-headers")
    problem(add(mine, where, 0, b"123456"), 413, "upload-large")
    problem(mine.post(UPLOADS, params={"kind": "picture"}, headers=TUS), 400, "upload-headers")


def test_upload_of_another_citizen_is_not_found(
    mine: TestClient,
    app: FastAPI,
    engine: Engine,
    settings: Settings,
    desk: TestClient,
    nobody: TestClient,
) -> None:
    data = files.jpeg()
    where = begun(mine, len(data))
    add(mine, where, 0, data[:100])
    other = page_of(app, engine, settings, a_number())
    for page, status, code in (
        (other, 404, "upload-unknown"),
        (desk, 401, "not-signed-in"),
        (nobody, 401, "not-signed-in"),
    ):
        assert page.head(where, headers=TUS).status_code == status
        problem(add(page, where, 100, data[100:]), status, code)
        problem(page.post(f"{where}/finish"), status, code)
        problem(page.delete(where, headers=TUS), status, code)
    problem(nobody.post(UPLOADS, headers=TUS | {"Upload-Length": "5"}), 401, "not-signed-in")
    for id_ in ("0" * 32, "..%2fsecret", f"{'0' * 32}.part", "%00"):
        assert mine.head(f"{UPLOADS}/{id_}", headers=TUS).status_code in (404, 405, 422)
    assert there(mine, where) == 100


def test_simultaneous_pieces_at_one_offset_keep_one(
    settings: Settings,
) -> None:
    """Also in two processes: what decides is the file."""
    folder, begin, refused = settings.uploads_dir, Barrier(2), []
    pieces.make(folder, "one")

    def adds(letter: bytes) -> None:
        with pieces.open_for_pieces(folder, "one") as file:
            begin.wait()
            try:
                for at in range(0, 64_000, 64):
                    file.add(at, letter * 64)
            except Exception as wrong:
                refused.append(wrong)

    both = [Thread(target=adds, args=(letter,)) for letter in (b"a", b"b")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    data = (folder / "one").read_bytes()
    assert len(refused) in (1, 2)
    assert len(data) % 64 == 0 and all(len(set(data[at : at + 64])) == 1 for at in range(0, len(data), 64))


def test_simultaneous_finishes_keep_one_picture(
    mine: TestClient, engine: Engine, settings: Settings, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = sent(mine, files.jpeg())
    keep = attachments.keep

    def once_more(*of: object) -> str:
        monkeypatch.setattr(attachments, "keep", keep)
        assert mine.post(f"{where}/finish").status_code == 200
        return keep(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(attachments, "keep", once_more)
    kept = mine.post(f"{where}/finish").json()["id"]
    with reading(engine) as session:
        assert [row.id for row in session.scalars(select(Picture))] == [kept]
    assert left(settings) == {"pictures": [f"{kept}.jpg"]}


@pytest.mark.parametrize("kind", voices.RECORDED)
def test_voice_of_any_browser_becomes_a_phone_message(
    mine: TestClient, engine: Engine, settings: Settings, desk: TestClient, kind: str
) -> None:
    where = sent(mine, voices.recorded(kind), "voice")
    voice = mine.post(f"{where}/finish").json()["id"]
    (name,) = left(settings)["messages"]
    said = REPORT | {"text": "", "voice": voice}
    key = {"Idempotency-Key": "0190-report-1"}
    told = mine.post(f"{V1}/my/requests", json=said, headers=key)
    assert (told.status_code, told.json()["spoken"], told.json()["written"]) == (201, True, "")
    assert mine.post(f"{V1}/my/requests", json=said, headers=key).status_code == 200
    again = mine.post(f"{V1}/my/requests", json=said, headers={"Idempotency-Key": "0190-report-2"})
    assert problem(again, 409, "voice-unknown")["field"] == "voice"
    with reading(engine) as session:
        request = session.scalars(select(Request)).one()
        assert request.voice_message == name and session.scalars(select(Upload)).all() == []
    heard = desk.get(f"{V1}/requests/{request.id}/audio")
    assert heard.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(heard.content)) as wav:
        assert wav.getparams()[:3] == (1, 2, 8000) and 1.9 < wav.getnframes() / 8000 < 2.2


HOSTILE_VOICES: dict[str, tuple[bytes, int, str]] = {
    "a picture": (files.jpeg(), 415, "voice-kind"),
    "a film": (voices.recorded(film=True), 422, "voice-none"),
    "too long": (voices.recorded(seconds=70), 422, "voice-long"),
    "nothing said": (voices.recorded(seconds=0.3), 422, "voice-empty"),
    "only a head": (b"OggS" + bytes(5000), 422, "voice-broken"),
    "an mp4 without its table": (voices.recorded("mp4")[:4000], 422, "voice-broken"),
}


@pytest.mark.parametrize("name", HOSTILE_VOICES)
def test_hostile_voice_gets_its_error_and_is_not_kept(
    mine: TestClient, settings: Settings, name: str
) -> None:
    data, status, code = HOSTILE_VOICES[name]
    where = begun(mine, len(data), "voice")
    add(mine, where, 0, data)
    problem(mine.post(f"{where}/finish"), status, code)
    assert left(settings).keys() == {"uploads"}
    report = mine.post(
        f"{V1}/my/requests",
        json=REPORT | {"voice": where.rpartition("/")[2]},
        headers={"Idempotency-Key": "0190-report-1"},
    )
    problem(report, 409, "voice-unknown")


def test_full_disk_refuses_a_piece_that_later_resumes(
    mine: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = files.jpeg()
    where = begun(mine, len(data))
    add(mine, where, 0, data[:1000])
    with monkeypatch.context() as patched:
        patched.setattr("hotline.recordings.disk.find_disk", lambda _folder: Disk(1 << 40, 1 << 20))
        problem(add(mine, where, 1000, data[1000:]), 507, "disk-full")

    def no_space(*_of: object) -> int:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("hotline.uploads.pieces.os.write", no_space)
        problem(add(mine, where, 1000, data[1000:]), 507, "disk-full")
    assert add(mine, where, 1000, data[1000:]).status_code == 204
    assert mine.post(f"{where}/finish").status_code == 200


def test_upload_ended_before_its_piece_leaves_no_file(
    mine: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, opened = begun(mine, 500), pieces.open_for_pieces

    def ended_before(folder: Path, name: str) -> AbstractContextManager[pieces.Pieces]:
        assert mine.delete(where, headers=TUS).status_code == 204
        return opened(folder, name)

    monkeypatch.setattr(pieces, "open_for_pieces", ended_before)
    problem(add(mine, where, 0, b"\xff\xd8\xff"), 404, "upload-unknown")
    assert left(settings) == {}


def test_upload_without_its_file_must_be_sent_anew(mine: TestClient, settings: Settings) -> None:
    where = begun(mine, 500)
    (settings.uploads_dir / where.rpartition("/")[2]).unlink()
    assert mine.head(where, headers=TUS).status_code == 404
    problem(add(mine, where, 0, b"\xff\xd8\xff"), 404, "upload-unknown")
    assert left(settings) == {}


def test_upload_above_the_limit_replaces_the_oldest(mine: TestClient, settings: Settings) -> None:
    first = sent(mine, voices.recorded(), "voice")
    mine.post(f"{first}/finish")
    others = [sent(mine, b"\xff\xd8\xff" + bytes(10)) for _ in range(pending_uploads.AT_ONCE - 1)]
    assert mine.head(first, headers=TUS).status_code == 200
    others.append(begun(mine, 5))
    assert mine.head(first, headers=TUS).status_code == 404
    assert left(settings) == {"uploads": sorted(each.rpartition("/")[2] for each in others)}


def test_uploads_older_than_a_day_are_deleted(mine: TestClient, engine: Engine, settings: Settings) -> None:
    spoken = sent(mine, voices.recorded(), "voice")
    mine.post(f"{spoken}/finish")
    half = begun(mine, 500)
    add(mine, half, 0, b"\xff\xd8\xff")
    young = begun(mine, 500)
    add(mine, young, 0, b"\xff\xd8\xff")
    stray = settings.uploads_dir / ("f" * 32)
    stray.write_bytes(b"x")
    os.utime(stray, (time.time() - 90_000,) * 2)
    schedulers.delete_uploads(engine, settings)
    assert there(mine, half) == 3 and not stray.exists()
    with writing(engine) as session:
        old = [where.rpartition("/")[2] for where in (spoken, half)]
        at = now(session) - timedelta(days=1, seconds=1)
        session.execute(update(Upload).where(Upload.id.in_(old)).values(made_at=at))
    assert mine.head(half, headers=TUS).status_code == 404
    schedulers.delete_uploads(engine, settings)
    assert left(settings) == {"uploads": [young.rpartition("/")[2]]}


def test_deleted_citizens_uploads_are_deleted(
    mine: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    spoken = sent(mine, voices.recorded(), "voice")
    mine.post(f"{spoken}/finish")
    add(mine, begun(mine, 500), 0, b"\xff\xd8\xff")
    with writing(engine) as session:
        told = account_contents.export(session, number, who="office")
        assert [each["kind"] for each in told["on_their_way"]] == ["voice", "picture"]
        erasure.delete_citizen(session, number, who="office", give_up=False)
    with reading(engine) as session:
        assert session.scalars(select(Upload)).all() == []
    erasing.run(engine, settings)
    assert left(settings) == {}


def test_each_upload_kind_has_its_limits() -> None:
    assert pending_uploads.LARGEST.keys() == pending_uploads.LOOK.keys() == set(UploadKind)
