"""The server goes away and comes back under an operator who is writing."""

from pathlib import Path

from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Role, Round
from db.states import CallbackState
from settings import Settings
from tests.factories import PASSWORD, a_callback, a_desk, a_user, some_registrations
from tests.kit.browser import person
from tests.kit.pages import in_state, served

NOTE = "آب‌گرفتگی خیابان، «فردا»"


def test_given_an_operator_who_writes_when_the_server_dies_then_it_is_shown_heals_and_nothing_is_lost(
    chromium: Browser, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        user.role = Role.OPERATOR
        held = a_callback(session, CallbackState.ENDED, user)
        held.talking_at = held.ended_at = now(session)
    with person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        lost = page.get_by_test_id("connection-lost")
        with served(settings, tmp_path / "before.log") as url:
            page.goto(url)
            page.get_by_test_id("username").fill(user.username)
            page.get_by_test_id("password").fill(PASSWORD)
            page.get_by_test_id("submit").click()
            page.get_by_test_id("note").fill(NOTE[:10])
            expect(lost).to_be_hidden()
        expect(lost).to_be_visible()
        page.get_by_test_id("note").fill(NOTE)
        page.get_by_test_id("outcome-reached").click()
        page.get_by_test_id("save-outcome").click()
        expect(page.get_by_test_id("problem")).to_be_visible()
        with writing(engine) as session:  # what happens meanwhile is seen afterwards
            some_registrations(session, session.get_one(Round, held.round_id), 2)
        with served(settings, tmp_path / "after.log"):
            expect(lost).to_be_hidden(timeout=15_000)
            expect(page.get_by_test_id("note")).to_have_value(NOTE)
            expect(page.get_by_test_id("line-row")).to_have_count(3)
            page.get_by_test_id("save-outcome").click()
            in_state(page, "callback-state", "closed")
            with reading(engine) as session:
                assert session.get_one(Callback, held.id).note == NOTE
