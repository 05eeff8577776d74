"""Commands of systemd's units, as far as they can be seen without systemd."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

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
