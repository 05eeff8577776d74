"""Uploads in pieces: their owner, their limit, and their end, on both databases."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Upload, UploadKind
from hotline.uploads import pending_uploads
from tests.factories import a_number
from tests.kit.databases import on_both
from tests.kit.refusal import refusal

__all__ = ["on_both"]


def a_voice(session: Session, number: str, kept: str | None = "a.wav") -> str:
    upload, _ = pending_uploads.begin_upload(session, number, UploadKind.VOICE, 100)
    upload.kept = kept
    session.flush()
    return upload.id


def test_finished_voice_is_taken_once_by_its_owner(
    session: Session,
) -> None:
    number = a_number()
    voice, unfinished = a_voice(session, number), a_voice(session, number, None)
    picture, _ = pending_uploads.begin_upload(session, number, UploadKind.PICTURE, 100)
    picture.kept = "0" * 32
    for who, id_ in ((a_number(), voice), (number, unfinished), (number, picture.id), (number, "")):
        assert refusal(pending_uploads.take_voice, session, who, id_) == "voice-unknown"
    assert pending_uploads.take_voice(session, number, voice) == "a.wav"
    assert refusal(pending_uploads.take_voice, session, number, voice) == "voice-unknown"


def test_upload_above_the_limit_replaces_the_oldest(
    session: Session,
) -> None:
    number, other = a_number(), a_number()
    others = a_voice(session, other)
    mine = [a_voice(session, number) for _ in range(pending_uploads.AT_ONCE)]
    session.execute(
        update(Upload).where(Upload.id == mine[3]).values(made_at=now(session) - timedelta(hours=1))
    )
    _, gone = pending_uploads.begin_upload(session, number, UploadKind.PICTURE, 100)
    assert gone == [(pending_uploads.UPLOADS, mine[3]), (pending_uploads.MESSAGES, "a.wav")]
    left = set(session.scalars(select(Upload.id).where(Upload.number == number)))
    assert len(left) == pending_uploads.AT_ONCE and pending_uploads.get(session, other, others).kept


def test_upload_older_than_a_day_is_dropped(session: Session) -> None:
    number = a_number()
    old, young = a_voice(session, number), a_voice(session, number)
    session.execute(
        update(Upload).where(Upload.id == old).values(made_at=now(session) - pending_uploads.LASTS)
    )
    assert refusal(pending_uploads.get, session, number, old) == "upload-unknown"
    assert refusal(pending_uploads.take_voice, session, number, old) == "voice-unknown"
    session.execute(
        update(Upload)
        .where(Upload.id == old)
        .values(made_at=now(session) - pending_uploads.LASTS - timedelta(seconds=1))
    )
    assert pending_uploads.drop_old(session, 10) == [
        (pending_uploads.UPLOADS, old),
        (pending_uploads.MESSAGES, "a.wav"),
    ]
    assert pending_uploads.drop_of_number(session, number) == [
        (pending_uploads.UPLOADS, young),
        (pending_uploads.MESSAGES, "a.wav"),
    ]
