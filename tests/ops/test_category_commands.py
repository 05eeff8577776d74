"""The command line exports the categories, and takes them back whole or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import reading
from db.models import AuditEntry, Category
from ops.cli import app
from settings import Settings


def test_edited_export_is_imported_whole_or_not_at_all(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    file = tmp_path / "categories.toml"

    def run(what: str, where: Path = file) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["categories", what, str(where)])
        return done.exit_code, done.output

    def name() -> str:
        with reading(engine) as session:
            return session.get_one(Category, 2).name_en

    assert run("export") == (0, "")
    assert run("import") == (0, "0 added, 0 changed, 9 as they were\n")
    file.write_text(file.read_text().replace("Lighting and electricity", "Street lights"))
    assert run("import") == (0, "0 added, 1 changed, 8 as they were\n")
    assert name() == "Street lights"
    file.write_text(file.read_text(), encoding="utf-8-sig")  # as an editor of Windows writes it
    assert run("import") == (0, "0 added, 0 changed, 9 as they were\n")
    file.write_text(
        file.read_text(encoding="utf-8-sig").replace('"Street lights"', '"Lamps"').replace('"road"', '"goat"')
    )
    code, said = run("import")
    assert code == 1 and "line 5, icon: is one of" in said and "nothing was changed" in said
    assert name() == "Street lights"
    file.write_bytes(b"\xff")
    assert run("import")[0] == 1
    file.write_text("#" + "ع" * 500_000)
    assert run("import") == (1, "this is too large for a file of categories\n")
    assert run("import", tmp_path)[0] == run("export", tmp_path)[0] == 1
    with reading(engine) as session:
        done = session.scalars(select(AuditEntry)).all()
    assert [(e.who, e.action, e.subject) for e in done] == [
        ("command line", "category-changed", "category 2")
    ]
