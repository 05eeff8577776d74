"""Commands of systemd's units, as far as they can be seen without systemd."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import ProgrammingError

from ops import asterisk, service
from settings import Settings


def test_asterisks_parent_logs_json_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "hotline.env"
    given.write_text("HOTLINE_LOG=json\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(given))
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path))
    found = SimpleNamespace(argv=lambda _config: ["asterisk"], modules=tmp_path, data=tmp_path)
    monkeypatch.setattr(asterisk, "get", lambda *_: found)
    monkeypatch.setattr(service, "prepare_files", lambda _settings: None)
    monkeypatch.setattr("sys.argv", ["service", "prepare"])
    service.main()
    given.chmod(0)
    monkeypatch.setattr(service, "load", lambda: pytest.fail("Asterisk's user may not read the settings"))
    monkeypatch.setattr("sys.argv", ["service", "asterisk"])
    became: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _path, argv, env: became.append((argv, env)))
    service.main()
    ((argv, env),) = became
    assert argv[-2:] == ["asterisk", "asterisk"] and env["HOTLINE_LOG"] == "json"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_environment: None) -> Path:
    """Return the folder of the database's disk, which is not mounted."""
    given = tmp_path / "hotline.env"
    given.write_text(f"HOTLINE_DATABASE_URL=sqlite:///{tmp_path}/disk/hotline.db\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(given))
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("ops.run.build", lambda _settings: None)
    found = SimpleNamespace(argv=lambda _config: ["asterisk"], modules=tmp_path, data=tmp_path)
    monkeypatch.setattr(asterisk, "get", lambda *_: found)
    return tmp_path / "disk"


def _run(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr("sys.argv", ["service", command])
    service.main()


def test_asterisk_is_prepared_while_the_database_is_away(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(monkeypatch, "prepare")

    etc = tmp_path / "state" / "asterisk" / "etc"
    assert (etc / "extensions.conf").exists() and (etc / "start.json").exists()
    assert not disk.exists()


def test_folder_of_another_node_is_refused_without_a_database(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "node").write_text("other")

    with pytest.raises(SystemExit, match="does not say whether that works"):
        _run(monkeypatch, "prepare")

    assert not (tmp_path / "state" / "asterisk" / "etc" / "extensions.conf").exists()
    disk.mkdir()
    _run(monkeypatch, "prepare")


def test_tables_wait_for_a_database_that_is_away(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, "prepare")
    tries: list[float] = []

    def passes(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            disk.mkdir()

    monkeypatch.setattr(service.time, "sleep", passes)

    _run(monkeypatch, "wait")

    said = capsys.readouterr().out
    assert tries == [2.0] * 3
    assert said.count(service.WAITS) == 1 and said.count("the database answers again") == 1
    assert (disk / "hotline.db").exists()
    assert said.count("first visit: ") == said.count("code: ") == 1


def test_wait_ends_at_a_fault_that_waiting_does_not_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise ProgrammingError("SELECT 1", {}, Exception("no such table"))

    monkeypatch.setattr(service, "_migrate", fails)
    with pytest.raises(ProgrammingError):
        _run(monkeypatch, "wait")
