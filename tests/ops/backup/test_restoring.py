"""A backup is restored: all of it, or nothing is touched."""

import json
import stat
import tarfile
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import Engine, select

from db.engine import connect, writing
from db.models import SignIn, User
from hotline import heartbeats
from hotline.people import accounts, second_factor, sign_ins
from hotline.recordings import archive
from ops.backup import restore as restoring
from ops.backup.archive import Unusable
from ops.backup.restore import prove, restore
from settings import Settings
from tests.factories import PASSWORD, a_user
from tests.kit.postgres import Postgres
from tests.kit.story import Story
from tests.ops.backup.archives import a_member, a_picture, an_archive, files, left, rows, signer_of, taken

_ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


def test_restore_on_an_empty_machine_brings_everything_back(
    city: Story, engine: Engine, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    a_picture(engine, settings)
    with writing(engine) as session:
        user = a_user(session, username="karimi")
        sign_in = session.get_one(SignIn, sign_ins.hash_cookie(sign_ins.sign_in(session, user)))
        totp = pyotp.parse_uri(second_factor.offer(sign_in, settings))
        (code, *_) = second_factor.confirm(session, sign_in, totp.now(), settings)
    made = taken(settings, target)
    assert left(target) == [made.path.name] and stat.S_IMODE(made.path.stat().st_mode) == 0o600
    done = restore(elsewhere, made.path, signer=signer_of(settings))
    assert done.aside == []
    assert rows(elsewhere.database) == rows(settings.database)
    assert files(elsewhere) == files(settings) != {}
    proof = prove(elsewhere)
    assert proof.problems == [] and (proof.recordings, proof.missing) == (2, 0) and proof.entries > 3
    there = connect(elsewhere.database)
    with writing(there) as session:
        user = session.scalars(select(User).where(User.username == "karimi")).one()
        right = accounts.is_right(accounts.find_hash(session, "karimi"), PASSWORD)
        assert accounts.verify(session, "karimi", right=right)
        sign_in = session.get_one(SignIn, sign_ins.hash_cookie(sign_ins.sign_in(session, user)))
        assert second_factor.show(session, sign_in, code, elsewhere), "the secret came along"
        assert not archive.list_new(session, elsewhere.recordings_dir), (
            "what is in the books is not read again"
        )
    there.dispose()
    for path in elsewhere.state_dir.rglob("*"):
        assert path.name == "backup.lock" or stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not (elsewhere.state_dir / "asterisk").exists()
    said = json.loads((settings.state_dir / "backup.json").read_text())
    assert said["ok"] and said["path"] == str(made.path) and said["error"] is None and said["good_at"]


def test_restore_over_data_is_refused_or_moves_it_aside(
    city: Story, engine: Engine, settings: Settings, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = taken(settings, target)
    city.registers()
    (settings.messages_dir / "later.wav").write_bytes(b"later")
    before, sound = rows(settings.database), files(settings)
    with writing(engine) as session:
        heartbeats.beat(session, heartbeats.SCHEDULER)
    engine.dispose()
    with pytest.raises(Unusable, match="runs here"):
        restore(settings, made.path, over=True)
    with writing(engine) as session:
        session.delete(session.get_one(heartbeats.Heartbeat, heartbeats.find_row(heartbeats.SCHEDULER)))
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
def test_archive_with_outside_paths_changes_nothing(
    member: tuple[tarfile.TarInfo, bytes], said: str, elsewhere: Settings, tmp_path: Path
) -> None:
    path = an_archive(tmp_path / "evil.tar", [member])
    with pytest.raises(Unusable, match=said):
        restore(elsewhere, path, unproven=True)
    assert left(elsewhere.state_dir) == ["backup.lock"]
    assert not [*tmp_path.rglob("evil")]


@_ON_SQLITE
def test_unusable_archive_is_named_and_changes_nothing(
    city: Story, settings: Settings, target: Path, elsewhere: Settings, tmp_path: Path
) -> None:
    made = taken(settings, target)
    whole = made.path.read_bytes()
    broken = tmp_path / "broken.tar"

    def refused(data: bytes) -> str:
        broken.write_bytes(data)
        with pytest.raises(Unusable) as error:
            restore(elsewhere, broken, unproven=True)
        assert left(elsewhere.state_dir) == ["backup.lock"]
        return str(error.value)

    at = whole.index(b"RIFF") + 100
    assert "recordings/" in refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for end in (0, 100, 512, 5000, len(whole) // 2):
        assert "damaged" in refused(whole[:end]) or "cut short" in refused(whole[:end])
    assert "no backup of" in refused(whole[1024:]) or "damaged" in refused(whole[1024:])
    assert "damaged" in refused(b"PK\x03\x04 something else" * 1000)
    assert "newer version" in refused(whole.replace(b'"version": "1.', b'"version": "9.', 1))
    assert "newer version" in refused(whole.replace(b'"format": 1', b'"format": 2', 1))
    empty = {"files": {}, "counts": {}}
    for database, said in (("sqlite", "no database"), ("postgresql", "of PostgreSQL"), ("oracle", "no kind")):
        archive = an_archive(tmp_path / "empty.tar", [], empty, database=database)
        assert said in refused(archive.read_bytes())


@_ON_SQLITE
def test_sqlite_backup_is_restored_into_postgresql(
    city: Story, settings: Settings, target: Path, postgres: Postgres, tmp_path: Path
) -> None:
    made = taken(settings, target)
    url = postgres.create_database("elsewhere")
    there = settings.model_copy(update={"state_dir": tmp_path / "there", "database_url": url})
    restore(there, made.path, signer=signer_of(settings))
    assert rows(url) == rows(settings.database) and files(there) == files(settings)
    assert prove(there).problems == []
