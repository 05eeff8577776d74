"""Calls are down: desk, official and wall show it at once, in words, and clear it at once."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db import events
from db.engine import writing
from db.models import Breaker, Role
from hotline.trunk import circuit_breaker
from tests.factories import a_round
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs

WORDS = {"fa": "ارتباط تلفنی قطع است؛ صف محفوظ است", "en": "The telephone line is down"}


def down(engine: Engine) -> None:
    """Stop calls as the dialer does."""
    with writing(engine) as session:
        for call in range(circuit_breaker.FAILURES):
            circuit_breaker.record_failure(session, circuit_breaker.TRUNK, f"callback-{call}")
        events.append_telephone(session, "down")


def up(engine: Engine) -> None:
    with writing(engine) as session:
        session.get_one(Breaker, circuit_breaker.TRUNK).probe = "callback-probe"
        circuit_breaker.record_success(session, circuit_breaker.TRUNK, "callback-probe")
        events.append_telephone(session, "up")


@pytest.mark.parametrize(("path", "language"), [("desk", "fa"), ("official", "en"), ("wallboard", "fa")])
def test_trunk_outage_shows_and_clears_the_banner_at_once(
    open_as: OpenAs, url: str, engine: Engine, path: str, language: str
) -> None:
    with writing(engine) as session:
        a_round(session)
    page: Page = open_as(Role.OPERATOR, language=language, at_desk=True)
    page.goto(f"{url}/{path}")
    banner = page.get_by_test_id("calls-down")
    expect(page.locator("main")).to_be_visible()
    expect(banner).to_have_count(0)
    down(engine)
    expect(banner).to_contain_text(WORDS[language])
    page.set_viewport_size({"width": 390, "height": 844})
    is_fit(page)
    up(engine)
    expect(banner).to_have_count(0)
