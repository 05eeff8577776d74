"""A state folder is one node's."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from db.engine import now, writing
from db.models import Node
from hotline.nodes import leases
from ops import run, service
from settings import Settings
from settings.addresses import Address
from tests.hotline.nodes.conftest import silent
from tests.kit.databases import on_one

__all__ = ["on_one"]


@pytest.fixture
def other(settings: Settings, engine: Engine) -> Settings:
    """Node one, which is at work on a machine of its own, and has prepared this very folder."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    one = settings.model_copy(update={"node": "one", "sip": Address("192.0.2.11", 5060)})
    run.claim_state_folder(one, engine)
    with writing(engine) as session:
        leases.take(session, one)
    return one


def test_folder_of_a_working_node_is_refused_to_another(
    settings: Settings, engine: Engine, other: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(run.CannotRun, match=r"is the state folder of node one, .*HOTLINE_STATE_DIR"):
        run.claim_state_folder(settings, engine)
    run.claim_state_folder(other, engine)
    monkeypatch.setattr("sys.argv", ["service", "prepare"])
    monkeypatch.setattr(service, "load", lambda: settings)
    monkeypatch.setattr("ops.run.build", lambda _settings: None)
    with pytest.raises(SystemExit, match=r"cannot start:\n.*state folder of node one"):
        service.main()
    assert Path(settings.state_dir / "node").read_text() == "one"


@pytest.mark.parametrize("gone", [True, False])
def test_folder_of_a_lost_or_renamed_node_is_taken_over(
    settings: Settings, engine: Engine, other: Settings, gone: bool
) -> None:
    if gone:
        with writing(engine) as session:
            silent(session, "one")
        renamed = settings
    else:
        renamed = other.model_copy(update={"node": "three"})
    run.claim_state_folder(renamed, engine)
    assert (settings.state_dir / "node").read_text() == renamed.node


def test_second_machine_of_a_name_waits_for_the_lease(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = settings.model_copy(
        update={
            "state_dir": tmp_path / "other",
            "sip": Address("10.0.0.9", 5060),
            "database_url": "postgresql+x://",
        }
    )
    mine = settings.model_copy(update={"database_url": "postgresql+x://"})
    with writing(engine) as session:
        leases.take(session, other)
    looks: list[float] = []
    monkeypatch.setattr(run.time, "sleep", looks.append)
    monkeypatch.setattr(run.time, "monotonic", lambda: float(len(looks)))
    with pytest.raises(run.CannotRun, match=r"10\.0\.0\.9:5060"):
        run.claim_node_name(mine, engine)
    assert len(looks) > (leases.LEASE + leases.GRACE).total_seconds()
    run.claim_node_name(other, engine)
    with writing(engine) as session:
        session.execute(update(Node).values(lease_until=now(session) - leases.GRACE))
    run.claim_node_name(mine, engine)
