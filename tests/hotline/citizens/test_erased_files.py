"""Files of deleted citizens: erased by the scheduler, however often it has to try."""

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import (
    Erasure,
    Recording,
)
from db.states import (
    CallbackState,
    RegistrationState,
)
from scheduler import erasing
from scheduler import recordings as schedulers_recordings
from settings import Settings
from tests import factories as make
from tests.hotline.citizens.a_life import NUMBER, delete, file
from tests.kit.recording_files import a_file


@pytest.mark.parametrize("backend", ["sqlite"])
def test_undeletable_file_alone_waits_to_be_erased(engine: Engine, settings: Settings) -> None:
    (settings.messages_dir / "place.wav").mkdir(parents=True)  # which unlink refuses
    others = [file(settings.messages_dir, f"{which}.wav") for which in range(60)]
    with writing(engine) as session:
        for name in ("place.wav", *(each.name for each in others)):
            session.add(Erasure(file=f"messages/{name}", asked_at=now(session)))
    with pytest.raises(OSError):
        erasing.run(engine, settings)
    assert not any(each.exists() for each in others)
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).one().file == "messages/place.wav"


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("folder", ["messages", "recordings", "pictures", "uploads"])
def test_files_of_an_absent_folder_stay_to_be_erased(engine: Engine, settings: Settings, folder: str) -> None:
    kept = file(settings.state_dir / folder, "kept.wav")
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED)
        old = {"sha256": "0" * 64, "seconds": 3, "made_at": now(session), "deleted_at": now(session)}
        session.add(Recording(callback_id=talk.id, file="old.wav", **old))
        session.add(Erasure(file=f"{folder}/{kept.name}", asked_at=now(session)))
    away = kept.parent.rename(settings.state_dir / "away")
    with pytest.raises(FileNotFoundError, match=folder):
        erasing.run(engine, settings)
    away.rename(kept.parent)
    erasing.run(engine, settings)
    assert not kept.exists()
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).all() == []


@pytest.mark.parametrize("backend", ["sqlite"])
def test_city_that_never_recorded_misses_no_folder(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
    delete(engine)
    erasing.run(engine, settings)
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).all() == []


@pytest.mark.parametrize("books", ["before", "after"])
def test_unregistered_recording_of_the_deleted_is_erased(
    engine: Engine, settings: Settings, books: str
) -> None:
    settings.recordings_dir.mkdir(parents=True)
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        talk.ended_at = now(session)
        path = a_file(settings.recordings_dir, talk.token)
    delete(engine)
    if books == "before":
        schedulers_recordings.register(engine, settings)
        erasing.run(engine, settings)
    else:
        erasing.run(engine, settings)
        schedulers_recordings.register(engine, settings)
    assert not path.exists()
    with reading(engine) as session:
        assert all(each.deleted_at for each in session.scalars(select(Recording)))
