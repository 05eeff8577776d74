"""Recorded conversations: registered once, heard by roles only and on record, deleted for real."""

import hashlib
import os
import struct
import time
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from api.app import create
from api.cookies import COOKIE
from db import events
from db.engine import now, reading, writing
from db.models import AuditEntry, Callback, Recording, Role
from db.states import CallbackState
from hotline import audit
from hotline.errors import Refused
from hotline.people import sign_ins
from hotline.recordings import archive, retention
from scheduler.recordings import delete_old, register
from settings import Settings
from tests.factories import a_callback, a_user
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.recording_files import a_file, aged

C = CallbackState
DAY = timedelta(days=1)
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def folder(settings: Settings) -> Path:
    settings.recordings_dir.mkdir(parents=True)
    return settings.recordings_dir


def a_conversation(engine: Engine, state: CallbackState = C.CLOSED, *, ended: bool = True) -> Callback:
    with writing(engine) as session:
        callback = a_callback(session, state)
        callback.talking_at = now(session)
        callback.ended_at = now(session) if ended else None
        return callback


def books(engine: Engine) -> list[Recording]:
    with reading(engine) as session:
        return list(session.scalars(select(Recording).order_by(Recording.callback_id)))


def recorded(engine: Engine, settings: Settings, folder: Path) -> tuple[Callback, Path]:
    """A conversation whose recording is in the books."""
    callback = a_conversation(engine)
    path = a_file(folder, callback.token)
    register(engine, settings)
    return callback, path


# --- into the books ---


@pytest.mark.parametrize("state", [C.ENDED, C.CLOSED])
def test_finished_recording_is_registered_once(
    engine: Engine, settings: Settings, folder: Path, state: CallbackState
) -> None:
    callback = a_conversation(engine, state)
    path = a_file(folder, callback.token, 2.5)
    register(engine, settings)
    register(engine, settings)

    [kept] = books(engine)
    assert (kept.callback_id, kept.file, kept.seconds) == (callback.id, path.name, 3)
    assert kept.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept.deleted_at is None
    with reading(engine) as session:
        made = [e for e in events.list_since(session, 0) if e.kind == "recording"]
        assert [(e.what, e.callback_id) for e in made] == [("made", callback.id)]


def test_unfinished_or_fresh_recording_waits(engine: Engine, settings: Settings, folder: Path) -> None:
    a_file(folder, a_conversation(engine, C.TALKING, ended=False).token)
    a_file(folder, a_conversation(engine, ended=False).token)  # closed by «next», its channel still lives
    a_file(folder, a_conversation(engine).token, age_s=0.5)
    a_file(folder, "callback-of-nobody")
    register(engine, settings)
    assert books(engine) == []


@on_sqlite
@pytest.mark.parametrize("told", [0, 16, 1 << 30])
def test_unfinished_wav_header_is_repaired(
    engine: Engine, settings: Settings, folder: Path, told: int
) -> None:
    path = a_file(folder, a_conversation(engine).token, 3)
    with path.open("r+b") as file:
        for place in (4, 40):
            file.seek(place)
            file.write(struct.pack("<I", told))
        file.seek(0, os.SEEK_END)
        file.write(b"\x05")  # half a sample
    aged(path, 60)
    register(engine, settings)

    assert books(engine)[0].seconds == 3
    with wave.open(str(path)) as mended:
        assert mended.getnframes() == 3 * 8000


@on_sqlite
@pytest.mark.parametrize("content", [b"", b"RIFF", b"x" * 100])
def test_recording_without_sound_is_registered_as_such(
    engine: Engine, settings: Settings, folder: Path, content: bytes
) -> None:
    path = folder / f"{a_conversation(engine).token}.wav"
    path.write_bytes(content)
    aged(path, 60)
    register(engine, settings)
    assert (books(engine)[0].seconds, path.read_bytes()) == (0, content)


@on_sqlite
def test_scheduler_killed_before_sealing_finishes_later(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "seal", lambda _path: None)
    _, path = recorded(engine, settings, folder)
    before = books(engine)[0].sha256
    monkeypatch.undo()
    register(engine, settings)
    assert [r.sha256 for r in books(engine)] == [before]
    assert path.stat().st_mode & 0o222 == 0


@on_sqlite
def test_symbolic_link_is_not_followed(
    engine: Engine, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    aged(secret, 60)
    (folder / f"{a_conversation(engine).token}.wav").symlink_to(secret)
    register(engine, settings)
    assert books(engine) == []


# --- deleted for real ---


def test_expired_recordings_are_deleted_and_dated(engine: Engine, settings: Settings, folder: Path) -> None:
    old, path = recorded(engine, settings, folder)
    new, new_path = recorded(engine, settings, folder)
    with writing(engine) as session:
        session.get_one(Recording, old.id).made_at -= settings.recordings_days * DAY + DAY
    delete_old(engine, settings)
    delete_old(engine, settings)

    assert (path.exists(), new_path.exists()) == (False, True)
    gone, kept = books(engine)
    assert (gone.callback_id, gone.deleted_at is not None) == (old.id, True)
    assert (kept.callback_id, kept.deleted_at) == (new.id, None)


def test_orphaned_old_files_are_deleted(engine: Engine, settings: Settings, folder: Path) -> None:
    days = settings.recordings_days
    _, kept = recorded(engine, settings, folder)
    aged(kept, (days + 9) * 86400)
    orphan = a_file(folder, "callback-of-nobody", age_s=(days + 1) * 86400)
    young = a_file(folder, "callback-of-somebody", age_s=(days - 1) * 86400)
    delete_old(engine, settings)
    assert [p.exists() for p in (kept, orphan, young)] == [True, False, True]


@on_sqlite
def test_interrupted_deletion_is_still_recorded(engine: Engine, settings: Settings, folder: Path) -> None:
    old, path = recorded(engine, settings, folder)
    with writing(engine) as session:
        session.get_one(Recording, old.id).made_at -= 1000 * DAY
    path.unlink()
    delete_old(engine, settings)
    assert books(engine)[0].deleted_at


@on_sqlite
def test_recording_of_an_absent_folder_stays_to_be_deleted(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    old, path = recorded(engine, settings, folder)
    with writing(engine) as session:
        session.get_one(Recording, old.id).made_at -= 1000 * DAY
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(FileNotFoundError):
        delete_old(engine, settings)
    with pytest.raises(Refused, match="recording-changed"), writing(engine) as session:
        retention.delete_early(session, old.id, folder, who="admin", reason="به خواست شهروند")
    assert books(engine)[0].deleted_at is None

    away.rename(folder)
    delete_old(engine, settings)
    assert books(engine)[0].deleted_at
    assert not path.exists()


# --- hearing ---

Page = Callable[[Role], TestClient]


@pytest.fixture
def page(settings: Settings, engine: Engine) -> Page:
    """A page on which a person of this role has signed in."""
    app = create(settings)

    def page(role: Role) -> TestClient:
        with writing(engine) as session:
            user = a_user(session, username=f"the-{role}")
            user.role = role
            cookie = sign_ins.sign_in(session, user)
        return TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})

    return page


def heard(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(e.who, e.subject) for e in audit.search(session, action=archive.HEARD)]


def test_hearing_of_a_recording_is_audited(
    engine: Engine, settings: Settings, folder: Path, page: Page
) -> None:
    callback, path = recorded(engine, settings, folder)
    supervisor = page(Role.SUPERVISOR)
    [listed] = supervisor.get(f"/recordings?round_id={callback.round_id}").json()
    assert (listed["callback_id"], listed["seconds"], listed["deleted_at"]) == (callback.id, 2, None)
    assert heard(engine) == []

    answer = supervisor.get(f"/recordings/{callback.id}/audio")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.content == path.read_bytes()
    assert heard(engine) == [("the-supervisor", f"callback {callback.id}")]


def test_hearing_by_ranges_is_audited_once(
    engine: Engine, settings: Settings, folder: Path, page: Page
) -> None:
    callback, path = recorded(engine, settings, folder)
    url, whole = f"/recordings/{callback.id}/audio", path.read_bytes()
    auditor, administrator = page(Role.AUDITOR), page(Role.ADMINISTRATOR)
    for first, last in ((0, 99), (100, 199), (8000, 8999)):
        part = auditor.get(url, headers={"Range": f"bytes={first}-{last}"})
        assert (part.status_code, part.content) == (206, whole[first : last + 1])
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert len(heard(engine)) == 1
    administrator.get(url, headers={"Range": "bytes=500-"})  # from the middle: still heard
    assert len(heard(engine)) == 2
    auditor.get(url)
    assert len(heard(engine)) == 3
    with writing(engine) as session:
        for entry in session.scalars(select(AuditEntry)):
            entry.at -= timedelta(hours=1)
    auditor.get(url, headers={"Range": "bytes=500-"})
    assert len(heard(engine)) == 4


@on_sqlite
def test_hearing_that_cannot_be_audited_plays_nothing(
    engine: Engine, settings: Settings, folder: Path, page: Page
) -> None:
    callback, path = recorded(engine, settings, folder)
    supervisor = page(Role.SUPERVISOR)

    def full(session: Session, _context: object, _instances: object) -> None:
        if any(isinstance(row, AuditEntry) for row in session.new):
            raise OSError("the disk is full")

    event.listen(Session, "before_flush", full)
    try:
        with pytest.raises(OSError, match="full"):
            supervisor.get(f"/recordings/{callback.id}/audio")
    finally:
        event.remove(Session, "before_flush", full)
    assert heard(engine) == []
    assert path.exists()


@on_sqlite
@pytest.mark.parametrize("how", ["changed", "gone", "link"])
def test_changed_recording_is_refused(
    engine: Engine, settings: Settings, folder: Path, page: Page, how: str
) -> None:
    callback, path = recorded(engine, settings, folder)
    content = path.read_bytes()
    path.unlink()
    if how == "changed":
        path.write_bytes(content[:-1] + b"x")
    if how == "link":
        (folder / "elsewhere").write_bytes(content)
        path.symlink_to(folder / "elsewhere")
    answer = page(Role.SUPERVISOR).get(f"/recordings/{callback.id}/audio")
    assert (answer.status_code, answer.json()["code"]) == (409, "recording-changed")
    assert heard(engine) == []


@on_sqlite
@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", ".."])
def test_path_outside_the_folder_is_refused(
    engine: Engine, settings: Settings, folder: Path, page: Page, file: str
) -> None:
    secret = settings.state_dir / "secret"
    secret.write_text("0" * 64)
    callback, _ = recorded(engine, settings, folder)
    with writing(engine) as session:
        row = session.get_one(Recording, callback.id)
        row.file, row.sha256 = file, archive.hash_file(secret)
    answer = page(Role.SUPERVISOR).get(f"/recordings/{callback.id}/audio")
    assert answer.json()["code"] == "recording-changed"


@on_sqlite
def test_missing_or_deleted_recording_is_not_found(
    engine: Engine, settings: Settings, folder: Path, page: Page
) -> None:
    callback, _ = recorded(engine, settings, folder)
    supervisor = page(Role.SUPERVISOR)
    with writing(engine) as session:
        archive.delete(session, session.get_one(Recording, callback.id), folder)
    for asked in (f"{callback.id}", "404404"):
        assert supervisor.get(f"/recordings/{asked}/audio").status_code == 404
    assert supervisor.get("/recordings/..%2f..%2fsecret/audio").status_code in (404, 422)
    [listed] = supervisor.get(f"/recordings?round_id={callback.round_id}").json()
    assert listed["deleted_at"] is not None


@on_sqlite
def test_file_that_vanished_before_its_deletion_is_logged(
    engine: Engine, settings: Settings, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callback, path = recorded(engine, settings, folder)
    path.unlink()
    with writing(engine) as session:
        archive.delete(session, session.get_one(Recording, callback.id), folder)
        assert session.get_one(Recording, callback.id).deleted_at is not None
    assert f"callback {callback.id}: its file was gone" in caplog.text


@on_sqlite
def test_finished_folder_is_read_only_after_a_change(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    files = archive.disk.list_files
    monkeypatch.setattr(archive.disk, "list_files", lambda of: read.append(of) or files(of))  # type: ignore[func-returns-value]
    recorded(engine, settings, folder)
    long_ago = time.time() - 60
    os.utime(folder, (long_ago, long_ago))
    register(engine, settings)
    seen = len(read)
    register(engine, settings)
    assert len(read) == seen

    recorded(engine, settings, folder)
    assert len(books(engine)) == 2


@on_sqlite
def test_folder_changed_just_now_is_read_again(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(engine, settings, folder)
    at = folder.stat().st_mtime_ns
    register(engine, settings)
    callback = a_conversation(engine)
    a_file(folder, callback.token)
    os.utime(folder, ns=(at, at))  # a clock that has not ticked meanwhile
    register(engine, settings)
    assert len(books(engine)) == 2
