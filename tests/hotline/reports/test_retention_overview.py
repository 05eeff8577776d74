"""The overview of stored data of each kind: count, size, oldest, and the setting."""

import io
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from hotline.pictures import attachments, decoding
from hotline.reports import retention_overview
from hotline.reports.retention_overview import Kind, RetentionRow
from settings import Settings
from tests.factories import HOUR, a_number, a_request, a_round, some_registrations
from tests.kit import picture_files, recording_files
from tests.kit.databases import on_both

__all__ = ["on_both"]


def by_kind(session: Session, settings: Settings) -> dict[Kind, RetentionRow]:
    return {each.kind: each for each in retention_overview.list_retentions(session, settings)}


def test_empty_city_lists_each_kind_with_zero(engine: Engine, settings: Settings) -> None:
    with reading(engine) as session:
        found = by_kind(session, settings)
    assert {*found} == {*Kind} - {Kind.BACKUPS}
    empty = {*found} - {Kind.DATABASE}
    assert {(found[kind].number, found[kind].oldest) for kind in empty} == {(0, None)}
    assert (found[Kind.DATABASE].size or 0) > 100_000
    for each in found.values():
        assert each.days == (getattr(settings, each.setting) if each.setting else each.days)


def test_files_and_rows_are_counted_with_bytes_and_oldest(engine: Engine, settings: Settings) -> None:
    backups = settings.state_dir.parent / "backups"
    for folder in (settings.messages_dir, backups):
        folder.mkdir(parents=True)
    for name, age_s in (("old", 7200.0), ("new", 60.0)):
        recording_files.a_file(settings.messages_dir, name, age_s=age_s)
    (settings.messages_dir / "link.wav").symlink_to("/etc/passwd")
    (backups / "hotline137-20261129T030000Z.tar").write_bytes(b"x" * 137)
    (backups / "holiday.jpg").write_bytes(b"x")
    made = decoding.redraw(io.BytesIO(picture_files.jpeg()))
    name = attachments.keep(settings.pictures_dir, made)
    with writing(engine) as session:
        attachments.add(session, name, made, number=a_number())
        registrations = some_registrations(session, a_round(session), 3)
        a_request(session)
        a_request(session, number=None, written="", voice_message=None, voice_deleted_at=now(session))
        first = registrations[0].registered_at
    wanted = settings.model_copy(update={"backup_dir": backups, "messages_days": 31})
    with reading(engine) as session:
        found, at = by_kind(session, wanted), now(session)
    messages, picture = found[Kind.VOICE_MESSAGES], found[Kind.PICTURES]
    assert (messages.number, messages.size) == (2, 2 * (44 + 32_000))
    assert messages.oldest and timedelta(0) <= at - messages.oldest - 2 * HOUR < timedelta(minutes=1)
    assert picture.number == 1 and picture.size == (settings.pictures_dir / f"{name}.jpg").stat().st_size
    assert (found[Kind.REGISTRATIONS].number, found[Kind.REGISTRATIONS].oldest) == (3, first)
    assert found[Kind.REQUESTS].number == 1, "one that has lost its person is no more than a figure"
    assert (found[Kind.BACKUPS].number, found[Kind.BACKUPS].size, found[Kind.BACKUPS].days) == (1, 137, 14)
    assert found[Kind.MESSAGES].days == 31 and (found[Kind.EVENTS].number or 0) >= 0
    with reading(engine) as session:
        gone = wanted.model_copy(update={"backup_dir": backups / "gone"})
        assert by_kind(session, gone)[Kind.BACKUPS].number is None
