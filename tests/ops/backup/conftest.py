"""A city with something to lose, and another machine on which nothing is yet."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from db.engine import reading, writing
from db.models import Callback
from db.states import Outcome
from hotline.recordings import archive
from settings import Settings
from tests.kit import recording_files
from tests.kit.postgres import Postgres
from tests.kit.story import Story


@pytest.fixture
def city(engine: Engine, settings: Settings) -> Story:
    """A round under way, whose conversations are recorded; a message."""
    story = Story(engine, settings)
    settings.check_secret()
    for folder in (settings.recordings_dir, settings.messages_dir, settings.uploads_dir):
        folder.mkdir(parents=True)
    for outcome in (Outcome.REACHED, Outcome.NO_ANSWER):
        story.registers()
        story.called(outcome)
    with writing(engine) as session:
        session.execute(update(Callback).values(ended_at=datetime.now(UTC)))
        tokens = session.scalars(select(Callback.token)).all()
    for token in tokens:
        recording_files.a_file(settings.recordings_dir, token)
    with reading(engine) as session:
        new = archive.list_new(session, settings.recordings_dir)
    for path, callback_id in new:
        with writing(engine) as session:
            archive.register(session, callback_id, archive.inspect_file(path))
        archive.seal(path)
    recording_files.a_file(settings.messages_dir, "said")
    (settings.uploads_dir / ("0" * 32)).write_bytes(b"half")
    (settings.state_dir / "asterisk").mkdir()
    story.seals()
    return story


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(settings: Settings, backend: str, postgres: Postgres, tmp_path: Path) -> Settings:
    """Another machine, on which nothing is yet."""
    path = tmp_path / "elsewhere" / "state" / "hotline.db"
    url = f"sqlite:///{path}" if backend == "sqlite" else postgres.create_database("elsewhere")
    return settings.model_copy(update={"state_dir": tmp_path / "elsewhere" / "state", "database_url": url})
