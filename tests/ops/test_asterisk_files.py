"""The state folder of an installation whose Asterisk has a user of its own."""

import os
import stat
from pathlib import Path

import pytest

from hotline.recordings import recordings
from prompts.render import replace
from settings import asterisk_files
from settings.asterisk_files import READ, WRITTEN, share_folders

ASTERISKS = 61371 if os.geteuid() == 0 else os.getgid()
"""The group, and the id of its user. Only root gives files to others."""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as it was made by an installation in which both were one user."""
    folder = tmp_path / "state"
    files = ("secret", "asterisk/etc/pjsip.conf", "asterisk/lib/astdb.sqlite3", "prompts/fa/greeting.alaw")
    for name in (*files, "recordings/before.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    monkeypatch.setattr(asterisk_files, "_find_group", lambda: ASTERISKS)
    return folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_prepared_folders_are_read_or_written_by_the_group(state: Path) -> None:
    share_folders(state)

    assert {name: _mode(state / name) for name in (*WRITTEN, *READ)} == {
        "asterisk": 0o2770,
        "hung-up": 0o3770,
        "messages": 0o3770,
        "recordings": 0o3770,
        "prompts": 0o2750,
    }
    assert {_mode(state / each) for each in ("asterisk/etc/pjsip.conf", "prompts/fa/greeting.alaw")} == {
        0o640
    }
    assert _mode(state / "asterisk/etc") == 0o2750
    assert _mode(state / "asterisk/lib/astdb.sqlite3") == 0o660
    shared = {path.stat().st_gid for path in (state / "asterisk").rglob("*")}
    assert shared == {ASTERISKS}


def test_shared_folders_leave_the_secret_and_old_recordings_alone(state: Path) -> None:
    share_folders(state)

    for name in ("secret", "recordings/before.wav"):
        assert (_mode(state / name), (state / name).stat().st_gid) == (0o600, os.getgid())


def test_machine_without_the_group_shares_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_files, "_find_group", lambda: None)

    share_folders(state)

    assert {_mode(path) & 0o077 for path in state.rglob("*") if path.is_file()} == {0}
    assert not (state / "hung-up").exists()


def test_new_prompt_is_read_by_the_group_of_its_folder(state: Path) -> None:
    share_folders(state)

    before = os.umask(0o077)
    replace(state / "prompts" / "fa" / "new.alaw", b"sound")
    os.umask(before)

    made = state / "prompts" / "fa" / "new.alaw"
    assert (_mode(made), made.stat().st_gid) == (0o640, ASTERISKS)


def test_sealed_recording_is_no_longer_its_makers(state: Path) -> None:
    share_folders(state)
    path = state / "recordings" / "new.wav"
    path.write_bytes(b"a conversation")
    if os.geteuid() == 0:
        os.chown(path, ASTERISKS, ASTERISKS)
    path.chmod(0o660)

    recordings.seal(path)

    assert (path.read_bytes(), path.stat().st_uid, _mode(path)) == (b"a conversation", os.geteuid(), 0o400)
    assert stat.S_ISVTX & path.parent.stat().st_mode  # so its maker may not replace it either
