"""hotline137 pictures move: all to the store and back, each compared."""

import io

import pytest
from click.testing import Result
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import reading, writing
from db.models import Picture
from hotline import heartbeats
from hotline.pictures import attachments, decoding
from ops.cli import app
from settings import Settings
from tests.factories import a_number
from tests.kit import picture_files as files
from tests.kit.s3_server import S3Server, stored_in


@pytest.mark.parametrize("backend", ["sqlite"])
def test_moved_pictures_are_compared_and_a_damaged_one_named(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    made = decoding.redraw(io.BytesIO(files.jpeg()))
    names = sorted(attachments.keep(settings.pictures_dir, made) for _ in range(3))
    with writing(engine) as session:
        for name in names:
            attachments.add(session, name, made, number=a_number())

    def move(where: str) -> Result:
        return CliRunner().invoke(app, ["pictures", "move", where])

    def left() -> list[str]:
        return sorted(path.stem for path in settings.pictures_dir.iterdir())

    assert "no store is named" in move("store").output
    with S3Server() as s3:
        for name, value in stored_in(s3.address).items():
            monkeypatch.setenv(f"HOTLINE_{name.upper()}", value)
        s3.refuses = (503, "SlowDown")
        away = move("store")
        assert away.exit_code == 1 and "SlowDown" in away.output and left() == names
        s3.refuses = None
        assert move("store").exit_code == 0
        assert (left(), len(s3.objects)) == ([], 3)
        with writing(engine) as session:
            heartbeats.beat(session, heartbeats.SCHEDULER)
        assert "stop it first" in move("folder").output
        with writing(engine) as session:
            session.delete(session.get_one(heartbeats.Heartbeat, heartbeats.find_row(heartbeats.SCHEDULER)))
        s3.objects[f"pictures/137/{names[0]}.jpg"] = b"?"
        back = move("folder")
        assert back.exit_code == 1 and f"{names[0]}: damaged" in back.output
        assert left() == names[1:] and len(s3.objects) == 1
    with reading(engine) as session:
        assert session.scalars(select(Picture.id).where(Picture.stored)).all() == names[:1]
