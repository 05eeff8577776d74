"""A backup is made: of one moment, encrypted, whole, or it says why not."""

import errno
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from db.engine import connect, reading, writing
from db.models import Picture, Recording
from hotline import backups
from ops.backup import take
from ops.backup.archive import Unusable, Writer
from ops.backup.restore import SETTINGS, prove, restore
from settings import Settings
from tests.kit.s3_server import S3Server, stored_in
from tests.kit.small_disk import small_disk
from tests.kit.story import Story
from tests.ops.backup.archives import a_picture, left, rows, signer_of, taken

_ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


def test_backup_during_writes_is_of_one_moment(
    city: Story, engine: Engine, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    ended, began = threading.Event(), threading.Event()

    def writes() -> None:
        while not ended.is_set():
            city.registers()
            began.set()

    def hands_in() -> None:
        while not ended.is_set():
            a_picture(engine, settings)

    writers = [threading.Thread(target=each) for each in (writes, writes, hands_in)]
    for each in writers:
        each.start()
    began.wait(10)
    made = taken(settings, target)
    ended.set()
    for each in writers:
        each.join()
    restore(elsewhere, made.path, signer=signer_of(settings))
    assert prove(elsewhere).problems == []
    here, there = rows(settings.database)["registrations"], rows(elsewhere.database)["registrations"]
    for picture in rows(elsewhere.database)["pictures"]:
        file = elsewhere.pictures_dir / f"{picture.id}.jpg"
        assert sha256(file.read_bytes()).hexdigest() == picture.checksum, "what a row names is there"
    assert 2 < len(there) <= len(here) and {row.id for row in there} <= {row.id for row in here}


def test_encrypted_backup_opens_only_with_its_secret(
    city: Story, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    key, another = (pyrage.x25519.Identity.generate() for _ in range(2))
    made = taken(settings, target, str(key.to_public()))
    assert made.path.name.endswith(".tar.age") and b"hotline" not in made.path.read_bytes()[:100_000].lower()
    for keys, said in (("", "--key"), (str(another), "does not open it"), ("AGE-SECRET-KEY-1X", "damaged")):
        with pytest.raises(Unusable, match=said):
            restore(elsewhere, made.path, keys, signer=signer_of(settings))
    whole = made.path.read_bytes()
    for broken in (whole[:-70_000], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]):
        made.path.write_bytes(broken)
        with pytest.raises(Unusable, match=r"damaged|cut short"):
            restore(elsewhere, made.path, str(key), signer=signer_of(settings))
    assert left(elsewhere.state_dir) == ["backup.lock"]
    made.path.write_bytes(whole)
    restore(elsewhere, made.path, f"# created: today\n{key}\n", signer=signer_of(settings))
    assert prove(elsewhere).problems == []
    with pytest.raises(Unusable, match="age1"):
        taken(settings, target, "age1nothing")


@_ON_SQLITE
@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (FileNotFoundError, "no_folder"),
        (OSError(errno.ENOSPC, "No space left on device"), "no_room"),
        (OSError(errno.EROFS, "Read-only file system"), "not_allowed"),
        (OSError(errno.EIO, "Input/output error"), "other"),
        (OperationalError("", {}, Exception()), "database"),
    ],
)
def test_failed_backup_records_the_reason(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Any, why: str
) -> None:
    def writes(*_: object) -> None:
        raise fails

    folder = tmp_path / "kept"
    if why != "no_folder":
        folder.mkdir()
    monkeypatch.setattr(take, "_write", writes)
    with pytest.raises(Unusable):
        take.take(settings, folder, "")
    said = backups.read(settings)
    assert said and (backups.explain_failure(said), said.ok) == (why, False)


@_ON_SQLITE
def test_backup_includes_stored_pictures_or_says_store_is_away(
    city: Story, engine: Engine, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    names = [a_picture(engine, settings) for _ in range(2)]
    with S3Server() as s3:
        stored = settings.model_copy(update=stored_in(s3.address))
        file = settings.pictures_dir / f"{names[0]}.jpg"
        whole = file.read_bytes()
        s3.objects[f"pictures/137/{names[0]}.jpg"] = whole
        file.unlink()
        with writing(engine) as session:
            session.get_one(Picture, names[0]).stored = True
        s3.refuses = (503, "SlowDown")
        with pytest.raises(Unusable, match=r"store of pictures.*SlowDown"):
            taken(stored, target, "")
        assert left(target) == []
        s3.refuses = None
        made = taken(stored, target, "")
    restore(elsewhere, made.path, signer=signer_of(settings))
    assert (elsewhere.pictures_dir / f"{names[0]}.jpg").read_bytes() == whole
    there = connect(elsewhere.database)
    with reading(there) as session:
        assert not session.scalars(select(Picture.id).where(Picture.stored)).all()
    there.dispose()


@_ON_SQLITE
def test_file_that_vanishes_during_a_backup_is_left_out(
    city: Story,
    engine: Engine,
    settings: Settings,
    target: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with reading(engine) as session:
        gone = session.scalars(select(Recording.file)).first()
    add = Writer.add

    def deleted_first(self: Writer, name: str, path: Path) -> bool:
        if path.name == gone:
            path.unlink()
        return add(self, name, path)

    monkeypatch.setattr(Writer, "add", deleted_first)
    (settings.messages_dir / "link.wav").symlink_to("/etc/passwd")
    (target.parent / "templates.toml").write_text("[kavenegar]")
    (target.parent / "link.toml").symlink_to(target.parent / "templates.toml")
    settings = settings.model_copy(update={"sms_templates": target.parent / "link.toml"})
    made = taken(settings, target)
    restore(elsewhere, made.path, signer=signer_of(settings))
    proof = prove(elsewhere)
    assert (proof.problems, proof.recordings, proof.missing) == ([], 1, 1)
    assert left(elsewhere.messages_dir) == ["said.wav"], "what lies elsewhere is not ours"
    assert (elsewhere.state_dir / SETTINGS / "sms_templates.toml").read_text() == "[kavenegar]"


@_ON_SQLITE
def test_full_or_missing_disk_is_reported_and_keeps_old_backup(
    city: Story, settings: Settings, target: Path
) -> None:
    first = taken(settings, target)
    said = backups.read(settings)
    assert said
    (settings.messages_dir / "long.wav").write_bytes(os.urandom(3 << 20))
    for key in ("", str(pyrage.x25519.Identity.generate().to_public())):
        with small_disk(2) as disk, pytest.raises(Unusable, match="no room left"):
            try:
                taken(settings, disk, key)
            finally:
                assert left(disk) == []
    with pytest.raises(Unusable, match="is its disk there"):
        taken(settings, target / "gone", "")
    now = backups.read(settings)
    assert now and (now.ok, now.path, now.good_at) == (False, None, said.at) and "disk" in str(now.error)
    assert left(target) == [first.path.name] and not [*settings.state_dir.glob(".backup-*")]

    nightly = settings.model_copy(update={"backup_dir": target})
    backups.write(settings, said)
    with pytest.raises(Unusable, match="is its disk there"):
        taken(nightly, target / "mistyped", "")
    assert backups.read(settings) == said, "of the folder that is watched"


@_ON_SQLITE
def test_next_backup_removes_the_remains_of_a_killed_one(
    city: Story, settings: Settings, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (settings.messages_dir / "huge.wav").open("wb") as file:
        file.truncate(4 << 30)  # it takes some seconds
    environment = os.environ | {
        "HOTLINE_STATE_DIR": str(settings.state_dir),
        "HOTLINE_DATABASE_URL": settings.database,
    }
    command = [sys.executable, "-m", "ops.cli", "backup", str(target)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while not any(path.stat().st_size > 1 << 20 for path in target.glob(".*.part")):
            assert process.poll() is None
            threading.Event().wait(0.02)
        with pytest.raises(Unusable, match="another backup"):
            taken(settings, target)
        process.send_signal(signal.SIGKILL)
    (part,) = left(target)
    assert part.startswith(".hotline137-") and [*settings.state_dir.glob(".backup-*")]
    (settings.messages_dir / "huge.wav").unlink()
    made = taken(settings, target)
    assert left(target) == [made.path.name] and not [*settings.state_dir.glob(".backup-*")]


@_ON_SQLITE
def test_complete_backup_deletes_only_expired_ones(city: Story, settings: Settings, target: Path) -> None:
    at = datetime.now(UTC)

    def named(days: float, suffix: str) -> str:
        return f"hotline137-{at - timedelta(days=days):%Y%m%dT%H%M%SZ}{suffix}"

    old, young, strange = named(15, ".tar.age"), named(13, ".tar"), named(20, ".tar.notes")
    for name in (old, young, strange, "hotline137-letter.tar"):
        (target / name).touch()
    made = taken(settings, target, keep_days=14)
    assert left(target) == sorted([young, strange, "hotline137-letter.tar", made.path.name])
    made.path.unlink()
    (target / old).mkdir()  # it cannot be deleted
    made = taken(settings, target, keep_days=14)
    status = backups.read(settings)
    assert "still there" in made.notes[-1] and status and status.ok
    assert status.notes == made.notes, "the doctor reads them"
