"""Pictures move to the store when it accepts them, and none is lost while it is away."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Erasure, Picture
from hotline.errors import Refused
from hotline.pictures import attachments, decoding, stores
from hotline.pictures.stores import File, StoreAway
from scheduler import erasing
from scheduler import pictures as scheduler_pictures
from settings import Settings
from tests import factories as make
from tests.kit import picture_files as files
from tests.kit.s3_server import S3Server, stored_in

NUMBER = make.a_number()
in_sqlite = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def stored(settings: Settings, s3: S3Server) -> Settings:
    """The settings with the store."""
    return settings.model_copy(update=stored_in(s3.address))


def handed_in(engine: Engine, settings: Settings, count: int = 1) -> list[File]:
    found = []
    for _ in range(count):
        made = decoding.redraw(io.BytesIO(files.jpeg()))
        name = attachments.keep(settings.pictures_dir, made)
        with writing(engine) as session:
            attachments.add(session, name, made, number=NUMBER)
            found.append(attachments.find(session, name))
    return sorted(found)


def in_folder(settings: Settings) -> list[str]:
    return sorted(path.stem for path in settings.pictures_dir.iterdir())


def in_store(s3: S3Server) -> list[str]:
    return sorted(Path(name).stem for name in s3.objects)


def seen(settings: Settings, each: list[File]) -> list[bool | str]:
    def one(file: File) -> bool | str:
        try:
            return stores.hash_data(stores.read(settings, file)) == file.checksum
        except Refused as refused:
            return refused.code

    return [one(file) for file in each]


def marked(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return sorted(session.scalars(select(Picture.id).where(Picture.stored)))


def test_pictures_move_from_the_folder_to_the_store(engine: Engine, stored: Settings, s3: S3Server) -> None:
    first = handed_in(engine, stored, 2)
    assert seen(stored, first) == [True, True]
    scheduler_pictures.bring_to_store(engine, stored)
    names = [file.name for file in first]
    assert (in_folder(stored), in_store(s3), marked(engine)) == ([], names, names)
    assert all(name.startswith("pictures/137/") for name in s3.objects)
    assert seen(stored, first) == [True, True]


@in_sqlite
def test_pictures_stay_in_the_folder_without_a_store(engine: Engine, settings: Settings) -> None:
    first = handed_in(engine, settings)
    scheduler_pictures.bring_to_store(engine, settings)
    assert in_folder(settings) == [first[0].name] and seen(settings, first) == [True]


@in_sqlite
@pytest.mark.parametrize("count", [1, 5])
def test_pictures_wait_for_a_store_that_is_away(
    engine: Engine, stored: Settings, s3: S3Server, count: int
) -> None:
    before = handed_in(engine, stored)
    scheduler_pictures.bring_to_store(engine, stored)
    s3.refuses = (507, "QuotaExceeded")
    since = handed_in(engine, stored, count)
    with pytest.raises(StoreAway, match="QuotaExceeded"):
        scheduler_pictures.bring_to_store(engine, stored)
    assert len(in_folder(stored)) == count
    assert seen(stored, since) == [True] * count and seen(stored, before) == ["pictures-away"]
    s3.refuses = None
    scheduler_pictures.bring_to_store(engine, stored)
    assert in_folder(stored) == [] and len(s3.objects) == count + 1
    assert seen(stored, before + since) == [True] * (count + 1)


@in_sqlite
def test_damaged_picture_is_reported_and_never_moved(
    engine: Engine, stored: Settings, s3: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = handed_in(engine, stored, 3)
    path = stored.pictures_dir / f"{two.name}.jpg"
    path.chmod(0o600)
    path.write_bytes(b"other bytes")
    (stored.pictures_dir / f"{three.name}.jpg").unlink()
    scheduler_pictures.bring_to_store(engine, stored)
    assert "pictures: 1 are damaged" in caplog.text and "pictures: 1 are missing" in caplog.text
    assert marked(engine) == [one.name] and in_folder(stored) == [two.name]
    s3.objects = dict.fromkeys(s3.objects, files.jpeg())
    assert seen(stored, [one, two, three]) == ["picture-damaged", "picture-damaged", "not-found"]


@in_sqlite
@pytest.mark.parametrize("cut", ["before it is gone from the folder", "before it is written down"])
def test_killed_move_is_finished_by_the_next_run(
    engine: Engine, stored: Settings, s3: S3Server, cut: str
) -> None:
    first = handed_in(engine, stored)
    path = stored.pictures_dir / f"{first[0].name}.jpg"
    s3.objects[f"pictures/137/{path.name}"] = path.read_bytes()
    if cut == "before it is written down":
        path.unlink()
    assert seen(stored, first) == [True]
    scheduler_pictures.bring_to_store(engine, stored)
    assert in_folder(stored) == [] and marked(engine) == in_store(s3) == [first[0].name]


def test_deletion_waits_for_a_store_that_is_away(engine: Engine, stored: Settings, s3: S3Server) -> None:
    handed_in(engine, stored, 3)
    scheduler_pictures.bring_to_store(engine, stored)
    handed_in(engine, stored)
    with writing(engine) as session:
        for picture in session.scalars(select(Picture)):
            picture.made_at = now(session) - timedelta(days=2)
    scheduler_pictures.delete_old(engine, stored)
    s3.keeps = True
    with pytest.raises(StoreAway):
        erasing.run(engine, stored)
    assert in_folder(stored) == [] and len(s3.objects) == 3
    s3.keeps = False
    erasing.run(engine, stored)
    assert not s3.objects
    with writing(engine) as session:
        asked = session.scalars(select(Erasure)).all()
        assert len(asked) == 4, "one may have been on its way"
        for each in asked:
            each.asked_at -= timedelta(minutes=6)
        s3.objects[f"pictures/137/{(asked[0].file or '').partition('/')[2]}"] = b"late"
    erasing.run(engine, stored)
    with reading(engine) as session:
        assert not s3.objects and not session.scalars(select(Erasure)).all()


def test_picture_deleted_during_its_move_leaves_the_store(
    engine: Engine, stored: Settings, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(engine, stored)
    put = stores.Bucket.put

    def and_its_citizen_goes(bucket: stores.Bucket, name: str, data: bytes) -> None:
        with writing(engine) as session:
            attachments.erase(session, attachments.drop_of_number(session, NUMBER))
        erasing.run(engine, stored)
        put(bucket, name, data)

    monkeypatch.setattr(stores.Bucket, "put", and_its_citizen_goes)
    scheduler_pictures.bring_to_store(engine, stored)
    erasing.run(engine, stored)
    assert not s3.objects and not in_folder(stored)
