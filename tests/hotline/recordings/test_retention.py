"""Recordings: what is kept, finding one among all rounds, and deleting one before its time."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Recording
from db.states import CallbackState
from hotline import audit
from hotline.errors import Refused
from hotline.recordings import archive, disk, retention
from settings import Settings
from tests.factories import a_callback
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.recording_files import a_file

DAY = timedelta(days=1)


def a_recording(session: Session, folder: Path, *, days_ago: int = 0) -> Recording:
    folder.mkdir(parents=True, exist_ok=True)
    callback = a_callback(session, CallbackState.CLOSED)
    path = a_file(folder, callback.token)
    recording = Recording(
        callback=callback, made_at=now(session) - days_ago * DAY, **archive.inspect_file(path)._asdict()
    )
    session.add(recording)
    session.flush()
    return recording


def test_retention_overview_has_count_size_and_dates(session: Session, settings: Settings) -> None:
    folder = settings.recordings_dir
    assert retention.find_overview(session, folder, 90) == (0, 0, None, None)
    old, new = a_recording(session, folder, days_ago=5), a_recording(session, folder)
    gone = a_recording(session, folder, days_ago=9)
    archive.delete(session, gone, folder)
    size = sum((folder / one.file).stat().st_size for one in (old, new))
    assert retention.find_overview(session, folder, 90) == (2, size, old.made_at, old.made_at + 90 * DAY)


def test_each_filter_narrows_the_search_and_pages_follow(session: Session, settings: Settings) -> None:
    made = [a_recording(session, settings.recordings_dir, days_ago=ago) for ago in (3, 2, 1)]
    first, second, third = made
    assert archive.search(session) == [third, second, first]
    assert archive.search(session, round_id=second.callback.round_id) == [second]
    assert archive.search(session, ticket=first.callback.registration.ticket) == [first]
    since = second.made_at
    assert archive.search(session, since=since) == [third, second]
    assert archive.search(session, until=since) == [first]
    assert archive.search(session, limit=1) == [third]
    assert archive.search(session, before=third.callback_id) == [second, first]


def test_early_deletion_removes_the_file_and_is_audited(engine: Engine, settings: Settings) -> None:
    folder = settings.recordings_dir
    with writing(engine) as session:
        id_, file = (one := a_recording(session, folder)).callback_id, one.file
    with pytest.raises(Refused, match="reason-missing"), writing(engine) as session:
        retention.delete_early(session, id_, folder, who="admin", reason=" ")
    assert (folder / file).exists()
    with writing(engine) as session:
        retention.delete_early(session, id_, folder, who="admin", reason="به خواست شهروند")
    assert not (folder / file).exists()
    with reading(engine) as session:
        assert session.get_one(Recording, id_).deleted_at
        (entry,) = audit.search(session, action="recording-deleted")
        assert (entry.who, entry.subject, entry.reason) == ("admin", f"callback {id_}", "به خواست شهروند")
    with pytest.raises(Refused, match="not-found"), writing(engine) as session:
        retention.delete_early(session, id_, folder, who="admin", reason="دوباره")


@pytest.mark.parametrize(
    ("total", "free", "nearly_full"),
    [(100 << 30, 50 << 30, False), (100 << 30, 4 << 30, True), (10 << 30, 1 << 29, True), (0, 0, True)],
)
def test_little_free_space_is_nearly_full(total: int, free: int, nearly_full: bool) -> None:
    assert disk.Disk(total, free).nearly_full is nearly_full


def test_missing_folder_uses_the_disk_of_its_parent(
    tmp_path: Path,
) -> None:
    assert disk.find_disk(tmp_path / "a" / "b").total == disk.find_disk(tmp_path).total > 0
