"""A call whose script broke off goes on where everything was committed last, and tells what it has made."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Registration, Request
from db.states import Phase
from ivr.call_counter import CallCounter
from ivr.conversation import Conversation
from ivr.scripts import report
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, WORKING, Deed, FakeAsterisk
from tests.kit.fake_channel import RECORDING

CALL = "1795652838.7"
REGISTER: list[tuple[str, Deed]] = [("main-menu", "1"), ("confirm-number", "1"), ("ask-subject", "1")]
SKIPS: list[tuple[str, Deed]] = [("ask-subject", "#"), ("message-offer", "#")]
REPORT: list[tuple[str, Deed]] = [("main-menu", "3"), ("report-category", "2"), ("report-district", "7#")]
TOLD = ["report-recorded", "report-recorded-again", "goodbye"]


@pytest.fixture(autouse=True)
def round_id(engine: Engine) -> int:
    with writing(engine) as session:
        return make.a_round(session, Phase.OPEN).id


def _rows(engine: Engine) -> tuple[list[Registration], list[Request]]:
    with reading(engine) as session:
        return list(session.scalars(select(Registration))), list(session.scalars(select(Request)))


@pytest.mark.parametrize("moment", ["registered", "will-call", "ask-subject"])
def test_restart_tells_the_ticket_and_asks_what_is_missing(
    asterisk: FakeAsterisk, engine: Engine, moment: str
):
    asterisk.dial(*REGISTER[:2], (moment, CUT), channel_id=CALL)

    heard = asterisk.dial(("ask-subject", "3"), SKIPS[1], channel_id=CALL, again="fa")

    ([registration], _) = _rows(engine)
    assert heard.prompts[:2] == ["registered", "ticket-again"]
    assert heard.prompts[-3:] == ["ask-subject", "message-offer", "goodbye"]
    assert heard.said("registered", ticket=registration.ticket)
    assert registration.subject == 3
    assert heard.finished


def test_restart_does_not_ask_again_what_was_added(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial(*REGISTER, ("message-offer", CUT), channel_id=CALL)

    heard = asterisk.dial(SKIPS[1], channel_id=CALL, again="fa")

    ([registration], _) = _rows(engine)
    assert registration.subject == 1
    assert "ask-subject" not in heard.prompts
    assert heard.prompts[-2:] == ["message-offer", "goodbye"]


@pytest.mark.parametrize("end", ["", "registered", "message-offer"])
def test_killed_ivr_keeps_the_chosen_subject(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch, end: str
):
    with monkeypatch.context() as killed:
        killed.setattr(Conversation, "leave", lambda _talk: None)  # who is killed writes nothing more
        cut = asterisk.dial(*REGISTER, ("message-offer", CUT), channel_id=CALL)
    assert _rows(engine)[0][0].subject is None

    steps = [(end, HANG_UP)] if end else []
    heard = asterisk.dial(*steps, channel_id=CALL, again="fa", kept=cut.variables)

    ([registration], _) = _rows(engine)
    assert registration.subject == 1
    assert "ask-subject" not in heard.prompts


def test_hang_up_before_the_search_leaves_it_to_the_dialplan(
    asterisk: FakeAsterisk,
):
    cut = asterisk.dial(*REPORT, (RECORDING, CUT), channel_id=CALL)
    heard = asterisk.dial((WORKING, HANG_UP), channel_id=CALL, again="fa", kept=cut.variables)

    assert "HOTLINE_FINISHED" not in heard.variables  # `gone` would be: nothing is left to keep


@pytest.mark.parametrize("moment", ["greeting", "menu-english", "main-menu", "round-when", "confirm-number"])
def test_who_had_not_begins_with_the_menu_again(asterisk: FakeAsterisk, engine: Engine, moment: str):
    steps = {"round-when": 1, "confirm-number": 1}.get(moment, 0)
    asterisk.dial(*REGISTER[:steps], (moment, CUT), channel_id=CALL)

    heard = asterisk.dial(*REGISTER, SKIPS[1], channel_id=CALL, again="fa")

    ([registration], _) = _rows(engine)
    assert heard.prompts[0] == "main-menu", "without another greeting"
    assert heard.said("registered", ticket=registration.ticket)


def test_another_call_of_the_same_number_hears_the_menu(asterisk: FakeAsterisk):
    asterisk.dial(*REGISTER, ("message-offer", CUT), channel_id=CALL)

    assert asterisk.dial(channel_id="1795652838.8", again="fa").prompts[0] == "main-menu"


def test_it_goes_on_in_the_language_of_the_call(asterisk: FakeAsterisk):
    asterisk.dial(("main-menu", "9"), *REGISTER, ("message-offer", CUT), channel_id=CALL)

    assert asterisk.dial(channel_id=CALL, again="en").languages == {"en"}


def test_restart_after_a_foreign_number_begins_with_the_menu(asterisk: FakeAsterisk):
    keys_in: list[tuple[str, Deed]] = [("main-menu", "1"), ("ask-number", "09137654321#"), *REGISTER[1:]]
    asterisk.dial(*keys_in[:3], ("number-will-be-confirmed", CUT), channel_id=CALL, caller_id="")

    heard = asterisk.dial(channel_id=CALL, again="fa", caller_id="")

    assert heard.prompts[0] == "main-menu"


def test_who_had_reported_hears_the_tracking_number(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial(*REPORT, ("report-review", "1"), ("report-recorded", CUT), channel_id=CALL)

    heard = asterisk.dial(channel_id=CALL, again="fa")

    (_, [request]) = _rows(engine)
    assert heard.prompts == TOLD
    assert heard.said("report-recorded", tracking=request.tracking)


def _left(settings: Settings, seconds: int) -> str:
    """Write the caller's words into the recording after the script had gone."""
    settings.messages_dir.mkdir(parents=True, exist_ok=True)
    wav = settings.messages_dir / f"{CALL.replace('.', '')}-0.wav"
    wav.write_bytes(b"R" * (44 + 16_000 * seconds))
    return wav.name


@pytest.mark.parametrize("keys", ["9", ""], ids=["english", "persian"])
@pytest.mark.parametrize("district", [7, None])
@pytest.mark.parametrize("moment", ["recording", "report-review", "after report-review"])
def test_killed_ivr_sends_the_begun_request_and_its_number(
    asterisk: FakeAsterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    district: int | None,
    keys: str,
):
    monkeypatch.setattr(report, "keep", lambda _write: None)  # who is killed writes nothing more
    other: list[tuple[str, Deed]] = [("main-menu", "9")] if keys else []
    where = ("report-district", f"{district or ''}#")
    cut = asterisk.dial(*other, *REPORT[:2], where, (moment, CUT), channel_id=CALL)
    cut.recorded[0].write_bytes(b"R" * (44 + 16_000 * 3))  # Asterisk goes on recording
    assert _rows(engine) == ([], [])

    heard = asterisk.dial(channel_id=CALL, again="en" if keys else "fa")
    another = asterisk.dial(channel_id=CALL, again="en" if keys else "fa")

    (_, [request]) = _rows(engine)
    assert heard.prompts == another.prompts == TOLD
    assert heard.said("report-recorded", tracking=request.tracking, language="en" if keys else "fa")
    assert (request.category, request.district, request.number) == (2, district, "+989131234567")
    assert request.voice_message == cut.recorded[0].name


def test_hang_up_after_the_restart_sends_the_request(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report, "keep", lambda _write: None)
    asterisk.dial(*REPORT, ("report-review", CUT), channel_id=CALL)

    heard = asterisk.dial(("report-recorded", HANG_UP), channel_id=CALL, again="fa")

    (_, requests) = _rows(engine)
    assert heard.prompts == TOLD[:1]
    assert len(requests) == 1


@pytest.mark.parametrize("samples", [8_100, 9_500])
def test_recorded_silence_of_a_killed_ivr_is_not_sent(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch, samples: int
):
    monkeypatch.setattr(report, "keep", lambda _write: None)
    cut = asterisk.dial(*REPORT, ("recording", CUT), channel_id=CALL)
    cut.recorded[0].write_bytes(b"R" * (44 + 2 * samples))  # Asterisk keeps a second of it

    assert asterisk.dial(channel_id=CALL, again="fa").prompts[0] == "main-menu"
    assert _rows(engine)[1] == []


def test_recording_without_a_category_asks_for_it_alone(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    wav = _left(settings, 3)

    heard = asterisk.dial(*REPORT[1:], channel_id=CALL, again="fa")

    (_, [request]) = _rows(engine)
    assert heard.prompts == ["report-category", "report-district", *TOLD]
    assert (request.voice_message, request.category, request.district) == (wav, 2, 7)


def test_who_was_cut_while_leaving_a_message_keeps_it(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    asterisk.dial(*REGISTER, ("message-offer", "1"), ("message-speak", CUT), channel_id=CALL)
    wav = _left(settings, 3)

    heard = asterisk.dial(channel_id=CALL, again="fa")

    ([registration], _) = _rows(engine)
    assert heard.prompts[0] == "registered"
    assert "message-kept" in heard.prompts
    assert registration.voice_message == wav


def test_an_empty_recording_is_nothing_to_go_on_with(asterisk: FakeAsterisk, settings: Settings):
    _left(settings, 0)

    assert asterisk.dial(channel_id=CALL, again="fa").prompts[0] == "main-menu"


def test_a_call_that_goes_on_is_counted_once(asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch):
    counted: list[str] = []
    monkeypatch.setattr(CallCounter, "count", lambda _self, script: counted.append(script))
    asterisk.dial(("greeting", CUT), channel_id=CALL)
    asterisk.dial(channel_id=CALL, again="fa")

    assert counted == ["menu"]
