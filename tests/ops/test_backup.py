"""A backup of a running city, and a machine where there is nothing: what comes back, and what is refused."""

import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyotp
import pyrage
import pytest
from click.testing import Result
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from db.engine import connect, reading, writing
from db.models import Base, Callback, Picture, Recording, SignIn, User
from db.states import Outcome
from hotline import backups, heartbeats
from hotline.people import accounts, second_factor, sign_ins
from hotline.pictures import decoding, pictures
from hotline.recordings import recordings
from ops.backup import restore as restoring
from ops.backup import take
from ops.backup.archive import HEAD, MANIFEST, Unusable, Writer
from ops.backup.restore import SETTINGS, prove, restore
from ops.backup.take import Made
from ops.cli import app
from settings import Settings
from tests.factories import PASSWORD, a_number, a_user
from tests.kit import picture_files, recording_files
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres
from tests.kit.s3_server import S3Server, stored_in
from tests.kit.small_disk import small_disk
from tests.kit.story import Story

_ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def city(engine: Engine, settings: Settings) -> Story:
    """A round under way, whose conversations are recorded; a message."""
    story = Story(engine, settings)
    settings.check_secret()
    for folder in (settings.recordings_dir, settings.messages_dir, settings.uploads_dir):
        folder.mkdir(parents=True)
    for outcome in (Outcome.REACHED, Outcome.NO_ANSWER):
        story.registers()
        story.called(outcome)
    with writing(engine) as session:
        session.execute(update(Callback).values(ended_at=datetime.now(UTC)))
        tokens = session.scalars(select(Callback.token)).all()
    for token in tokens:
        recording_files.a_file(settings.recordings_dir, token)
    with reading(engine) as session:
        new = recordings.new(session, settings.recordings_dir)
    for path, callback_id in new:
        with writing(engine) as session:
            recordings.register(session, callback_id, recordings.look(path))
        recordings.seal(path)
    recording_files.a_file(settings.messages_dir, "said")
    (settings.uploads_dir / ("0" * 32)).write_bytes(b"half")
    (settings.state_dir / "asterisk").mkdir()
    story.seals()
    return story


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(settings: Settings, backend: str, postgres: Postgres, tmp_path: Path) -> Settings:
    """Another machine, on which nothing is yet."""
    path = tmp_path / "elsewhere" / "state" / "hotline.db"
    url = f"sqlite:///{path}" if backend == "sqlite" else postgres.create_database("elsewhere")
    return settings.model_copy(update={"state_dir": tmp_path / "elsewhere" / "state", "database_url": url})


def taken(settings: Settings, folder: Path, key: str = "", **how: Any) -> Made:
    made = take.take(settings, folder, key, **how)
    assert made
    return made


def rows(url: str) -> dict[str, list[Any]]:
    engine = connect(url)
    with reading(engine) as session:
        tables = Base.metadata.sorted_tables
        found = {t.name: [*session.execute(select(t).order_by(*t.primary_key.columns))] for t in tables}
    engine.dispose()
    return found


def files(settings: Settings) -> dict[str, bytes]:
    folders = ("recordings", "messages", "pictures", "uploads")
    paths = [path for folder in folders for path in (settings.state_dir / folder).glob("*")]
    return {str(path.relative_to(settings.state_dir)): path.read_bytes() for path in paths}


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def a_picture(engine: Engine, settings: Settings) -> str:
    made = decoding._plain(picture_files.jpeg())
    name = pictures.keep(settings.pictures_dir, made)
    with writing(engine) as session:
        pictures.add(session, name, made, number=a_number())
    return name


def test_given_a_backup_when_restored_on_an_empty_machine_then_places_sound_and_sign_in_are_as_they_were(
    city: Story, engine: Engine, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    a_picture(engine, settings)
    with writing(engine) as session:
        user = a_user(session, username="karimi")
        sign_in = session.get_one(SignIn, sign_ins.cookie_hash(sign_ins.sign_in(session, user)))
        totp = pyotp.parse_uri(second_factor.offer(sign_in, settings))
        (code, *_) = second_factor.confirm(session, sign_in, totp.now(), settings)
    made = taken(settings, target)
    assert left(target) == [made.path.name] and stat.S_IMODE(made.path.stat().st_mode) == 0o600
    done = restore(elsewhere, made.path)
    assert done.aside == []
    assert rows(elsewhere.database) == rows(settings.database)
    assert files(elsewhere) == files(settings) != {}
    proof = prove(elsewhere)
    assert proof.problems == [] and (proof.recordings, proof.missing) == (2, 0) and proof.entries > 3
    there = connect(elsewhere.database)
    with writing(there) as session:
        user = session.scalars(select(User).where(User.username == "karimi")).one()
        right = accounts.is_right(accounts.known_hash(session, "karimi"), PASSWORD)
        assert accounts.verify(session, "karimi", right=right)
        sign_in = session.get_one(SignIn, sign_ins.cookie_hash(sign_ins.sign_in(session, user)))
        assert second_factor.show(session, sign_in, code, elsewhere), "the secret came along"
        assert not recordings.new(session, elsewhere.recordings_dir), "what is in the books is not read again"
    there.dispose()
    for path in elsewhere.state_dir.rglob("*"):
        assert path.name == "backup.lock" or stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not (elsewhere.state_dir / "asterisk").exists()
    said = json.loads((settings.state_dir / "backup.json").read_text())
    assert said["ok"] and said["path"] == str(made.path) and said["error"] is None and said["good_at"]


def test_given_writers_when_a_backup_is_made_then_it_is_of_one_moment(
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
    restore(elsewhere, made.path)
    assert prove(elsewhere).problems == []
    here, there = rows(settings.database)["registrations"], rows(elsewhere.database)["registrations"]
    for picture in rows(elsewhere.database)["pictures"]:
        file = elsewhere.pictures_dir / f"{picture.id}.jpg"
        assert sha256(file.read_bytes()).hexdigest() == picture.checksum, "what a row names is there"
    assert 2 < len(there) <= len(here) and {row.id for row in there} <= {row.id for row in here}


def test_given_a_key_when_a_backup_is_made_then_only_its_secret_opens_it(
    city: Story, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    key, another = (pyrage.x25519.Identity.generate() for _ in range(2))
    made = taken(settings, target, str(key.to_public()))
    assert made.path.name.endswith(".tar.age") and b"hotline" not in made.path.read_bytes()[:100_000].lower()
    for keys, said in (("", "--key"), (str(another), "does not open it"), ("AGE-SECRET-KEY-1X", "damaged")):
        with pytest.raises(Unusable, match=said):
            restore(elsewhere, made.path, keys)
    whole = made.path.read_bytes()
    for broken in (whole[:-70_000], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]):
        made.path.write_bytes(broken)
        with pytest.raises(Unusable, match=r"damaged|cut short"):
            restore(elsewhere, made.path, str(key))
    assert left(elsewhere.state_dir) == ["backup.lock"]
    made.path.write_bytes(whole)
    restore(elsewhere, made.path, f"# created: today\n{key}\n")
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
def test_given_a_backup_that_cannot_be_made_when_it_is_tried_then_why_is_written_down_in_a_word_of_ours(
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
    assert said and (backups.why(said), said.ok) == (why, False)


def test_given_an_installation_with_data_when_restored_then_it_is_refused_or_put_aside_and_a_failure_undone(
    city: Story, engine: Engine, settings: Settings, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = taken(settings, target)
    city.registers()
    (settings.messages_dir / "later.wav").write_bytes(b"later")
    before, sound = rows(settings.database), files(settings)
    with writing(engine) as session:
        heartbeats.beat(session, heartbeats.CLERK)
    engine.dispose()
    with pytest.raises(Unusable, match="runs here"):
        restore(settings, made.path, over=True)
    with writing(engine) as session:
        session.delete(session.get_one(heartbeats.Heartbeat, heartbeats.CLERK))
    engine.dispose()
    with pytest.raises(Unusable, match="not empty"):
        restore(settings, made.path)

    def fails(_: Settings) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_as_in_the_books", fails)
        with pytest.raises(Unusable, match="No space"):
            restore(settings, made.path, over=True)
    assert rows(settings.database) == before and files(settings) == sound
    assert not [name for name in left(settings.state_dir) if "before" in name or name.startswith(".backup")]
    done = restore(settings, made.path, over=True)
    assert len(done.aside) == 2 and prove(settings).problems == []
    assert len(rows(settings.database)["registrations"]) == len(before["registrations"]) - 1
    assert not (settings.messages_dir / "later.wav").exists()
    assert [*settings.state_dir.glob("before-restore-*/messages/later.wav")]
    made.path.unlink()
    again = taken(settings, target)
    assert (again.rows, again.files) == (made.rows, made.files), "what lies aside is in no backup"


def an_archive(
    path: Path,
    members: list[tuple[tarfile.TarInfo, bytes]],
    manifest: Any = None,
    *,
    database: str = "sqlite",
) -> Path:
    head = {"format": 1, "version": "0.1.0", "schema": "0001", "database": database, "at": "2026-11-29"}
    with tarfile.open(path, "w") as tar:
        for info, data in [(tarfile.TarInfo(HEAD), json.dumps(head).encode()), *members]:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
        if manifest is not None:
            info, data = tarfile.TarInfo(MANIFEST), json.dumps(manifest).encode()
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def a_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o6777
    return info, b"x"


@_ON_SQLITE
@pytest.mark.parametrize(
    ("member", "said"),
    [
        (a_member("../../evil"), "may not be in it"),
        (a_member("/etc/evil"), "may not be in it"),
        (a_member("state/../../evil"), "may not be in it"),
        (a_member("state/recordings/./evil"), "may not be in it"),
        (a_member("state/recordings", tarfile.SYMTYPE, "/etc"), "may not be in it"),
        (a_member("state/secret", tarfile.LNKTYPE, "/etc/shadow"), "may not be in it"),
        (a_member("state/recordings/null", tarfile.CHRTYPE), "may not be in it"),
        (a_member("state/pipe", tarfile.FIFOTYPE), "may not be in it"),
        (a_member("state/messages/vast", tarfile.GNUTYPE_SPARSE), "may not be in it"),
        (a_member("state/messages/a.wav"), "end is missing"),
    ],
)
def test_given_an_archive_that_leads_elsewhere_when_restored_then_nothing_is_touched(
    member: tuple[tarfile.TarInfo, bytes], said: str, elsewhere: Settings, tmp_path: Path
) -> None:
    path = an_archive(tmp_path / "evil.tar", [member])
    with pytest.raises(Unusable, match=said):
        restore(elsewhere, path)
    assert left(elsewhere.state_dir) == ["backup.lock"]
    assert not [*tmp_path.rglob("evil")]


@_ON_SQLITE
def test_given_foreign_newer_and_damaged_archives_when_restored_then_each_is_named_and_nothing_touched(
    city: Story, settings: Settings, target: Path, elsewhere: Settings, tmp_path: Path
) -> None:
    made = taken(settings, target)
    whole = made.path.read_bytes()
    broken = tmp_path / "broken.tar"

    def refused(data: bytes) -> str:
        broken.write_bytes(data)
        with pytest.raises(Unusable) as error:
            restore(elsewhere, broken)
        assert left(elsewhere.state_dir) == ["backup.lock"]
        return str(error.value)

    at = whole.index(b"RIFF") + 100
    assert "recordings/" in refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for end in (0, 100, 512, 5000, len(whole) // 2):
        assert "damaged" in refused(whole[:end]) or "cut short" in refused(whole[:end])
    assert "no backup of" in refused(whole[1024:]) or "damaged" in refused(whole[1024:])
    assert "damaged" in refused(b"PK\x03\x04 something else" * 1000)
    assert "newer version" in refused(whole.replace(b'"version": "0.', b'"version": "9.', 1))
    assert "newer version" in refused(whole.replace(b'"format": 1', b'"format": 2', 1))
    empty = {"files": {}, "counts": {}}
    for database, said in (("sqlite", "no database"), ("postgresql", "of PostgreSQL"), ("oracle", "no kind")):
        archive = an_archive(tmp_path / "empty.tar", [], empty, database=database)
        assert said in refused(archive.read_bytes())


@_ON_SQLITE
def test_given_an_archive_of_sqlite_when_restored_into_postgresql_then_all_of_it_is_there(
    city: Story, settings: Settings, target: Path, postgres: Postgres, tmp_path: Path
) -> None:
    made = taken(settings, target)
    url = postgres.create_database("elsewhere")
    there = settings.model_copy(update={"state_dir": tmp_path / "there", "database_url": url})
    restore(there, made.path)
    assert rows(url) == rows(settings.database) and files(there) == files(settings)
    assert prove(there).problems == []


@_ON_SQLITE
def test_given_pictures_in_the_store_when_backed_up_then_they_are_in_it_and_a_store_that_is_away_is_said(
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
    restore(elsewhere, made.path)
    assert (elsewhere.pictures_dir / f"{names[0]}.jpg").read_bytes() == whole
    there = connect(elsewhere.database)
    with reading(there) as session:
        assert not session.scalars(select(Picture.id).where(Picture.stored)).all()
    there.dispose()


@_ON_SQLITE
def test_given_what_vanishes_while_it_is_read_when_backed_up_then_the_rest_is_there(
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
    restore(elsewhere, made.path)
    proof = prove(elsewhere)
    assert (proof.problems, proof.recordings, proof.missing) == ([], 1, 1)
    assert left(elsewhere.messages_dir) == ["said.wav"], "what lies elsewhere is not ours"
    assert (elsewhere.state_dir / SETTINGS / "sms_templates.toml").read_text() == "[kavenegar]"


@_ON_SQLITE
def test_given_a_full_disk_or_none_when_backed_up_then_it_says_so_and_the_old_one_is_untouched(
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
def test_given_one_that_is_killed_when_the_next_is_made_then_what_it_left_is_gone(
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
def test_given_old_backups_when_a_new_one_is_whole_then_those_beyond_their_days_go_and_nothing_else(
    city: Story, settings: Settings, target: Path
) -> None:
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


@_ON_SQLITE
def test_given_the_commands_when_a_person_types_them_then_they_say_what_was_done(
    city: Story,
    settings: Settings,
    target: Path,
    tmp_path: Path,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "nice", lambda _: 0)

    def run(*words: str, state: Path = settings.state_dir, database: str = settings.database) -> Result:
        monkeypatch.setenv("HOTLINE_STATE_DIR", str(state))
        monkeypatch.setenv("HOTLINE_DATABASE_URL", database)
        return CliRunner().invoke(app, words)

    made = run("backup", str(target))
    assert made.exit_code == 0 and "not encrypted" in made.output, made.output
    assert "on the disk that it is to be a backup of" in made.output
    assert run("backup", str(target / "none")).exit_code == 1
    (file,) = target.iterdir()
    there = {"state": tmp_path / "there", "database": f"sqlite:///{tmp_path}/there/hotline.db"}
    back = run("restore", str(file), **there)
    assert back.exit_code == 0 and "recordings: 2: all in order" in back.output, back.output
    kept = (there["state"] / SETTINGS / "environment.env").read_text()
    assert f"HOTLINE_STATE_DIR={settings.state_dir}" in kept
    again = run("restore", str(file), **there)
    assert again.exit_code == 1 and "not empty" in again.output and "--over" in again.output
    into = postgres.create_database("into")
    copied = run("db", "copy", settings.database, into)
    assert copied.exit_code == 0 and "all in order" in copied.output, copied.output
    assert run("db", "copy", settings.database, into).exit_code == 1
    assert run("db", "copy", settings.database, "mysql://x").exit_code == 1
    mistyped = run("db", "copy", f"sqlite:///{tmp_path}/hotlin.db", into)
    assert mistyped.exit_code == 1 and "there is no file" in mistyped.output
    assert not (tmp_path / "hotlin.db").exists()
    nobody = f"postgresql+psycopg://x@127.0.0.1:{free_port()}/x"
    away = run("db", "copy", settings.database, nobody)
    assert away.exit_code == 1 and "does not answer" in away.output and "Traceback" not in away.output
