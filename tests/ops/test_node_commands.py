"""The command line for nodes."""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, delete, select, update
from typer.testing import CliRunner

from db.engine import now, reading, writing
from db.models import Callback, CallerNow, Node, PlacedCall
from hotline.nodes import administration, leases
from ops.cli import app
from settings import Settings
from tests import factories as make


@pytest.fixture(autouse=True)
def found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line has this test's database."""
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)


def _said(*words: str) -> str:
    done = CliRunner().invoke(app, ["node", *words])
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_drain_with_wait_ends_with_the_last_call(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        leases.take_only(session, settings)
        callback = make.a_callback(session)
        callback.node = "main"
        leases.take(session, settings.model_copy(update={"node": "two"}))
        for token in ("code-1", callback.token):  # a callback that was dialled is one call
            session.add(PlacedCall(token=token, number="+98", at=now(session), node="main"))
        session.add(CallerNow(channel="1.1", number="", since=now(session), node="main"))
        session.add(CallerNow(channel="1.2", number="", since=now(session), node="two"))
    listed = {each["name"]: each["calls"] for each in json.loads(_said("list"))}
    assert listed == {"main": 2, "two": 0}, "the list counts as the wait does"
    looks: list[float] = []
    ends = [
        delete(CallerNow).where(CallerNow.node == "main"),
        None,
        update(PlacedCall),
        None,
        update(Callback),
    ]

    def look(seconds: float) -> None:
        looks.append(seconds)
        end = ends.pop(0) if ends else None
        if end is not None:
            with writing(engine) as session:
                session.execute(end if end.is_delete else end.values(ended_at=now(session)))

    monkeypatch.setattr("ops.nodes.time", SimpleNamespace(sleep=look))  # others of this process sleep, too
    done = CliRunner().invoke(app, ["node", "drain", "main", "--wait"])

    assert (done.exit_code, len(looks)) == (0, 6), done.output
    assert done.output.splitlines() == [
        "node main: gets no new work",
        *("waits for calls: 2, callers: 1", "waits for calls: 2", "waits for calls: 1"),
        "node main: nothing goes on there",
    ]


def test_interrupted_drain_persists_and_prints_its_undo(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        leases.take_only(session, settings)
        leases.take(session, settings.model_copy(update={"node": "two"}))

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ops.nodes.time", SimpleNamespace(sleep=interrupted))
    done = CliRunner().invoke(app, ["node", "drain", "main", "--wait"])

    assert done.exit_code == 130
    assert done.output.splitlines()[-1].endswith("hotline137 node drain main --undo")
    with reading(engine) as session:
        assert administration.list_states(session)["main"] == "draining"


def test_node_state_is_listed_as_json(settings: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        leases.take_only(session, settings)
        leases.take(session, settings.model_copy(update={"node": "two"}))

    def states() -> list[tuple[str, str]]:
        return [(each["name"], each["state"]) for each in json.loads(_said("list"))]

    assert states() == [("main", "live"), ("two", "live")]
    assert _said("drain", "main") == "node main: gets no new work"
    assert states() == [("main", "draining"), ("two", "live")]
    last = CliRunner().invoke(app, ["node", "drain", "two"])
    assert last.exit_code == 1 and "no other node" in last.output
    assert _said("drain", "main", "--undo") == "node main: gets new work again"
    assert states() == [("main", "live"), ("two", "live")]
    assert CliRunner().invoke(app, ["node", "remove", "main"]).exit_code == 1
    with writing(engine) as session:
        session.execute(update(Node).values(lease_until=now(session) - leases.GRACE - leases.LEASE))
    assert _said("remove", "main") == "node main: removed"
    with writing(engine) as session:
        assert session.scalars(select(Node.name)).all() == ["two"]
    _said("remove", "two")
    assert states() == []
    assert CliRunner().invoke(app, ["node", "drain", "main"]).exit_code == 1
