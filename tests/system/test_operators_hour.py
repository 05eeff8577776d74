"""An operator's hour at the desk, by the keyboard alone, with citizens who answer, press 1 and speak."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.engine import now, writing
from db.models import Registration
from db.states import Outcome, RegistrationState
from tests.kit import sound
from tests.kit.browser import browser, page_heard, person
from tests.kit.operator import PASSWORD
from tests.kit.pages import in_state
from tests.kit.process import until
from tests.kit.recording_files import a_file
from tests.kit.sipp import SippPhone
from tests.kit.system import System

CITIZEN_HZ, PURE = 440, 0.6  # the fixture `tone`


@pytest.fixture
def round_id(system: System) -> Iterator[int]:
    """A round with four citizens; the first left a message."""
    with system.only_round() as made:
        for subject in (2, 1, 8, 5):
            system.register(made, system.number(), subject=subject)
        a_file(system.settings.messages_dir, "of-the-first", 3)
        with writing(system.engine) as session:
            first = session.get_one(Registration, system.registrations(made)[0].id)
            first.voice_message = "of-the-first.wav"
        yield made


def _sign_in(page: Page, system: System, username: str) -> None:
    page.goto(f"{system.url}/desk")
    page.get_by_test_id("username").focus()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_test_id("phone-connect").focus()
    page.keyboard.press("Enter")
    in_state(page, "phone-state", "connected")
    expect(page.get_by_test_id("take-next")).to_be_enabled()


def _calls(page: Page) -> None:
    """Press «call» until it is taken: the trunk is seen only a moment after its phone has come."""
    state = page.get_by_test_id("callback-state")

    def taken() -> bool:
        page.keyboard.press("c")
        page.wait_for_timeout(500)
        return state.get_attribute("data-state") != "claimed"

    until(taken, "the citizen is called", 20)


def _speaks(page: Page) -> None:
    _calls(page)
    in_state(page, "callback-state", "talking", timeout=40)


def _says(page: Page, *keys: str) -> None:
    """Hang up, and press the keys of the outcome."""
    page.keyboard.press("h")
    in_state(page, "callback-state", "ended")
    for key in (*keys, "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_test_id("take-next")).to_be_enabled()


def test_operator_works_an_hour_by_keys_alone(system: System, round_id: int, tone: Path) -> None:
    operator, other = system.operator(), system.operator()
    first, second, third, fourth = system.registrations(round_id)
    with (
        browser() as chromium,
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        page = office.new_page()
        _sign_in(page, system, operator.username)

        with SippPhone.answering(
            port=system.trunk_port, after_ms=200, keys="1", keys_after_ms=1500, sound=tone
        ):
            # Reached, with the message heard before and a note.
            page.keyboard.press("n")
            in_state(page, "callback-state", "claimed")
            page.keyboard.press("j")
            page.wait_for_function(
                "() => document.querySelector('[data-testid=voice-message]').currentTime > 0"
            )
            _speaks(page)
            sound.until_heard(
                lambda: sound.tone_level(page_heard(page), CITIZEN_HZ) > PURE,
                "the operator hears the citizen",
            )
            page.keyboard.press("m")
            expect(page.get_by_test_id("phone-mute")).to_have_attribute("aria-pressed", "true")
            page.keyboard.press("m")
            page.keyboard.press("w")
            page.keyboard.type("چراغ کوچه")
            page.keyboard.press("Escape")
            _says(page, "1")

            # To be called back later, at the own place.
            page.keyboard.press("n")
            in_state(page, "callback-state", "claimed")
            _speaks(page)
            _says(page, "2", "5")
        row = page.locator(f'[data-ticket="{second.ticket}"]')
        expect(row).to_contain_text("تماس دوباره از")

        # Declined: nobody has to say so, and the place is kept.
        with SippPhone.refusing("603 Decline", port=system.trunk_port):
            page.keyboard.press("n")
            in_state(page, "callback-state", "claimed")
            page.keyboard.press("c")
            expect(page.get_by_test_id("take-next")).to_be_enabled(timeout=40_000)
        expect(page.locator(f'[data-ticket="{third.ticket}"]')).to_have_attribute("data-state", "waiting")
        assert system.registrations(round_id)[2].last_outcome is Outcome.REJECTED

        # Another desk's move is seen; then the same page in English.
        taken = other.claim(round_id)
        theirs = page.locator(f'[data-ticket="{system.callback(taken).registration.ticket}"]')
        expect(theirs).to_have_attribute("data-state", "calling")
        page.get_by_test_id("language").click()
        expect(theirs).to_contain_text(f"desk {other.desk}")
        expect(page.locator("html")).to_have_attribute("dir", "ltr")
        expect(page.get_by_test_id("take-next")).to_contain_text("Take next")
        other.returned(taken)

    done = {r.id: r for r in system.registrations(round_id)}
    assert [done[r.id].last_outcome for r in (first, second)] == [Outcome.REACHED, Outcome.CALL_AGAIN]
    assert done[fourth.id].state is RegistrationState.WAITING
    assert done[second.id].state is RegistrationState.WAITING
    with writing(system.engine) as session:
        due = done[second.id].not_before
        assert due and due > now(session)
