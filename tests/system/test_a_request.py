"""One request on the real system, through every hand, and as a program reads it.

It passes the app without a network, the office, a department, a text message, the office again, and the
telephone.
"""

import base64
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from georeport import GeoReport
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select
from standardwebhooks import Webhook

from db.engine import reading, writing
from db.models import Category, Department, Evidence, Request, User
from db.states import RequestState, RequestStep
from hotline import numbers
from hotline.requests import lifecycle
from tests.factories import PASSWORD, a_department, a_user, of_department
from tests.kit import picture_files as files
from tests.kit.browser import browser, person
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System
from tests.pages.citizens_app import SMALL, opened, signs_in

INBOUND_SECRET = "whsec_" + base64.b64encode(b"the texts of citizens 137").decode()
"""With which a provider signs the text messages of citizens."""
WRITTEN = "چراغ کوچهٔ مدرسه خاموش است"
SOLVED, SOLVED_AGAIN = "لامپ تازه گذاشته شد.", "پایه هم درست شد."
LIGHTING = 2
FACTS = "facts"


@pytest.fixture
def system() -> Iterator[System]:
    """One that takes text messages."""
    texts = {"HOTLINE_SMS_PROVIDER": "console", "HOTLINE_SMS_INBOUND_SECRET": INBOUND_SECRET}
    with System(**texts) as started:
        started.wait_healthy()
        yield started
        sys.stdout.write(started.log())


@pytest.fixture
def department(system: System) -> Department:
    """A department that has to show a picture of its solution."""
    with writing(system.engine) as session:
        made = a_department(session)
        made.name_fa = "برق و روشنایی"
        session.get_one(Category, LIGHTING).evidence = Evidence.PICTURE
        return made


@contextmanager
def _signed_in(chromium: Browser, system: System, user: User, path: str) -> Iterator[Page]:
    with person(chromium, locale="fa-IR") as context:
        who = {"username": user.username, "password": PASSWORD}
        assert context.request.post(f"{system.url}/api/v1/session", data=who).ok
        page = context.new_page()
        page.goto(f"{system.url}/{path}")
        yield page


def _kept(system: System, number: str) -> Request:
    with reading(system.engine) as session:
        return session.scalars(select(Request).where(Request.number == number)).one()


def _reports_offline(phone: BrowserContext, system: System, number: str) -> None:
    """In the app, with a picture, while there is no network; gone out by itself when it is back."""
    page = opened(phone, system.url)
    signs_in(page, system.engine, system.settings, number)
    phone.set_offline(True)
    page.get_by_role("link", name="گزارش یک مشکل").click()
    picture = {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg()}
    page.get_by_test_id("choose").set_input_files(picture)
    expect(page.get_by_test_id("picture")).to_have_count(1)
    page.get_by_role("radio").nth(1).press(" ")
    page.get_by_label("چه شده است؟").fill(WRITTEN)
    page.get_by_label("نشانی یا نشانه‌ای در نزدیکی").fill("روبه‌روی دبستان")
    page.get_by_role("button", name="ثبت گزارش").click()
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", "waiting")
    phone.set_offline(False)
    expect(page.get_by_test_id("outbox-row")).to_have_attribute("data-state", "arrived")


def _refers(page: Page) -> None:
    page.get_by_test_id("refer-department").select_option(label="برق و روشنایی")
    page.get_by_test_id("refer").click()
    expect(page.get_by_test_id(FACTS)).to_have_attribute("data-state", "referred")


def _proves(page: Page, picture: Path) -> None:
    """The department takes it on, and shows what it did."""
    page.get_by_test_id("accept").click()
    expect(page.get_by_test_id(FACTS)).to_have_attribute("data-state", "accepted")
    page.get_by_test_id("to-solve").click()
    page.get_by_test_id("words").fill(SOLVED)
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id(FACTS)).to_have_attribute("data-state", "replied")


def _texts(system: System, number: str, words: str) -> None:
    """Hand the text message on as a provider does."""
    body = json.dumps({"id": secrets.token_hex(8), "from": number, "text": words})
    name, at = secrets.token_hex(8), datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(INBOUND_SECRET).sign(name, at, body),
    }
    httpx.post(f"{system.url}/api/v1/texts", content=body, headers=headers, timeout=30).raise_for_status()


def _replies(page: Page, picture: Path) -> None:
    """The office's own word, with the evidence that is demanded of it, too."""
    page.get_by_test_id("to-reply").click()
    page.get_by_test_id("words").fill(SOLVED_AGAIN)
    page.get_by_test_id("solved").check()
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_test_id("say").click()
    expect(page.get_by_test_id(FACTS)).to_have_attribute("data-state", "replied")


def _confirms(system: System, number: str) -> None:
    """Confirm by telephone, once the reply is read aloud. That closes the report."""
    with Caller(system, number) as caller:
        caller.call()
        caller.at("greeting", "2")
        caller.at("request-own")
        caller.at("request-reply")
        caller.at("request-question", "1")
        caller.at("request-noted")
        caller.hangup()


def test_request_passes_every_hand_to_the_citizens_last_word(
    system: System, department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = system.number()
    mobile = numbers.parse(number, system.settings.allowed_prefixes)
    picture = tmp_path / "after.jpg"
    picture.write_bytes(files.jpeg())
    with writing(system.engine) as session:
        office, other = a_user(session), a_user(session)
        electrician = of_department(session, session.merge(department))

    with browser() as chromium:
        with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as phone:
            _reports_offline(phone, system, mobile)
        request = _kept(system, mobile)
        assert (request.written, request.category) == (WRITTEN, LIGHTING)

        with _signed_in(chromium, system, office, f"requests/{request.id}") as desk:
            _refers(desk)
            with _signed_in(chromium, system, electrician, f"inbox/{request.id}") as page:
                _proves(page, picture)
            _texts(system, mobile, f"{request.tracking} نه هنوز خاموش است")
            expect(desk.get_by_test_id(FACTS)).to_have_attribute("data-state", "reopened")
            expect(desk.get_by_test_id("history")).to_contain_text("هنوز خاموش است")
        with _signed_in(chromium, system, other, f"requests/{request.id}") as desk:
            _replies(desk, picture)
            until(
                lambda: _kept(system, mobile).spoken == SOLVED_AGAIN, "the scheduler has spoken the reply", 30
            )
            _confirms(system, number)
            expect(desk.get_by_test_id(FACTS)).to_have_attribute("data-state", "replied")
            _texts(system, mobile, f"{request.tracking} بله")
            expect(desk.get_by_test_id(FACTS)).to_have_attribute("data-state", "closed")

    assert _kept(system, mobile).state is RequestState.CLOSED
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    read = GeoReport(f"{system.url}/open311/v2", output_format="json").get_service_request(request.tracking)
    assert (read["status"], read["service_code"]) == ("closed", "lighting")
    with reading(system.engine) as session:
        steps = [event.step for event in lifecycle.list_steps(session, session.get_one(Request, request.id))]
    assert steps == [
        RequestStep.REPORTED,
        *(RequestStep.REFERRED, RequestStep.ACCEPTED, RequestStep.REPLIED),
        *(RequestStep.DENIED, RequestStep.REPLIED, RequestStep.CONFIRMED, RequestStep.CONFIRMED),
    ]
