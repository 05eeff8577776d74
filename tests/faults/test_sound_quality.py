"""How the desk's phone sounds: checked before a round, watched in a conversation, kept with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from db.engine import reading
from db.models import CallQuality, Role
from tests.faults.browser_talk import CITIZEN_HZ, Talk, chromium, talk
from tests.kit.browser import person
from tests.kit.caller import Caller
from tests.kit.packets import lost
from tests.kit.pages import in_state, is_fit, shown, sign_in
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import System

__all__ = ["chromium", "talk"]

A_THIRD = 0.3
"""The share of packets lost: words are missing, and the call lives."""
LONG_MS = 40_000

# A microphone that is heard by the page alone: a voice, and what its room gives back of the loudspeaker.
ROOM = """() => {
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  const voice = new GainNode(context, { gain: 0.2 });
  voice.connect(microphone);
  const speaks = new OscillatorNode(context, { frequency: 220 });
  speaks.connect(voice);
  const { start } = OscillatorNode.prototype;
  start.call(speaks);
  window.__room = { echo: 0, voice: voice.gain };
  OscillatorNode.prototype.start = function (...when) {
    const back = new OscillatorNode(context, { frequency: this.frequency.value });
    back.connect(new GainNode(context, { gain: window.__room.echo })).connect(microphone);
    start.call(back);
    this.addEventListener('ended', () => back.stop());
    return start.apply(this, when);
  };
  navigator.mediaDevices.getUserMedia = async () => microphone.stream.clone();
}"""
TONES = """() => {
  const { start } = OscillatorNode.prototype;
  window.__tones = 0;
  OscillatorNode.prototype.start = function (...when) {
    window.__tones += 1;
    return start.apply(this, when);
  };
}"""
REFUSED = """() => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };
}"""


@pytest.fixture
def official(system: System, chromium: Browser) -> Iterator[Page]:
    """An official's page before the round, its phone in its room."""
    with (
        system.only_round() as round_id,
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        page = office.new_page()
        sign_in(page, system, system.operator(Role.OFFICIAL, round_id).username, "/official")
        yield page


def _checked(page: Page) -> dict[str, str]:
    """The check's word, and what it says of each part, once it has run."""
    page.get_by_test_id("check-phone").click()
    verdict = page.get_by_test_id("check-verdict")
    verdict.wait_for(timeout=LONG_MS)
    parts = {
        part: page.get_by_test_id(f"check-{part}").get_attribute("data-result") or ""
        for part in ("microphone", "echo", "network")
    }
    return {"verdict": verdict.get_attribute("data-verdict") or "", **parts}


def _quality(talk: Talk) -> CallQuality | None:
    with reading(talk.system.engine) as session:
        return session.get(CallQuality, talk.callback_id)


def _verdict(page: Page, word: str) -> None:
    expect(page.get_by_test_id("call-quality")).to_have_attribute("data-verdict", word, timeout=LONG_MS)


def test_phone_check_takes_ten_seconds_and_passes(
    official: Page,
) -> None:
    assert _checked(official) == {
        "verdict": "good", "microphone": "good", "echo": "good", "network": "good",
    }  # fmt: skip
    is_fit(official)


def test_echo_of_a_loudspeaker_advises_a_headset(
    official: Page,
) -> None:
    official.get_by_test_id("phone-disconnect").click()
    official.evaluate(ROOM)
    official.evaluate("window.__room.echo = 0.05")
    checked = _checked(official)  # the check connects the phone
    in_state(official, "phone-state", "connected")
    assert checked == {"verdict": "bad", "microphone": "good", "echo": "echo", "network": "good"}
    expect(official.get_by_test_id("check-echo")).to_contain_text("هدست")


def test_silent_or_refused_microphone_is_reported(
    official: Page,
) -> None:
    official.get_by_test_id("phone-disconnect").click()
    official.evaluate(ROOM)
    official.evaluate("window.__room.voice.value = 0")
    checked = _checked(official)
    assert checked == {"verdict": "bad", "microphone": "silent", "echo": "unknown", "network": "good"}
    official.get_by_test_id("phone-disconnect").click()
    official.evaluate(REFUSED)
    official.get_by_test_id("check-phone").click()
    expect(official.get_by_test_id("check-microphone")).to_have_attribute("data-result", "refused")


def test_skipped_or_interrupted_check_is_silent_at_once(
    system: System, chromium: Browser, tmp_path: Path
) -> None:
    operator, number = system.operator(), system.number()
    with (
        system.only_round() as round_id,
        Caller(system, number, port=system.trunk_port, sound=a_tone(tmp_path, CITIZEN_HZ)),
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        system.register(round_id, number)
        page = office.new_page()
        sign_in(page, system, operator.username)
        page.evaluate(TONES)
        callback_id = operator.claim(round_id)
        page.get_by_test_id("phone-settings").click()
        check, begin = page.get_by_test_id("phone-check"), page.get_by_test_id("check-phone")
        begin.click()
        expect(check).to_have_attribute("data-step", "speak")
        page.get_by_test_id("check-skip").click()
        expect(check).to_have_attribute("data-step", "idle")
        begin.click()
        expect(check).to_have_attribute("data-step", "speak")
        operator.call(callback_id)
        expect(check).to_have_attribute("data-step", "interrupted")
        expect(begin).to_be_disabled()
        assert page.evaluate("window.__tones") == 0
        is_fit(page)


def test_sound_quality_is_kept_with_the_conversation(talk: Talk) -> None:
    page = talk.page
    _verdict(page, "good")
    until(lambda: _quality(talk) is not None, "the first reading is kept", 20)
    page.reload()
    talk.both_hear()
    _verdict(page, "good")
    page.get_by_test_id("hangup").click()
    in_state(page, "callback-state", "parting", "ended")
    until(lambda: (kept := _quality(talk)) is not None and kept.readings >= 2, "all of it is kept", 20)
    kept = _quality(talk)
    assert kept is not None
    assert 4 < kept.mos <= 4.5 and kept.rtt_ms is not None and kept.rtt_ms < 1_000, vars(kept)


def test_packet_loss_shows_a_warning_until_it_ends(
    talk: Talk,
) -> None:
    page, channels = talk.page, talk.channels()
    _verdict(page, "good")
    with lost(talk.port("remote"), share=A_THIRD):  # also on another way
        _verdict(page, "bad")
        warning = page.get_by_test_id("quality-warning")
        expect(warning).to_contain_text("مودم", timeout=LONG_MS)
        is_fit(page)
        page.get_by_test_id("my-account").click()
        shown(page, "account")  # until then the desk's own icon is there, too
        in_state(page, "call-bar", "talking")
        _verdict(page, "bad")
        expect(warning).to_be_visible()
    _verdict(page, "good")
    expect(warning).to_be_hidden()
    assert talk.channels() == channels
    page.get_by_test_id("call-bar-hangup").click()
    until(lambda: (kept := _quality(talk)) is not None and kept.mos_worst < 3.1, "the worst is kept", 20)
