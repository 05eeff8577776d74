"""Voice messages and events have their time, too: what is in work stays, the rest is deleted for real."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from db import events
from db.engine import now, reading, writing
from db.models import Event, Heartbeat, Registration, Request
from db.states import HOLDS_PLACE, OPEN_REQUESTS, RegistrationState, RequestState
from hotline import heartbeats
from scheduler import jobs
from scheduler.jobs import forget_events
from scheduler.recordings import delete_old_messages
from settings import Settings
from tests.factories import a_registration, a_request, a_round
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.recording_files import a_file

DAY_S = 24 * 3600


@pytest.fixture
def folder(settings: Settings) -> Path:
    settings.messages_dir.mkdir(parents=True)
    return settings.messages_dir


def a_message(folder: Path, name: str, days: int) -> str:
    return a_file(folder, name, 1.0, age_s=days * DAY_S).name


@pytest.mark.parametrize("state", RegistrationState)
def test_old_message_is_deleted_unless_its_place_is_held(
    engine: Engine, settings: Settings, folder: Path, state: RegistrationState
) -> None:
    held = state in HOLDS_PLACE
    with writing(engine) as session:
        place = a_registration(
            session, a_round(session), state=state, voice_message=a_message(folder, "old", 91)
        )
        young = a_registration(session, a_round(session), voice_message=a_message(folder, "young", 89))
    delete_old_messages(engine, settings)

    assert {path.name for path in folder.iterdir()} == {"young.wav", *(["old.wav"] if held else [])}
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).voice_message == ("old.wav" if held else None)
        assert session.get_one(Registration, young.id).voice_message == "young.wav"


@pytest.mark.parametrize("state", RequestState)
def test_old_spoken_request_is_deleted_unless_open(
    engine: Engine, settings: Settings, folder: Path, state: RequestState
) -> None:
    is_open = state in OPEN_REQUESTS
    with writing(engine) as session:
        request = a_request(session, state, voice_message=a_message(folder, "old", 91))
    delete_old_messages(engine, settings)

    assert (folder / "old.wav").exists() is is_open
    with reading(engine) as session:
        kept = session.get_one(Request, request.id)
        assert (kept.voice_message, kept.voice_deleted_at is None) == (
            "old.wav" if is_open else None,
            is_open,
        )


def test_orphaned_file_and_interrupted_deletion_are_finished(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    a_message(folder, "of-a-call-that-broke-off", 91)
    a_message(folder, "of-a-call-that-goes-on", 0)
    elsewhere = folder.parent / "elsewhere.wav"
    elsewhere.touch()
    (folder / "link.wav").symlink_to(elsewhere)
    delete_old_messages(engine, settings)

    assert {path.name for path in folder.iterdir()} == {"of-a-call-that-goes-on.wav", "link.wav"}


def test_old_events_are_deleted_in_batches(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_FORGOTTEN_AT_ONCE", 2)
    with writing(engine) as session:
        for _ in range(7):
            events.append_telephone(session, "down")
        for event in session.scalars(select(Event).order_by(Event.id).limit(5)):
            event.at = now(session) - timedelta(days=settings.events_days + 1)
        last = events.find_last_id(session)
    forget_events(engine, settings)

    with writing(engine) as session:
        assert len(events.list_since(session, 0)) == 2
        events.append_telephone(session, "up")
        assert events.find_last_id(session) == last + 1  # pages go on where they were


def test_jobs_include_each_retention_within_the_name_limit() -> None:
    names = {job.name for job in jobs.JOBS}
    assert {"old-messages", "old-events", "old-recordings"} <= names
    told = Heartbeat.__table__.c.process.type.length
    too_long = [name for name in names if len(f"{heartbeats.JOB}{name}") > told]
    assert too_long == []  # SQLite would take a longer one
