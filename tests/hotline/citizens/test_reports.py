"""Reports of citizens where the database decides; and what of their pictures goes when."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import Erasure, Picture, PictureKind, Request, RequestEntry
from db.states import RequestState, RequestStep
from hotline.citizens import account_contents, erasure, reports
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.pictures.decoding import Plain
from scheduler import erasing
from scheduler import pictures as scheduler_pictures
from settings import Settings
from tests import factories as make
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

NUMBER = "+989130137137"
PLAIN = Plain(b"\xff\xd8\xff", 1, 1)
REPORT = reports.Report(
    category=2,
    text="چراغ خاموش است",
    answers=(),
    district=3,
    point=None,
    place="کوی اول",
    pictures=(),
    language="fa",
)


def a_picture(engine: Engine, settings: Settings, number: str = NUMBER) -> str:
    name = attachments.keep(settings.pictures_dir, PLAIN)
    with writing(engine) as session:
        attachments.add(session, name, PLAIN, number=number)
    return name


def file(engine: Engine, settings: Settings, key: str = "key-00001", report: reports.Report = REPORT) -> int:
    with writing(engine) as session:
        return reports.file(session, NUMBER, key, report, settings)[0].id


def left(settings: Settings) -> set[str]:
    return {path.stem for path in settings.pictures_dir.iterdir()}


@in_both
def test_request_arriving_ten_times_is_filed_once(engine: Engine, settings: Settings) -> None:
    shown = replace(REPORT, pictures=(a_picture(engine, settings),))
    told = make.at_once(10, lambda _: file(engine, settings, report=shown))
    assert len(set(told)) == 1
    with reading(engine) as session:
        assert len(session.scalars(select(Request)).all()) == 1
        assert session.scalars(select(Picture.request_id)).all() == [told[0]]


@in_both
def test_simultaneous_requests_stay_within_the_daily_limit(engine: Engine, settings: Settings) -> None:
    few = settings.model_copy(update={"reports_per_day": 3})

    def one(which: int) -> str:
        try:
            file(engine, few, f"key-{which:05}")
        except Refused as refused:
            return refused.code
        return "kept"

    told = make.at_once(10, one)
    assert sorted(told) == ["kept"] * 3 + ["too-many-reports"] * 7


def test_reports_of_a_leap_do_not_count(engine: Engine, settings: Settings) -> None:
    few = settings.model_copy(update={"reports_per_day": 1})
    file(engine, few, "key-00001")
    with writing(engine) as session:
        session.execute(update(Request).values(made_at=now(session) + timedelta(days=730)))
    file(engine, few, "key-00002")
    with pytest.raises(Refused, match="too-many-reports"):
        file(engine, few, "key-00003")


@in_both
def test_picture_claimed_by_two_requests_goes_to_one(engine: Engine, settings: Settings) -> None:
    shown = replace(REPORT, pictures=(a_picture(engine, settings),))

    def one(which: int) -> str:
        try:
            file(engine, settings, f"key-{which:05}", shown)
        except Refused as refused:
            return refused.code
        return "kept"

    assert sorted(make.at_once(2, one)) == ["kept", "picture-unknown"]


@in_both
def test_simultaneous_objections_with_pictures_count_once(engine: Engine, settings: Settings) -> None:
    names = [a_picture(engine, settings) for _ in range(4)]
    with writing(engine) as session:
        request = make.a_request(session, RequestState.REPLIED, number=NUMBER)
        id_, tracking = request.id, request.tracking

    def one(which: int) -> str:
        try:
            with writing(engine) as session:
                objection = reports.Objection(reason="هنوز خراب است", pictures=[names[which]])
                reports.object_to(session, NUMBER, tracking, objection)
        except Refused as refused:
            return refused.code
        return "kept"

    assert sorted(make.at_once(4, one)) == ["kept"] + ["wrong-state"] * 3
    with reading(engine) as session:
        assert len(attachments.list_by_request(session, id_)) == 1


@in_both
def test_expired_pictures_are_deleted_except_open_ones(engine: Engine, settings: Settings) -> None:
    names = [a_picture(engine, settings) for _ in range(4)]
    nobodys, fresh, over, open_ = names
    with writing(engine) as session:
        long_ago = now(session) - timedelta(days=settings.pictures_days + 1)
        for name, state in ((over, RequestState.CLOSED), (open_, RequestState.NEW)):
            given = attachments.lock_waiting(session, [name], Picture.number == NUMBER)
            attachments.give(session, given, make.a_request(session, state).id, PictureKind.BEFORE)
        for name in (nobodys, over, open_):
            session.get_one(Picture, name).made_at = long_ago
    (settings.pictures_dir / "cut.part").write_bytes(b"x")
    for name in (nobodys, open_):
        os.utime(settings.pictures_dir / f"{name}.jpg", (long_ago.timestamp(),) * 2)
    os.utime(settings.pictures_dir / "cut.part", (long_ago.timestamp(),) * 2)
    scheduler_pictures.delete_old(engine, settings)
    erasing.run(engine, settings)
    assert left(settings) == {fresh, open_}
    with reading(engine) as session:
        rows = {row.id: row.deleted_at for row in session.scalars(select(Picture))}
    assert rows.keys() == {fresh, over, open_} and rows[over] and not rows[open_]


def test_deleted_citizens_pictures_go_with_the_work(engine: Engine, settings: Settings) -> None:
    open_, over, waits = (a_picture(engine, settings) for _ in range(3))
    first = file(engine, settings, "key-00001", replace(REPORT, pictures=(open_,)))
    second = file(engine, settings, "key-00002", replace(REPORT, pictures=(over,)))
    with writing(engine) as session:
        request = session.get_one(Request, second)
        request.state = RequestState.CLOSED
        said = {"at": now(session), "who": "", "step": RequestStep.DENIED, "note": "خانهٔ من است"}
        session.add(RequestEntry(request_id=second, **said))
        exported = account_contents.export(session, NUMBER, who="citizen")
    assert {each["id"] for each in exported["pictures"]} == {open_, over, waits}
    assert exported["requests"][0]["place"]["words"] == REPORT.place
    with writing(engine) as session:
        erasure.delete_citizen(session, NUMBER, who="citizen", give_up=True)
    erasing.run(engine, settings)
    assert left(settings) == {open_}
    with writing(engine) as session:
        assert session.get_one(Request, first).place, "it is to be mended yet"
        gone = session.get_one(Request, second)
        assert (gone.place, gone.written, gone.report_key, gone.number) == ("", "", None, None)
        assert not any(session.scalars(select(RequestEntry.note).where(RequestEntry.request_id == second)))
        assert not any(session.scalars(select(Picture.number)))
        session.get_one(Request, first).state = RequestState.CLOSED
    for _ in range(2):  # first the words, then the files
        erasing.run(engine, settings)
    assert left(settings) == set()
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).all() == []


def test_undeletable_picture_does_not_block_the_others(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.pictures_dir.mkdir(parents=True)
    for name in ("a", "b", "c"):
        path = settings.pictures_dir / f"{name}.jpg"
        path.write_bytes(b"of nobody")
        os.utime(path, (0, 0))
    unlink = Path.unlink

    def sticks(path: Path, missing_ok: bool = False) -> None:
        if path.name == "a.jpg":
            raise OSError(5, "Input/output error")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", sticks)
    scheduler_pictures.delete_old(engine, settings)
    assert left(settings) == {"a"}
    assert "a.jpg stays: Input/output error" in caplog.text
