"""The office's replies as sound: spoken once, anew where they change, deleted when nobody asks any more."""

from datetime import timedelta
from pathlib import Path

import pytest
import soundfile
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Request
from db.states import RequestState
from hotline.requests import closing, lifecycle, parts, spoken_replies, work
from prompts import replies as spoken_by
from prompts.sources import VoiceError
from scheduler import replies
from settings import Settings
from tests import factories as make
from tests.hotline.requests.office import today
from tests.kit.databases import on_one  # noqa: F401  (fixture)

S = RequestState


def replied(engine: Engine, reply: str = "چراغ عوض شد و روشن است.") -> int:
    with writing(engine) as session:
        request = make.a_request(session)
        work.reply(session, request, who="u", reply=reply)
        return request.id


def readable(engine: Engine, request_id: int) -> bool:
    with reading(engine) as session:
        return lifecycle.find_progress(session, session.get_one(Request, request_id)).reply_of == request_id


def seconds(settings: Settings, request_id: int) -> float:
    path = spoken_replies.find_sound_path(settings.replies_dir, request_id).with_suffix(".alaw")
    sound, rate = soundfile.read(path, format="RAW", subtype="ALAW", samplerate=8000, channels=1)
    assert abs(sound).max() > 0.1, "it can be heard"
    return len(sound) / rate


def files(settings: Settings) -> set[str]:
    return {path.name for path in settings.replies_dir.glob("*")}


def test_new_reply_is_spoken_once(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replied(engine)
    assert not readable(engine, first)
    replies.speak(engine, settings)
    assert readable(engine, first)
    assert 1 < seconds(settings, first) < 5
    monkeypatch.setattr("prompts.replies.render", None)
    replies.speak(engine, settings)


@pytest.mark.parametrize(
    ("text", "language"), [("The lamp works again.", "en"), ("چراغ LED عوض شد", "fa"), ("۱۲۳", "fa")]
)
def test_reply_is_spoken_by_the_voice_of_its_language(
    engine: Engine, settings: Settings, text: str, language: str
) -> None:
    assert spoken_by.detect_language(text) == language
    one = replied(engine, text)
    replies.speak(engine, settings)
    assert seconds(settings, one) > 0.3


def test_changed_reply_is_unreadable_until_spoken_anew(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        one = make.a_request(session)
        work.tell(session, one, who="u", reply="فردا می‌آییم.")
    replies.speak(engine, settings)
    before = seconds(settings, one.id)
    with writing(engine) as session:
        work.tell(
            session,
            lifecycle.get(session, one.id),
            who="u",
            reply="فردا نمی‌آییم، پس‌فردا پیش از ظهر می‌آییم و چراغ را عوض می‌کنیم.",
        )
    assert not readable(engine, one.id)
    replies.speak(engine, settings)
    assert readable(engine, one.id)
    assert seconds(settings, one.id) > before


@pytest.mark.parametrize("then", [None, S.REFERRED])
def test_objection_withholds_the_reply_from_its_caller(
    engine: Engine, settings: Settings, then: RequestState | None
) -> None:
    one = replied(engine)
    replies.speak(engine, settings)
    with writing(engine) as session:
        closing.answer(session, one, solved=False)
        if then:
            request = lifecycle.get(session, one)
            work.refer(session, request, make.a_department(session), who="v", due_on=today(session))
    assert not readable(engine, one)


def test_news_after_an_objection_are_readable(engine: Engine, settings: Settings) -> None:
    one = replied(engine)
    with writing(engine) as session:
        closing.answer(session, one, solved=False)
        work.tell(session, lifecycle.get(session, one), who="v", reply="فردا دوباره می‌آییم.")
    replies.speak(engine, settings)
    assert readable(engine, one)
    with reading(engine) as session:
        assert spoken_replies.find_standing_reply(session.get_one(Request, one)) == "فردا دوباره می‌آییم."


def test_news_of_a_reopened_part_stand_for_the_whole(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        whole = make.a_request(session)
        pieces = [parts.Piece(1, "چراغ"), parts.Piece(2, "چاله")]
        both = work.split(session, whole, pieces, who="u")
        for part in both:
            work.reply(session, part, who="u", reply="درست شد")
        closing.answer(session, whole.id, solved=False, named=[both[0].id])
        assert spoken_replies.find_standing_reply(whole) == ""
        work.tell(session, both[0], who="v", reply="فردا می‌آییم.")
        assert spoken_replies.find_standing_reply(whole) == "فردا می‌آییم."


def test_news_of_a_working_department_are_readable(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        one = make.a_request(session, S.ACCEPTED)
        work.tell(session, one, who="u", reply="فردا می‌آییم.")
    replies.speak(engine, settings)
    assert readable(engine, one.id)


def test_unspeakable_reply_is_skipped_and_not_retried(engine: Engine, settings: Settings) -> None:
    mute, other = replied(engine, "…"), replied(engine)
    replies.speak(engine, settings)
    assert readable(engine, other)
    assert files(settings) == {f"{other}.alaw", *(f"{other}.{codec}" for codec in ("ulaw", "g722"))}
    with reading(engine) as session:
        assert [each.request_id for each in spoken_replies.list_without_sound(session, 10)] == []
        assert session.get_one(Request, mute).spoken == "…"


def test_reply_without_a_voice_is_spoken_later(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replied(engine)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        with pytest.raises(VoiceError, match="espeak-ng is missing"):
            replies.speak(engine, settings)
    assert not readable(engine, one)
    replies.speak(engine, settings)
    assert readable(engine, one)


def test_failing_piper_is_replaced_by_the_plain_voice(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    broken = settings.model_copy(update={"prompts_piper": {"fa": tmp_path / "none.onnx"}})
    one = replied(engine)
    replies.speak(engine, broken)
    assert seconds(settings, one) > 1


def test_sound_of_long_closed_requests_is_deleted(engine: Engine, settings: Settings) -> None:
    _old, recent, open_ = (replied(engine) for _ in range(3))
    replies.speak(engine, settings)
    long_ago = spoken_replies.KEPT + timedelta(days=1)
    with writing(engine) as session:
        for request in session.scalars(select(Request)):
            if request.id != recent:
                request.made_at -= long_ago
                request.replied_at = request.replied_at and request.replied_at - long_ago
            if request.id != open_:
                closing.answer(session, request.id, solved=True)
    (settings.replies_dir / "99999.alaw").write_bytes(b"of nobody")
    replies.delete_old(engine, settings)
    assert {name.partition(".")[0] for name in files(settings)} == {str(recent), str(open_)}


def test_voice_failure_at_one_reply_leaves_the_others_spoken(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = replied(engine, "خراب"), replied(engine)
    render = spoken_by.render

    def fails(settings: Settings, text: str, path: Path) -> None:
        if text == "خراب":
            raise VoiceError("no end")
        render(settings, text, path)

    monkeypatch.setattr("prompts.replies.render", fails)
    with pytest.raises(VoiceError, match="no end"):
        replies.speak(engine, settings)
    assert readable(engine, second)
    assert not readable(engine, first)
