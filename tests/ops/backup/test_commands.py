"""The commands of backups, as a person types them."""

import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ops.backup.restore import SETTINGS
from ops.cli import app
from settings import Settings
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres
from tests.kit.story import Story

_ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


@_ON_SQLITE
def test_backup_commands_print_their_result(
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
    unsaid = run("restore", str(file), **there)
    assert unsaid.exit_code == 1 and "no signer is known here" in unsaid.output
    assert not [*there["state"].glob("*.db")]
    signer = run("backup-signer").output.strip()
    back = run("restore", str(file), "--signer", signer, **there)
    assert "signed by the installation that you trust" in back.output
    assert back.exit_code == 0 and "recordings: 2: all in order" in back.output, back.output
    kept = (there["state"] / SETTINGS / "environment.env").read_text()
    assert f"HOTLINE_STATE_DIR={settings.state_dir}" in kept
    again = run("restore", str(file), "--signer", signer, **there)
    assert again.exit_code == 1 and "not empty" in again.output and "--over" in again.output
    other = run("restore", str(file), "--signer", "0" * 64, "--unproven", "--over", **there)
    assert other.exit_code == 0 and "NOT PROVEN" in other.output, other.output
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
