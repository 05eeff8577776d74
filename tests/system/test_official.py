"""An official serves a whole round in the browser; an operator beside speaks first with a citizen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from db.models import Role
from db.states import CallbackState, Outcome, Phase, RegistrationState
from tests.kit import sound
from tests.kit.browser import browsers, page_heard, person
from tests.kit.operator import Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.process import slowness, until
from tests.kit.sipp import SippPhone
from tests.kit.system import System

CITIZEN_HZ = 440  # the fixture `tone`
PURE = 0.6
"""The share of half a second of sound that must be the other one's tone."""
AT_ONCE_S = 2.0
"""From «next» to the conversation on a machine with nothing else to do; bench/next_latency.py measures."""
LONG = 320.0
"""The time in a talk of six minutes when the next one is called and the page is still calm."""
SUBJECTS = (3, 1, 8, 5)


@pytest.fixture
def round_id(system: System) -> Iterator[int]:
    """A round in which four citizens are registered, each with another subject."""
    with system.only_round() as made:
        for subject in SUBJECTS:
            system.register(made, system.number(), subject=subject)
        yield made


@pytest.fixture
def citizens(system: System, tone: Path) -> Iterator[SippPhone]:
    """All citizens' phones: they are answered, press 1 and speak."""
    with SippPhone.answering(
        port=system.trunk_port, after_ms=200, keys="1", keys_after_ms=1500, sound=tone
    ) as phone:
        yield phone


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for everybody in the office."""
    with browsers() as start:
        yield start(None)


def _serve(page: Page, system: System, official: Operator) -> None:
    sign_in(page, system, official.username, "/official")
    page.get_by_test_id("sit-down").click()
    in_state(page, "serving-state", "free")


def _holds(official: Operator) -> int:
    """The callback that the desk has in hand."""
    return int(official.http.get("/me").json()["callback"]["id"])


def _subject(page: Page) -> str:
    return page.get_by_test_id("subject").inner_text()


def _late_in_talk(system: System, page: Page, official: Operator) -> None:
    """Move the conversation near its end, so that the next citizen is called."""
    system.talks_for(_holds(official), LONG)
    page.keyboard.press("f")
    in_state(page, "serving-state", "finishing")
    in_state(page, "up-next", "waiting", timeout=40)


def test_official_serves_a_round_by_keys_alone(
    system: System, round_id: int, citizens: SippPhone, chromium: Browser
) -> None:
    official = system.operator(Role.OFFICIAL, round_id)
    with person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office:
        page = office.new_page()
        _serve(page, system, official)
        expect(page.get_by_test_id("remaining")).to_have_attribute("data-count", "4")

        # Without a phone «next» connects it first.
        page.get_by_test_id("phone-disconnect").click()
        in_state(page, "phone-state", "disconnected")
        expect(page.get_by_test_id("serving-state")).to_contain_text("تلفن میز را وصل کنید")

        # Nobody was called yet: the first one is called now, and comes when they have pressed 1.
        page.keyboard.press("n")
        in_state(page, "serving-state", "asked")
        in_state(page, "serving-state", "talking", timeout=40)
        assert _subject(page) == "زباله و نظافت"
        sound.until_heard(
            lambda: sound.tone_level(page_heard(page), CITIZEN_HZ) > PURE, "the official hears the citizen"
        )

        # The second is ready while the first still speaks.
        first = _holds(official)
        _late_in_talk(system, page, official)
        assert system.callback(first).state is CallbackState.TALKING
        slow = slowness()
        page.keyboard.press("n")
        until(lambda: _holds(official) != first, "the next one is at the desk")
        second = _holds(official)
        official.wait_for(second, "talking")
        official.wait_for(first, "closed")
        begun, over = system.callback(second).talking_at, system.callback(first)
        assert begun and over.ended_at
        assert (begun - over.ended_at).total_seconds() < AT_ONCE_S * max(slow, slowness())
        assert over.outcome is Outcome.REACHED
        citizens.wait_for("BYE")
        expect(page.get_by_test_id("subject")).to_have_text("خیابان و آسفالت")

        # The agreed minutes: amber half a minute before their end, red after it, and nobody is cut off.
        system.talks_for(second, 335)
        page.keyboard.press("f")
        expect(page.get_by_test_id("timer")).to_have_attribute("data-tone", "soon")
        expect(page.get_by_test_id("timer")).to_have_attribute("data-tone", "late", timeout=40_000)
        assert system.callback(second).state is CallbackState.TALKING

        # This one did not take place: said before «next», it goes back to its place.
        page.keyboard.press("h")
        in_state(page, "serving-state", "ended")
        page.keyboard.press("2")
        expect(page.get_by_test_id("outcome-call_again")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("b")
        in_state(page, "serving-state", "wrap-up")
        assert system.callback(second).outcome is Outcome.CALL_AGAIN

        # Paused, the round goes on with «next», and ends with a word of confirmation.
        page.keyboard.press("p")
        in_state(page, "serving-state", "paused")
        page.keyboard.press("n")
        in_state(page, "serving-state", "talking", timeout=40)
        third = _holds(official)
        page.keyboard.press("e")
        page.get_by_test_id("confirm").click()
        expect(page.get_by_test_id("confirm")).to_be_hidden()
        assert system.callback(third).state is CallbackState.TALKING
        page.keyboard.press("h")
        in_state(page, "serving-state", "ended")
        page.keyboard.press("n")
        in_state(page, "serving-state", "over")
        page.get_by_test_id("language").click()
        expect(page.get_by_text("Conversations in this round: 2.")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("dir", "ltr")
        page.get_by_test_id("language").click()
        assert official.http.get(f"/rounds/{round_id}").json()["phase"] == Phase.OVER
        page.keyboard.press("l")
        expect(page.get_by_test_id("sit-down").or_(page.get_by_text("هنوز دور گفت‌وگویی"))).to_be_visible()
        reached = [r for r in system.registrations(round_id) if r.state is RegistrationState.REACHED]
        assert len(reached) == 2
        assert office.complaints == _only_signing_in(office.complaints)  # type: ignore[attr-defined]


def test_operator_speaks_first_and_hands_over_to_the_official(
    system: System, round_id: int, citizens: SippPhone, chromium: Browser
) -> None:
    official, operator = system.operator(Role.OFFICIAL, round_id), system.operator()
    with (
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office,
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as beside,
    ):
        page, desk = office.new_page(), beside.new_page()
        _serve(page, system, official)
        page.keyboard.press("n")
        in_state(page, "serving-state", "talking", timeout=40)
        sign_in(desk, system, operator.username, "/assist")
        in_state(desk, "place", "talking")
        _late_in_talk(system, page, official)

        ready = desk.get_by_test_id("ready").first
        expect(ready).to_have_attribute("data-state", "waiting")
        waits = int(ready.get_attribute("data-id") or 0)
        desk.keyboard.press("s")
        expect(desk.locator(f'[data-id="{waits}"]')).to_have_attribute("data-state", "screening")
        sound.until_heard(
            lambda: sound.tone_level(page_heard(desk), CITIZEN_HZ) > PURE, "the operator hears the citizen"
        )
        assert system.callback(waits).screen_desk_id == operator.desk

        desk.keyboard.press("t")
        expect(desk.locator(f'[data-id="{waits}"]')).to_have_attribute("data-state", "waiting")
        page.keyboard.press("n")
        official.wait_for(waits, "talking")
        assert _holds(official) == waits

        # The operator may pause the round, too.
        desk.keyboard.press("p")
        expect(desk.get_by_test_id("pause")).to_have_text(re.compile("ادامه"))
        assert system.round(round_id).paused_at
        desk.get_by_test_id("language").click()
        expect(desk.get_by_test_id("pause")).to_contain_text("Resume round")


def _only_signing_in(complaints: list[str]) -> list[str]:
    """Return a browser's complaints about a page that asks who is signed in, when nobody is yet."""
    return [said for said in complaints if "401" in said]
