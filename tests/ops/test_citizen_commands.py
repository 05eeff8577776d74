"""hotline137 citizen …: a person's data given out and deleted, by whoever runs the machine."""

import json

import pytest
from click.testing import Result
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import reading, writing
from db.models import AuditEntry, Registration
from db.states import Phase
from hotline.line import registration
from hotline.numbers import format_national
from ops.cli import app
from settings import Settings
from tests.factories import a_number, a_round


@pytest.mark.parametrize("backend", ["sqlite"])
def test_export_and_deletion_of_a_number_are_audited(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    number = a_number()
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=number)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["citizen", *words])

    assert run("export", "12").exit_code == 1
    exported = run("export", format_national(number))
    assert json.loads(exported.stdout)["places"][0]["state"] == "waiting"
    refused = run("delete", number)
    assert refused.exit_code == 1 and "places-held" in refused.output
    assert run("delete", number, "--give-up").exit_code == 0
    assert run("new-owner", number, "--reason", " ").exit_code == 1
    assert run("new-owner", number, "--reason", "با مدرک آمد").exit_code == 0
    with reading(engine) as session:
        assert session.scalars(select(Registration.number)).one() == ""
        about = AuditEntry.subject.startswith("citizen ")
        logged = session.scalars(select(AuditEntry).where(about).order_by(AuditEntry.id)).all()
    assert [(entry.who, entry.action) for entry in logged] == [
        ("command line", "citizen-exported"),
        ("command line", "citizen-deleted"),
        ("command line", "number-new-owner"),
    ]
    assert not any(number[3:] in entry.subject for entry in logged)
