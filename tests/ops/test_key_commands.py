"""The command line for keys of programs."""

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from db.engine import writing
from hotline.people import api_keys
from ops.cli import app
from settings import Settings


def test_issued_api_key_works_until_revoked(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["keys", *words])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    secret = run("add", "An app", "--scope", "report", "--per-minute", "9")
    prefix = secret.split("_")[1]
    with writing(engine) as session:
        assert api_keys.use_key(session, secret).may_report
    (line,) = run("list").splitlines()
    assert prefix in line and "report" in line and "9/min" in line and "An app" in line
    assert secret not in line and "used 20" in line
    run("revoke", prefix)
    assert "revoked 20" in run("list")
    assert CliRunner().invoke(app, ["keys", "revoke", "nothing"]).exit_code == 1
    assert CliRunner().invoke(app, ["keys", "add", "An app", "--scope", "write"]).exit_code == 2
