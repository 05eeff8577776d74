"""A caller hangs up after the script broke off: their input is kept once a script works again."""

import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from db.engine import reading, writing
from db.models import Registration, Request
from db.states import Phase
from ivr import abandoned_calls
from ivr.caller_cache import CallerCache
from ivr.conversation import Conversation
from ivr.scripts import report
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, Deed, FakeAsterisk
from tests.kit.fake_channel import RECORDING

CALL, NUMBER = "1795652838.7", "09131234567"
REPORT: list[tuple[str, Deed]] = [("main-menu", "3"), ("report-category", "2"), ("report-district", "7#")]


@pytest.fixture
def left(settings: Settings) -> Path:
    """The note of the call that the dialplan wrote."""
    settings.hung_up_dir.mkdir(parents=True, exist_ok=True)
    return settings.hung_up_dir / CALL


def _take_up(settings: Settings, engine: Engine) -> None:
    abandoned_calls.take_up(settings, engine, CallerCache(engine))


def _reports(engine: Engine) -> list[Request]:
    with reading(engine) as session:
        return list(session.scalars(select(Request)))


def test_request_of_a_broken_script_is_sent_once(
    asterisk: FakeAsterisk, settings: Settings, engine: Engine, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "keep", lambda _write: None)  # who is killed writes nothing more
    cut = asterisk.dial(*REPORT, (RECORDING, CUT), channel_id=CALL)
    cut.recorded[0].write_bytes(b"R" * (44 + 16_000 * 3))  # Asterisk goes on recording
    assert not _reports(engine)
    left.write_text(f"{NUMBER}|en|\n")

    _take_up(settings, engine)
    left.write_text(f"{NUMBER}|en|\n")
    _take_up(settings, engine)

    (request,) = _reports(engine)
    assert (request.number, request.category, request.district, request.language) == (
        *("+989131234567", 2, 7),
        "en",
    )
    assert not left.exists()


def test_subject_of_a_broken_script_is_added_after_a_hang_up(
    asterisk: FakeAsterisk, settings: Settings, engine: Engine, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    with monkeypatch.context() as killed:
        killed.setattr(Conversation, "leave", lambda _talk: None)  # who is killed writes nothing more
        asterisk.dial(
            *[("main-menu", "1"), ("confirm-number", "1"), ("ask-subject", "3"), ("message-offer", CUT)],
            channel_id=CALL,
        )
    left.write_text(f"{NUMBER}|fa|3\n")

    _take_up(settings, engine)

    with reading(engine) as session:
        assert session.scalars(select(Registration.subject)).all() == [3]


def test_hang_up_without_input_creates_nothing(settings: Settings, engine: Engine, left: Path) -> None:
    left.write_text("|fa|\n")

    _take_up(settings, engine)

    assert not _reports(engine)
    assert not left.exists()


def test_absent_database_keeps_the_note_for_the_next_time(
    settings: Settings, engine: Engine, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left.write_text(f"{NUMBER}|fa|\n")

    def away(_cache: CallerCache, _number: str | None) -> None:
        raise OperationalError("", {}, Exception(), connection_invalidated=True)

    monkeypatch.setattr(CallerCache, "look_up", away)
    with pytest.raises(OperationalError):
        _take_up(settings, engine)

    assert left.exists()


def test_empty_note_of_a_full_disk_still_sends_the_request(
    asterisk: FakeAsterisk, settings: Settings, engine: Engine, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "keep", lambda _write: None)  # who is killed writes nothing more
    cut = asterisk.dial(*REPORT, (RECORDING, CUT), channel_id=CALL)
    cut.recorded[0].write_bytes(b"R" * (44 + 16_000 * 3))
    left.touch()
    os.utime(left, (0, 0))

    _take_up(settings, engine)

    (request,) = _reports(engine)
    assert (request.number, request.category, request.district) == (None, 2, 7)
    assert not left.exists()


def test_unreadable_note_does_not_block_the_others(
    settings: Settings, engine: Engine, left: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left.write_text("nonsense\n")
    begun = left.with_name("1795652838.8")
    begun.touch()

    with caplog.at_level(logging.ERROR, "ivr"):
        _take_up(settings, engine)

    assert CALL in caplog.text
    assert [path for path in (left, begun) if path.exists()] == [begun], "that is being written"


def test_folder_link_and_pipe_keep_no_caller_waiting(
    asterisk: FakeAsterisk, settings: Settings, engine: Engine, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "keep", lambda _write: None)
    cut = asterisk.dial(*REPORT, (RECORDING, CUT), channel_id=CALL)
    cut.recorded[0].write_bytes(b"R" * (44 + 16_000 * 3))
    left.write_text(f"{NUMBER}|en|\n")
    (left.parent / "0-folder").mkdir()
    (left.parent / "0-link").symlink_to("..")
    os.mkfifo(left.parent / "0-pipe")

    _take_up(settings, engine)

    assert len(_reports(engine)) == 1
    assert not left.exists() and len(list(left.parent.iterdir())) == 3
