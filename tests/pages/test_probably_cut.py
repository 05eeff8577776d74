"""A conversation whose phone is gone: nobody is told for long that two people speak."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, update

from db import events
from db.engine import now, writing
from db.models import Callback, Desk
from db.states import CallbackState
from tests.factories import MINUTE
from tests.kit.pages import is_fit

_WORDS = {
    "fa": ("گفت‌وگو شاید قطع شده است", "دوباره نخستین نفر صف است"),
    "en": ("The conversation is probably cut off", "first in line again"),
}


def _talks(page: Page, engine: Engine) -> None:
    with writing(engine) as session:
        callback = session.query(Callback).one()
        callback.called_at = callback.talking_at = now(session)
        session.execute(update(Desk).values(round_id=callback.round_id))  # it serves it
    page.route("**/api/v1/desk/phone", lambda _route: None)  # its machine is gone, and says nothing


@pytest.mark.parametrize(("path", "state"), [("desk", "callback-state"), ("official", "serving-state")])
def test_lost_phone_marks_the_conversation_as_probably_cut(
    desk_talks: Page, url: str, engine: Engine, path: str, state: str
) -> None:
    page = desk_talks
    _talks(page, engine)
    page.goto(f"{url}/{path}")
    shown, timer = page.get_by_test_id(state), page.get_by_role("timer")
    expect(timer).to_be_visible()
    page.get_by_test_id("phone-connect").click()
    for language in ("fa", "en"):
        for words in _WORDS[language]:
            expect(shown).to_contain_text(words)
        expect(timer).to_have_count(0)
        is_fit(page)
        page.get_by_test_id("language").click()
    with writing(engine) as session:  # it is held, as the dialer says: that is told then
        callback = session.query(Callback).one()
        callback.state, callback.held_at = CallbackState.HELD, now(session)
        callback.held_until = now(session) + MINUTE
        events.append_callback(session, callback)
    expect(shown).to_have_attribute("data-cut", "false")
    expect(shown).not_to_contain_text(_WORDS["fa"][0])


@pytest.mark.parametrize("told", ["as a telephone", "in another window"])
def test_unknown_phone_marks_nothing(desk_talks: Page, url: str, engine: Engine, told: str) -> None:
    page = desk_talks
    _talks(page, engine)
    if told == "as a telephone":
        with writing(engine) as session:
            session.execute(update(Desk).values(phone="sip", phone_connected=False))
    page.clock.install()
    page.goto(f"{url}/desk")
    expect(page.get_by_role("timer")).to_be_visible()
    page.clock.fast_forward(20_000)
    expect(page.get_by_test_id("callback-state")).to_have_attribute("data-cut", "false")
