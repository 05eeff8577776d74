"""An installation for the doctor, which each test breaks in its own way."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import SmsAccount
from hotline import backups
from hotline.backups import Status
from hotline.trunk import selection
from ops.doctor.command import LOOKS
from settings import Settings
from tests.kit.databases import on_one
from tests.kit.trunk_file import write_trunk
from tests.ops.doctor.examined import NOW

__all__ = ["on_one"]


@pytest.fixture(autouse=True)
def here(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """An installation that lacks nothing, and does not run. No prompts are looked at."""
    settings.state_dir.mkdir(mode=0o700)
    write_trunk(settings.state_dir, host=str(settings.trunks[0].host))
    (settings.state_dir / "secret").write_text("5" * 64)
    (settings.state_dir / "secret").chmod(0o600)
    backups.write(settings, Status(at=NOW, ok=True, path="/b", good_at=NOW, good_path="/b"))
    clock = tmp_path / "bin" / "timedatectl"
    clock.parent.mkdir()
    clock.write_text("#!/bin/sh\necho yes\n")
    clock.chmod(0o755)
    messages = tmp_path / "messages.toml"
    messages.write_text('[sms]\nprovider = "kavenegar"\n[kavenegar]\nkey = "akeyofkavenegar"\n')
    messages.chmod(0o600)
    environment = {
        "HOTLINE_STATE_DIR": settings.state_dir,
        "HOTLINE_DATABASE_URL": settings.database,
        "HOTLINE_MESSAGES": messages,
        "PATH": f"{clock.parent}:{os.environ['PATH']}",
        **{
            f"HOTLINE_{name.upper()}": getattr(settings, name)
            for name in ("http", "sip", "asterisk_http", "agi", "ami")
        },
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)  # where no hotline.env is
    monkeypatch.delitem(LOOKS, "prompts")
    with writing(engine) as session:
        session.add(SmsAccount(provider="kavenegar", credit=5000.0, asked_at=now(session)))
        selection.record_success(session, "trunk")
    return settings
