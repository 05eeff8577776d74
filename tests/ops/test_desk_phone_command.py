"""The command line for a desk's SIP phone, whose account somebody knows who must not any more."""

import re

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from db.engine import reading
from db.models import Desk
from ops.cli import app
from settings import Settings
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def test_renewed_phone_is_told_its_new_number(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)

    def dials(*words: str) -> str:
        result = CliRunner().invoke(app, ["desk-phone", "2", *words])
        assert result.exit_code == 0, result.output
        found = re.search(r"dial +(\d+)", result.output)
        assert found, result.output
        return found[1]

    first = dials()
    assert re.fullmatch(r"1\d{8}", first) and dials("--use", "sip") == first
    renewed = dials("--renew")
    assert re.fullmatch(r"1\d{8}", renewed) and dials() == renewed
    with reading(engine) as session:
        assert f"1{session.get_one(Desk, 2).sip_key}" == renewed
