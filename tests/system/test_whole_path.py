"""The whole path: two citizens and an operator's browser, from dialling 137 to the outcome."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from db.states import Outcome, RegistrationState
from tests.kit import sound
from tests.kit.browser import browsers, page_heard, person
from tests.kit.caller import Caller
from tests.kit.pages import in_state, sign_in
from tests.kit.system import System

pytestmark = pytest.mark.core

CITIZEN_HZ, DESK_HZ, OTHER_CITIZEN_HZ = 440, 1000, 660
IN_A_BROWSER = 0.6
"""A browser's jitter buffer stretches sound on a busy machine: its scores are lower."""
OPENING_S = 2.5
"""The length of a prompt that is enough to know it by."""
PURE = 0.6
"""The share of half a second of sound that must be the other one's tone."""


def _tone(folder: Path, hz: int) -> Path:
    seconds = np.arange(4 * 8000) / 8000
    path = folder / f"{hz}.wav"
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * hz * seconds), 8000, subtype="PCM_16")
    return path


def _register_by_keys(caller: Caller) -> None:
    caller.call()
    caller.at("greeting", "1")
    caller.at("confirm-number", "1")
    caller.at("registered")
    caller.at("ask-subject", "2")
    caller.at("message-offer", "#")
    caller.at("goodbye")
    caller.hangup()
    caller.wait_for("closed")


def _hears(recording: sound.Recording, hz: int) -> bool:
    return sound.tone_level(recording, hz) > PURE


def _finish(page: Page, outcome: Outcome, note: str) -> None:
    page.get_by_test_id("hangup").click()
    in_state(page, "callback-state", "ended")
    page.get_by_test_id(f"outcome-{outcome}").click()
    page.get_by_test_id("note").fill(note)
    page.get_by_test_id("save-outcome").click()
    expect(page.get_by_test_id("take-next")).to_be_enabled()


def test_two_citizens_and_a_desk_complete_the_whole_path(system: System, tmp_path: Path) -> None:
    operator = system.operator()
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port, sound=_tone(tmp_path, CITIZEN_HZ)) as citizen,
        browsers() as start,
        person(start(_tone(tmp_path, OTHER_CITIZEN_HZ))) as other,
        person(start(_tone(tmp_path, DESK_HZ)), locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        _register_by_keys(citizen)
        phone_page = other.new_page()
        _register_in_browser(system, phone_page)
        desk = office.new_page()
        sign_in(desk, system, operator.username)
        first, second = system.registrations(round_id)
        rows = desk.get_by_test_id("line-row")
        expect(rows.nth(0)).to_have_attribute("data-ticket", first.ticket)
        expect(rows.nth(1)).to_have_attribute("data-ticket", second.ticket)

        # The citizen with a telephone is first in the line.
        desk.get_by_test_id("take-next").click()
        desk.get_by_test_id("call").click()
        citizen.wait_for_call()
        in_state(desk, "callback-state", "ringing")
        citizen.answer()
        citizen.at("callback-intro", "1")
        in_state(desk, "callback-state", "talking")
        sound.until_heard(lambda: _hears(citizen.recording(), DESK_HZ), "the citizen hears the desk")
        sound.until_heard(lambda: _hears(page_heard(desk), CITIZEN_HZ), "the desk hears the citizen")
        _finish(desk, Outcome.REACHED, "دربارهٔ روشنایی خیابان")

        # The citizen with the browser's phone is next.
        desk.get_by_test_id("take-next").click()
        desk.get_by_test_id("call").click()
        in_state(phone_page, "phone-state", "ringing")
        phone_page.get_by_test_id("answer").click()
        in_state(desk, "callback-state", "answered")
        phone_page.get_by_test_id("key-1").click()
        in_state(desk, "callback-state", "talking")
        sound.until_heard(
            lambda: _hears(page_heard(phone_page), DESK_HZ), "the browser's phone hears the desk"
        )
        sound.until_heard(
            lambda: _hears(page_heard(desk), OTHER_CITIZEN_HZ), "the desk hears the browser's phone"
        )
        _finish(desk, Outcome.REACHED, "")
        expect(desk.get_by_test_id("line-empty")).to_be_visible()

        assert citizen.rang == 1
        assert {r.state for r in system.registrations(round_id)} == {RegistrationState.REACHED}


def _register_in_browser(system: System, page: Page) -> None:
    page.goto(f"{system.url}/phone?line=2&raw-audio=1")
    in_state(page, "phone-state", "registered")
    page.get_by_test_id("dial-137").click()
    in_state(page, "phone-state", "talking")
    # Whoever hesitates is asked again: 137 is silent until then, and that is no dead line.
    for clip, key in (("main-menu-slow", 1), ("confirm-number.1", 1)):
        _until_page_heard(system, page, clip)
        page.get_by_test_id(f"key-{key}").click()
    _until_page_heard(system, page, "registered.1")
    page.get_by_test_id("hang-up").click()
    in_state(page, "phone-state", "registered")


def _until_page_heard(system: System, page: Page, clip: str) -> None:
    opening = sound.load(system.clips[clip]).part(0, OPENING_S)
    sound.until_heard(
        lambda: sound.best_score(page_heard(page), opening) > IN_A_BROWSER, f"the page heard {clip}", 60
    )
