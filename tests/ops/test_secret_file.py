"""The secret of an installation: made once, kept on the disk, and refused where it is broken."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from settings import Settings, SettingsError, load
from tests.factories import at_once

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("own_environment")


def secret(settings: Settings, name: str = "desk-1") -> str:
    return settings.secret_for(name)


def test_each_account_derives_its_lasting_secret(tmp_path: Path) -> None:
    here, again, elsewhere = (load(_env_file=None, state_dir=tmp_path / name) for name in "aab")
    assert re.fullmatch("[0-9a-f]{32}", secret(here))
    assert secret(here) == secret(again)
    assert len({secret(here), secret(here, "desk-2"), secret(elsewhere)}) == 3
    (kept,) = (tmp_path / "a").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert secret(here) not in kept.read_text()


ASK = """
import sys
from settings import load
for folder in map(str.strip, sys.stdin):
    print(load(state_dir=folder).secret_for("desk-1"), flush=True)
"""


def test_simultaneous_first_starts_share_one_secret(tmp_path: Path) -> None:
    with ExitStack() as running:
        asking = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ASK],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            )
            for _ in range(3)
        ]

        def ask(process: subprocess.Popen[str], folder: Path) -> str:
            assert process.stdin and process.stdout
            process.stdin.write(f"{folder}\n")
            return process.stdout.readline()

        for process in asking:
            assert len(ask(process, tmp_path / "warm")) == 33
        for folder in (tmp_path / str(n) for n in range(30)):
            told = at_once(len(asking), lambda which, at=folder: ask(asking[which], at))
            assert len(set(told)) == 1
            assert [path.name for path in folder.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (b"", "is empty"),
        (b"0123", "is not 64 hexadecimal digits"),
        (b"g" * 64, "is not 64 hexadecimal digits"),
        (b"a" * 32 + b" " * 32, "is not 64 hexadecimal digits"),
        (b"\0" * 64, "is not 64 hexadecimal digits"),
        (b"\xff" * 64, "is not 64 hexadecimal digits"),
    ],
)
def test_broken_secret_is_refused_with_the_remedy(tmp_path: Path, kept: bytes, why: str) -> None:
    settings = load(_env_file=None, state_dir=tmp_path)
    (tmp_path / "secret").write_bytes(kept)
    for ask in (lambda: secret(settings), lambda: load(_env_file=None, state_dir=tmp_path)):
        with pytest.raises(SettingsError, match=rf"secret {why}: put it back from a backup\. Without"):
            ask()
    assert (tmp_path / "secret").read_bytes() == kept


def test_secret_with_a_final_line_break_is_unchanged(
    tmp_path: Path,
) -> None:
    kept = secret(load(_env_file=None, state_dir=tmp_path))
    file = tmp_path / "secret"
    file.write_text(file.read_text() + "\n")
    assert secret(load(_env_file=None, state_dir=tmp_path)) == kept


def test_new_secret_is_synced_to_disk_before_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            where = os.readlink(f"/proc/self/fd/{args[0]}") if name == "fsync" else ""
            done.append(f"{name} folder" if Path(where).is_dir() and where else name)
            return real(*args, **keywords)

        return call

    for name in ("fsync", "link"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    assert secret(load(_env_file=None, state_dir=tmp_path / "new"))
    assert done == ["fsync", "link", "fsync folder"]
