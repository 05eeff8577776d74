"""The command line for nodes."""

import json

import pytest
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from db.engine import now, writing
from db.models import Callback, Node
from hotline.nodes import leases
from ops.cli import app
from settings import Settings
from tests import factories as make


def test_given_a_node_with_a_call_when_it_is_drained_with_wait_then_the_command_ends_with_the_call(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    with writing(engine) as session:
        leases.keep(session, settings)
        callback = make.a_callback(session)
        callback.node = "main"
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            with writing(engine) as session:
                session.execute(update(Callback).values(ended_at=now(session)))

    monkeypatch.setattr("ops.nodes.time.sleep", look)
    done = CliRunner().invoke(app, ["node", "drain", "main", "--wait"])

    assert (done.exit_code, len(looks)) == (0, 2), done.output


def test_given_the_command_line_when_a_node_is_drained_and_removed_then_its_state_is_said_as_json(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    with writing(engine) as session:
        leases.keep(session, settings)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["node", *words])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    def states() -> list[tuple[str, str]]:
        return [(each["name"], each["state"]) for each in json.loads(run("list"))]

    assert states() == [("main", "live")]
    run("drain", "main")
    assert states() == [("main", "draining")]
    run("drain", "main", "--undo")
    assert states() == [("main", "live")]
    assert CliRunner().invoke(app, ["node", "remove", "main"]).exit_code == 1
    with writing(engine) as session:
        session.execute(update(Node).values(lease_until=now(session) - leases.GRACE - leases.LEASE))
    run("remove", "main")
    assert states() == []
    assert CliRunner().invoke(app, ["node", "drain", "main"]).exit_code == 1
