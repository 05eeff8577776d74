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
    monkeypatch.setattr(service, "prepare", lambda _settings: [])
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


def test_start_waits_for_a_database_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    given = tmp_path / "hotline.env"
    given.write_text(f"HOTLINE_DATABASE_URL=sqlite:///{disk}/hotline.db\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(given))
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("sys.argv", ["service", "start"])
    monkeypatch.setattr("ops.run.build", lambda _settings: None)
    found = SimpleNamespace(argv=lambda _config: ["asterisk"], modules=tmp_path, data=tmp_path)
    monkeypatch.setattr(asterisk, "get", lambda *_: found)
    tries: list[float] = []

    def passes(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            disk.mkdir()

    monkeypatch.setattr(service.time, "sleep", passes)

    service.main()

    said = capsys.readouterr().out
    assert tries == [2.0] * 3
    assert said.count(service.WAITS) == 1 and said.count("the database answers again") == 1
    assert (disk / "hotline.db").exists()


def test_start_ends_at_a_fault_that_waiting_does_not_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise ProgrammingError("SELECT 1", {}, Exception("no such table"))

    monkeypatch.setattr(service, "_put_in_force", fails)
    monkeypatch.setattr("sys.argv", ["service", "start"])
    with pytest.raises(ProgrammingError):
        service.main()
