"""The desk's phone in a browser when network, page, session or microphone fail in mid-conversation."""

import time
from contextlib import ExitStack, suppress

import psutil
from playwright.sync_api import Route, expect

from db.engine import writing
from db.models import User
from db.states import CallbackState
from hotline.people import sign_ins
from tests.faults.browser_talk import DESK_HZ, PURE, Talk, chromium, talk
from tests.kit import sound
from tests.kit.operator import PASSWORD
from tests.kit.packets import lost
from tests.kit.pages import answered, in_state, is_fit, shown
from tests.kit.ports import Ports
from tests.kit.postgres import stands_still
from tests.kit.process import slowness, until
from tests.kit.proxy import Proxy

__all__ = ["chromium", "talk"]

TALKING, HELD = CallbackState.TALKING, CallbackState.HELD
BACK_S = 20.0
"""Well within the minute that a citizen waits."""
MISSED_S = 7.0
"""Longer than Asterisk keeps a phone of which it hears nothing."""

# Chromium's fake microphones cannot be pulled out. These say what a browser says when a real one is.
UNPLUG = """() => {
  const { track } = window.__connections.at(-1).getSenders()[0];
  track.stop();
  track.dispatchEvent(new Event('ended'));
}"""
NO_MICROPHONES = """() => {
  const devices = navigator.mediaDevices;
  const { getUserMedia, enumerateDevices } = devices;
  devices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };
  devices.enumerateDevices = async () => [];
  window.__plugIn = () => {
    Object.assign(devices, { getUserMedia, enumerateDevices });
    devices.dispatchEvent(new Event('devicechange'));
  };
}"""
TONES = """() => {
  const { start } = OscillatorNode.prototype;
  window.__tones = 0;
  OscillatorNode.prototype.start = function (...when) {
    window.__tones += 1;
    return start.apply(this, when);
  };
}"""


def test_lost_sound_path_is_replaced_within_the_call(
    talk: Talk,
) -> None:
    channels = talk.channels()
    with talk.states() as states, lost(talk.port()):
        time.sleep(1)  # what was on its way has been heard
        talk.both_hear()
        assert talk.channels() == channels
    assert states == [TALKING]


def test_muted_desk_stays_muted_on_a_new_sound_path(talk: Talk) -> None:
    talk.page.keyboard.press("m")
    expect(talk.page.get_by_test_id("phone-mute")).to_have_attribute("aria-pressed", "true")
    with lost(talk.port()):
        time.sleep(1)
        talk.desk_hears()
        begin = talk.citizen.recording().seconds
        heard = talk.citizen.wait_for_sound(begin + 2).part(begin)
    assert sound.tone_level(heard, DESK_HZ) < PURE
    talk.page.keyboard.press("m")
    talk.citizen_hears()


def test_long_network_loss_resumes_in_a_new_call(
    talk: Talk,
) -> None:
    system, page, channels = talk.system, talk.page, talk.channels()
    with ExitStack() as cleanup:
        proxy = cleanup.enter_context(Proxy(str(system.settings.asterisk_http)))

        def through_the_proxy(route: Route) -> None:
            account = answered(route).json()
            route.fulfill(json={**account, "websocket_url": f"ws://127.0.0.1:{proxy.port}/ws"})

        page.route("**/api/v1/desk/phone", through_the_proxy)
        page.reload()
        in_state(page, "phone-state", "connected")
        talk.both_hear()

        ports = system.settings.rtp_ports
        with talk.states() as states:
            with lost(Ports(*ports), but=talk.citizen.sound_ports):
                proxy.cut()
                until(lambda: talk.state() is HELD, "the citizen is held")
                in_state(page, "callback-state", "held")
                expect(page.get_by_test_id("held-left")).to_be_visible()
                talk.citizen.at("callback-held")
            assert talk.both_hear() < BACK_S * slowness()
        assert states == [TALKING, HELD, TALKING]
        assert channels[0] not in talk.channels()
        page.unroute_all()


def test_page_reload_resumes_the_conversation(talk: Talk) -> None:
    with talk.states() as states:
        talk.page.reload()
        took = talk.both_hear()
    assert states == [TALKING, HELD, TALKING]
    assert took < BACK_S * slowness()
    in_state(talk.page, "callback-state", "talking")


def test_conversation_continues_through_every_page(talk: Talk) -> None:
    page, channels = talk.page, talk.channels()
    with talk.states() as states:
        rail = page.locator("[data-testid=rail] a:not([target])")
        for n in range(rail.count()):
            rail.nth(n).click()
            shown(page, (rail.nth(n).get_attribute("href") or "")[1:])
            tabs = page.locator("header nav a:not([target])")
            for tab in range(tabs.count()):
                tabs.nth(tab).click()
                shown(page, (tabs.nth(tab).get_attribute("href") or "")[1:])
        page.get_by_test_id("my-account").click()
        in_state(page, "call-bar", "talking")
        talk.both_hear()
        page.get_by_test_id("call-bar-keypad").click()
        page.keyboard.press("5")
        expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("۵")
        page.get_by_test_id("call-bar-hangup").click(trial=True)  # nothing covers it
        page.keyboard.press("Escape")
        page.get_by_test_id("call-bar-mute").click()
        page.get_by_test_id("call-bar-back").click()
        expect(page.get_by_test_id("phone-mute")).to_have_attribute("aria-pressed", "true")
        page.get_by_test_id("phone-mute").click()
        talk.both_hear()
    assert states == [TALKING]
    assert talk.channels() == channels


def test_expired_session_asks_the_password_during_the_talk(
    talk: Talk,
) -> None:
    page, channels = talk.page, talk.channels()
    page.get_by_test_id("note").fill("جوی آب")
    with talk.states() as states:
        with writing(talk.system.engine) as session:  # as an administrator ends it
            user = session.query(User).filter_by(username=talk.operator.username).one()
            sign_ins.end_sessions(session, user.id)
        expect(page.get_by_role("dialog")).to_be_visible()
        talk.both_hear()
        is_fit(page)
        page.get_by_test_id("password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.get_by_test_id("note")).to_have_value("جوی آب")
        talk.both_hear()
    assert (states, talk.channels()) == ([TALKING], channels)
    page.get_by_test_id("hangup").click()  # and all goes on
    in_state(page, "callback-state", "parting", "ended")


def test_second_window_leaves_the_phone_until_taken_over(
    talk: Talk,
) -> None:
    first, channels = talk.page, talk.channels()
    with talk.states() as states:
        with talk.context.expect_page() as opened:
            first.evaluate("open('/desk')")  # it has the first one's session storage
        second = opened.value
        in_state(second, "phone-state", "elsewhere")
        expect(second.get_by_test_id("phone-elsewhere")).to_contain_text("میز پاسخگویی")
        assert second.evaluate("window.__connections.length") == 0
        assert talk.channels() == channels
        is_fit(second)

        second.get_by_test_id("phone-here").click()
        in_state(second, "phone-state", "connected")
        in_state(first, "phone-state", "elsewhere")
        talk.page = second
        until(lambda: len(talk.channels()) == 1, "the first window's phone has left")
        talk.both_hear()
        assert talk.channels() != channels
    assert states == [TALKING]

    # The window that has the phone is closed: the other one takes it.
    with talk.states() as states:
        second.close()
        talk.page = first
        in_state(first, "phone-state", "connected")
        assert talk.both_hear() < BACK_S * slowness()
    assert states == [TALKING, HELD, TALKING]


def test_only_window_closed_and_reopened_resumes_the_talk(
    talk: Talk,
) -> None:
    with talk.states() as states:
        talk.page.close(run_before_unload=False)
        talk.page = talk.context.new_page()  # nothing is known there of the phone that was on
        talk.page.goto(f"{talk.system.url}/desk")
        in_state(talk.page, "phone-state", "connected")
        assert talk.both_hear() < BACK_S * slowness()
    assert states == [TALKING, HELD, TALKING]


def test_other_window_takes_the_phone_of_a_closed_one(
    talk: Talk,
) -> None:
    second = talk.context.new_page()
    second.goto(f"{talk.system.url}/desk")
    in_state(second, "phone-state", "disconnected")
    in_state(second, "callback-state", "talking")
    with talk.states() as states:
        talk.page.close(run_before_unload=False)
        talk.page = second
        in_state(second, "phone-state", "connected")
        assert talk.both_hear() < BACK_S * slowness()
    assert states == [TALKING, HELD, TALKING]


def test_frozen_page_holds_the_citizen_until_it_moves(
    talk: Talk,
) -> None:
    with talk.states() as states:
        with ExitStack() as frozen:
            for page in _renderers():
                frozen.enter_context(stands_still(page))
            until(lambda: not talk.operator.phone_connected(), "the desk is away")
        assert talk.both_hear() < BACK_S * slowness()
    assert states == [TALKING, HELD, TALKING]


def _renderers() -> list[int]:
    """The processes in which Chromium's pages live."""
    found = []
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            if "--type=renderer" in each.cmdline():
                found.append(each.pid)
    return found


def test_phone_switched_off_by_the_desk_stays_off(talk: Talk) -> None:
    talk.page.get_by_test_id("phone-disconnect").click()
    in_state(talk.page, "callback-state", "held")
    time.sleep(1)
    in_state(talk.page, "phone-state", "disconnected")
    assert talk.channels() == []


def test_dead_microphone_is_replaced_within_the_call(
    talk: Talk,
) -> None:
    page, channels = talk.page, talk.channels()
    with talk.states() as states:
        page.evaluate(TONES)
        page.evaluate(UNPLUG)
        expect(page.get_by_test_id("microphone-replaced")).to_be_visible()
        assert page.evaluate("window.__tones") == 3
        talk.citizen_hears()
        is_fit(page)
        page.get_by_test_id("microphone-understood").click()
        expect(page.get_by_test_id("microphone-replaced")).to_be_hidden()

        page.evaluate(NO_MICROPHONES)
        page.evaluate(UNPLUG)
        expect(page.get_by_test_id("microphone-missing")).to_be_visible()
        time.sleep(MISSED_S)
        talk.desk_hears()

        page.evaluate("window.__plugIn()")
        expect(page.get_by_test_id("microphone-replaced")).to_be_visible()
        talk.citizen_hears()
    assert (states, talk.channels()) == ([TALKING], channels)
