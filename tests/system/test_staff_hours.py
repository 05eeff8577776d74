"""An hour of those who lead the work of desks, in a browser on the real system, by the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from db.engine import now, reading
from db.models import BlockedNumber, Holiday, Role
from hotline.clock import CITY
from tests.kit import sound
from tests.kit.browser import browser, page_heard, person
from tests.kit.operator import PASSWORD, Operator
from tests.kit.pages import in_state, opened, shown
from tests.kit.sipp import SippPhone
from tests.kit.system import System

CITIZEN_HZ, PURE = 440, 0.6  # the fixture `tone`


@pytest.fixture
def office(system: System) -> Iterator[BrowserContext]:
    """A person's browser, of whose pages none may complain but that nobody had signed in yet."""
    with browser() as chromium, person(chromium, locale="fa-IR", timezone_id="Asia/Tehran") as context:
        yield context
        assert [one for one in context.complaints if "401" not in one] == []  # type: ignore[attr-defined]


def press(button: Locator) -> None:
    """Press as a person who has come to it with Tab."""
    expect(button).to_be_enabled()
    button.focus()
    button.press("Enter")


def signs_in(page: Page, username: str) -> None:
    page.get_by_test_id("username").focus()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def says(page: Page, text: str) -> None:
    """Fill in the open dialog, and press its second button."""
    page.get_by_test_id("reason").focus()
    page.keyboard.type(text)
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_supervisor_leads_a_live_line_by_keys_alone(
    system: System, desk: Operator, office: BrowserContext, tone: Path
) -> None:
    supervisor = system.operator(Role.SUPERVISOR)
    page = office.new_page()
    with system.only_round() as round_id:
        system.register(round_id, *(system.number() for _ in range(3)))
        third = system.registrations(round_id)[2]
        page.goto(system.url)
        signs_in(page, supervisor.username)
        shown(page, "control")
        press(page.get_by_test_id("phone-connect"))
        in_state(page, "phone-state", "connected")
        line = page.locator(f"[data-testid=control-line][data-id='{round_id}']")
        row = page.locator(f"[data-testid=control-desk][data-id='{desk.desk}']")

        # The line is there although nobody has begun; a real call is heard, and the desk is told so.
        with SippPhone.answering(
            port=system.trunk_port, after_ms=200, keys="1", keys_after_ms=1500, sound=tone
        ):
            expect(line).to_contain_text("باید از")
            callback = desk.claim(round_id)
            expect(line).not_to_contain_text("باید از")
            desk.call(callback)
            expect(row).to_have_attribute("data-at", "speaking", timeout=40_000)
            press(row.get_by_test_id("listen"))
            sound.until_heard(
                lambda: sound.tone_level(page_heard(page), CITIZEN_HZ) > PURE,
                "the supervisor hears the citizen",
            )
            heard_by = desk.http.get("/me").json()["heard_by"]
            assert [one["how"] for one in heard_by] == ["listen"]
            press(row.get_by_test_id("stop-hearing"))
            expect(row.get_by_test_id("stop-hearing")).to_have_count(0)

            # A word to the desk, until it is read.
            press(row.get_by_test_id("send-word"))
            says(page, "دو دقیقه مانده است")
            last = row.get_by_test_id("last-word")
            expect(last).to_have_attribute("data-read", "false")
            (word,) = desk.http.get("/me").json()["words"]
            assert (word["text"], word["name"]) == ("دو دقیقه مانده است", supervisor.username)
            desk.http.post(f"/desk/messages/{word['id']}/read").raise_for_status()
            expect(last).to_have_attribute("data-read", "true")
            desk.hangup(callback)
            desk.wait_for(callback, "ended")
        reached = {"outcome": "reached", "note": ""}
        desk.http.put(f"/callbacks/{callback}/outcome", json=reached).raise_for_status()

        # Nobody is taken while the round is paused; then the one who was moved up is.
        press(line.get_by_test_id("pause-round"))
        expect(line).to_contain_text("متوقف است")
        assert desk.http.post(f"/rounds/{round_id}/claims").json()["code"] == "round-paused"
        press(line.get_by_test_id("first-ones"))
        waiting = line.get_by_test_id("first-rows").get_by_role("listitem")
        expect(waiting).to_have_count(2)
        press(waiting.last.get_by_test_id("move-up"))
        says(page, "سالمند و تنها")
        expect(waiting.first).to_contain_text("سالمند و تنها")
        press(line.get_by_test_id("pause-round"))
        expect(line).not_to_contain_text("متوقف است")
        taken = desk.claim(round_id)
        assert system.callback(taken).registration_id == third.id
        expect(row).to_have_attribute("data-at", "calling")
        desk.returned(taken)


def test_public_relations_plans_and_undoes_by_keys_alone(system: System, office: BrowserContext) -> None:
    planner = system.operator(Role.PUBLIC_RELATIONS)
    who = "معاون شهرسازی"
    office.grant_permissions(["clipboard-read", "clipboard-write"])
    page = office.new_page()
    page.goto(f"{system.url}/rounds")
    signs_in(page, planner.username)
    shown(page, "rounds")

    press(page.get_by_test_id("make-round"))
    opened(page)
    page.get_by_test_id("official").select_option(label=who)
    page.get_by_test_id("start").fill("۱۰:۰۰")
    page.get_by_test_id("end").fill("۱۲:۳۰")
    page.keyboard.press("Enter")
    planned = page.get_by_test_id("phase-announced").get_by_test_id("round").filter(has_text=who)
    expect(planned).to_contain_text("۱۰:۰۰ تا ۱۲:۳۰")
    round_id = planned.get_attribute("data-id")

    # Its notice, as citizens have it.
    press(page.get_by_test_id("rail-notices"))
    shown(page, "notices")
    notice = page.locator(f"[data-testid=round-notice][data-id='{round_id}']")
    expect(notice).to_have_attribute("data-state", "announced")
    press(notice.get_by_test_id("copy-fa"))
    expect(notice.get_by_test_id("copy-fa")).to_have_text("رونوشت شد")
    copied = page.evaluate("navigator.clipboard.readText()")
    with page.expect_popup() as beside:
        press(notice.get_by_test_id("public-page"))
    expect(beside.value.get_by_role("main")).to_contain_text(copied.partition("\n")[0])
    beside.value.close()

    # A holiday on the wrong day.
    press(page.get_by_test_id("rail-calendar"))
    shown(page, "rounds")
    press(page.get_by_test_id("to-holidays"))
    shown(page, "holidays")
    press(page.get_by_test_id("add-holiday"))
    opened(page)
    page.get_by_test_id("holiday-day").click()
    page.locator(".rmdp-day-picker .city-today").click()
    expect(page.get_by_test_id("closing")).to_be_visible()
    says(page, "روز اصفهان")
    named = page.get_by_test_id("holiday").filter(has_text="روز اصفهان")
    expect(named).to_be_visible()
    press(page.get_by_test_id("take-it-back"))
    expect(named).to_have_count(0)
    with reading(system.engine) as session:
        assert session.get(Holiday, now(session).astimezone(CITY).date()) is None

    # What a colleague changes meanwhile is seen.
    press(page.get_by_test_id("rail-notices"))
    expect(notice).to_have_attribute("data-state", "announced")
    planner.http.post(f"/rounds/{round_id}/cancel", json={"reason": "سفر استانی"}).raise_for_status()
    expect(notice).to_have_attribute("data-state", "cancelled")
    expect(notice).to_contain_text("سفر استانی")


def test_administrator_adds_and_blocks_by_keys_in_english(system: System, office: BrowserContext) -> None:
    administrator, number = system.operator(Role.ADMINISTRATOR), system.number()
    page = office.new_page()
    page.goto(f"{system.url}/people")
    press(page.get_by_test_id("language"))
    signs_in(page, administrator.username)
    shown(page, "people")

    press(page.get_by_test_id("add-person"))
    opened(page)
    page.keyboard.type("f.karimi")
    page.keyboard.press("Tab")
    page.keyboard.type("Fatemeh Karimi")
    page.get_by_test_id("role").select_option(label="Supervisor")
    press(page.get_by_test_id("confirm"))
    secret = page.get_by_test_id("secret").inner_text()
    press(page.get_by_test_id("noted"))
    expect(page.locator('[data-username="f.karimi"]')).to_contain_text("Fatemeh Karimi")
    who = {"username": "f.karimi", "password": secret}
    assert httpx.post(f"{system.url}/api/v1/session", json=who, timeout=60).is_success

    press(page.get_by_test_id("rail-staff"))
    shown(page, "blocked")
    page.get_by_test_id("number").focus()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    blocked = page.get_by_test_id("blocked")
    expect(blocked.filter(has_text=administrator.username)).to_be_visible()
    press(page.get_by_test_id("take-it-back"))
    expect(blocked.filter(has_text=administrator.username)).to_have_count(0)
    with reading(system.engine) as session:
        assert session.get(BlockedNumber, f"+98{number[1:]}") is None

    press(page.get_by_test_id("rail-records"))
    shown(page, "recordings")
    press(page.get_by_test_id("to-audit"))
    shown(page, "audit")
    page.get_by_test_id("who").select_option(administrator.username)
    entries = page.get_by_test_id("entry")
    for action, about in (
        ("person-added", "person f.karimi"),
        ("number-blocked", number),
        ("number-unblocked", number),
    ):
        entry = page.locator(f"[data-testid=entry][data-action={action}]")
        expect(entry).to_contain_text(administrator.username)
        expect(entry).to_contain_text(about)
    expect(entries.first).to_have_attribute("data-action", "number-unblocked")
    press(page.locator("[data-action=person-added]").get_by_test_id("about"))
    shown(page, "people")
    expect(page.get_by_test_id("person")).to_have_attribute("data-username", "f.karimi")
