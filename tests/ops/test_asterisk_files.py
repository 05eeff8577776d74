"""The state folder of an installation whose Asterisk has a user of its own."""

import asyncio
import os
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.sounds import _PlainFileResponse
from dialer import asterisk_watchdog
from dialplan.render import _move_console
from hotline.recordings import archive
from ivr.admission import Admission
from prompts.render import replace
from settings import asterisk_files
from settings.asterisk_files import READ, WRITTEN, share_folders

ASTERISKS = 61371 if os.geteuid() == 0 else os.getgid()
"""The group, and the id of its user. Only root gives files to others."""


@pytest.fixture
def reached() -> Iterator[Path]:
    """A temporary folder that every user may enter: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def state(reached: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as it was made by an installation in which both were one user."""
    folder = reached / "state"
    files = ("secret", "asterisk/etc/pjsip.conf", "asterisk/lib/astdb.sqlite3", "prompts/fa/greeting.alaw")
    for name in (*files, "recordings/before.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for name in ("lib", "spool", "log", "run"):
        (folder / "asterisk" / name).mkdir(exist_ok=True)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    folder.chmod(0o711)
    monkeypatch.setattr(asterisk_files, "_find_group", lambda: ASTERISKS)
    return folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _attack(state: Path, script: str) -> int:
    """Run a shell script in the state folder, as Asterisk's user if we are root; return its exit code."""
    become = ["setpriv", f"--reuid={ASTERISKS}", f"--regid={ASTERISKS}", "--clear-groups"]
    command = [*(become if os.geteuid() == 0 else []), "sh", "-c", script]
    return subprocess.run(command, cwd=state, check=False).returncode


def test_prepared_folders_are_read_or_written_by_the_group(state: Path) -> None:
    share_folders(state)

    assert {name: _mode(state / name) for name in (*WRITTEN, *READ)} == {
        "asterisk": 0o2750,
        "hung-up": 0o3770,
        "messages": 0o3770,
        "recordings": 0o3770,
        "prompts": 0o2750,
    }
    assert {_mode(state / each) for each in ("asterisk/etc/pjsip.conf", "prompts/fa/greeting.alaw")} == {
        0o640
    }
    assert _mode(state / "asterisk/etc") == 0o2750
    assert {_mode(state / "asterisk" / each) for each in ("lib", "spool", "log", "run")} == {0o2770}
    assert _mode(state / "asterisk/lib/astdb.sqlite3") == 0o660
    shared = {path.stat().st_gid for path in (state / "asterisk").rglob("*")}
    assert shared == {ASTERISKS}


def test_shared_folders_exclude_the_secret_and_old_recordings(state: Path) -> None:
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

    archive.seal(path)

    assert (path.read_bytes(), path.stat().st_uid, _mode(path)) == (b"a conversation", os.geteuid(), 0o400)
    assert stat.S_ISVTX & path.parent.stat().st_mode  # so its maker may not replace it either


@pytest.mark.parametrize("name", ["callers-admitted", "calls-until"])
def test_link_of_asterisks_overwrites_no_file_of_ours(state: Path, name: str) -> None:
    share_folders(state)

    _attack(state, f"ln -s ../secret asterisk/{name}.new; ln -s ../secret asterisk/{name}")
    Admission(state / "asterisk" / "callers-admitted", 40).turn(0)
    asterisk_watchdog.write(state / "asterisk", 1.0)

    assert (state / "secret").read_text() == "secret"


def test_asterisk_cannot_exchange_its_configuration(state: Path) -> None:
    share_folders(state)

    if os.geteuid() == 0:
        assert _attack(state, "mv asterisk/etc asterisk/old") != 0
    assert not _mode(state / "asterisk") & stat.S_IWGRP
    assert _attack(state, "touch asterisk/run/asterisk.pid asterisk/log/messages") == 0


def test_link_in_asterisks_own_folder_shares_no_file_of_ours(state: Path) -> None:
    share_folders(state)
    _attack(state, "rm -r asterisk/lib/*; ln -s ../../secret asterisk/lib/astdb.sqlite3")
    _attack(state, "ln -s ../.. asterisk/log/x")

    share_folders(state)

    assert ((state / "secret").stat().st_gid, _mode(state / "secret")) == (os.getgid(), 0o600)
    assert _mode(state) == 0o711


def test_console_of_an_older_release_is_found_at_both_places() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as console:
        run = Path(folder)
        (run / "run").mkdir()
        console.bind(f"{folder}/asterisk.ctl")
        console.listen()

        for _ in range(2):
            _move_console(run)

        for path in ("asterisk.ctl", "run/asterisk.ctl"):
            with socket.socket(socket.AF_UNIX) as asks:
                asks.connect(f"{folder}/{path}")


def test_folder_of_before_is_taken_from_the_group(state: Path) -> None:
    share_folders(state)
    (state / "asterisk").chmod(0o2770)

    share_folders(state)

    assert _mode(state / "asterisk") == 0o2750


@pytest.mark.parametrize(
    "planted", ["ln -s ../secret recordings/.new.wav.sealing", "echo x > recordings/.new.wav.sealing"]
)
def test_planted_copy_does_not_divert_a_sealed_recording(state: Path, planted: str) -> None:
    share_folders(state)
    _attack(state, f"umask 007; echo spoken > recordings/new.wav; {planted}")

    archive.seal(state / "recordings" / "new.wav")

    assert (state / "secret").read_text() == "secret"
    sealed = state / "recordings" / "new.wav"
    assert (sealed.read_text(), sealed.stat().st_uid, _mode(sealed)) == ("spoken\n", os.geteuid(), 0o400)


def test_link_for_a_recording_is_neither_sealed_nor_mended(state: Path) -> None:
    share_folders(state)
    link = state / "recordings" / "new.wav"
    link.symlink_to("../secret")

    for look in (archive.inspect_file, archive.seal):
        with pytest.raises(OSError, match="symbolic links"):
            look(link)

    assert ((state / "secret").read_text(), _mode(state / "secret")) == ("secret", 0o600)


def test_link_that_replaces_a_checked_sound_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    path.symlink_to(__file__)

    async def exchange(*_: object) -> None:
        pytest.fail("something was sent")

    with pytest.raises(OSError, match="symbolic links"):
        asyncio.run(_PlainFileResponse(path)({"type": "http"}, exchange, exchange))  # type: ignore[arg-type]
