"""Notes and promises of an official to a citizen are written down at once, with their day."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, Desk, Request, Role, Round, User
from db.states import CallbackState
from tests.factories import a_callback, written_of
from tests.kit.pages import is_fit, shown
from tests.pages.conftest import OpenAs

WORDS = "روشنایی کوچهٔ مدرسه"


def speaks(open_as: OpenAs, engine: Engine, language: str = "fa") -> tuple[Page, int]:
    """An official's page in conversation, and the callback."""
    page = open_as(Role.OFFICIAL, "official", at_desk=True, language=language)
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OFFICIAL)).one()
        callback = a_callback(session, CallbackState.TALKING, user)
        at = now(session) - timedelta(seconds=20)
        callback.called_at = callback.placed_at = callback.confirmed_at = callback.talking_at = at
        session.get_one(Desk, user.desk_id).round_id = callback.round_id
        user.official_id = session.get_one(Round, callback.round_id).official_id
    page.reload()
    page.get_by_test_id("said-written").wait_for()
    return page, callback.id


@pytest.mark.parametrize("language", ["fa", "en"])
def test_promise_in_a_conversation_is_listed(open_as: OpenAs, engine: Engine, language: str) -> None:
    page, callback_id = speaks(open_as, engine, language)
    page.get_by_test_id("said-written").fill(WORDS)
    page.get_by_test_id("said-days").select_option("14")
    is_fit(page)
    page.get_by_test_id("said-promise").click()
    with reading(engine) as session:
        expect(page.get_by_test_id("said-done")).not_to_be_empty()
        request = session.scalars(select(Request)).one()
        assert request.written == WORDS and request.promised_by_id is not None
        assert request.registration_id == session.get_one(Callback, callback_id).registration_id
    expect(page.get_by_test_id("said-written")).to_have_value("")

    page.get_by_test_id("rail-promises").click()
    shown(page, "promises")
    expect(page.get_by_test_id("promised")).to_have_count(1)
    page.get_by_test_id("call-bar").wait_for()
    is_fit(page)


def test_draft_survives_a_reload_and_a_note_is_added(open_as: OpenAs, engine: Engine) -> None:
    page, callback_id = speaks(open_as, engine)
    page.get_by_test_id("said-written").fill(WORDS)
    page.reload()
    expect(page.get_by_test_id("said-written")).to_have_value(WORDS)
    page.get_by_test_id("said-add").click()
    expect(page.get_by_test_id("notes")).to_contain_text(WORDS)
    with reading(engine) as session:
        assert written_of(session.get_one(Callback, callback_id)) == [WORDS]

    beside = open_as(Role.OPERATOR, "assist", at_desk=True)
    with writing(engine) as session:
        for person in session.scalars(select(User)):
            person.name = "مینا" if person.role is Role.OPERATOR else "شهردار"
    beside.get_by_test_id("said-written").fill("از اداره پرسیده شود")
    beside.get_by_test_id("said-add").click()
    notes = page.get_by_test_id("notes").get_by_role("listitem")
    expect(notes).to_have_text([re.compile(f"شهردار.*{WORDS}"), re.compile("مینا.*از اداره پرسیده شود")])
