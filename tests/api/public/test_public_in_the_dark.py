"""The public pages follow the system's light and dark, in the city's colour, too; nothing of them runs."""

from typing import Literal

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Route
from sqlalchemy import Engine

from api.app import create
from db.engine import writing
from db.states import Phase
from settings import Settings
from tests.factories import a_round, some_registrations
from tests.kit.browser import browser
from tests.kit.pages import axe_finds

CITY = "https://137.example"
GROUND = {"dark": "rgb(16, 25, 27)", "light": "rgb(245, 243, 238)"}
PLUM = "#5a2a82"
# Of the links of the page, of the head's ground.
_DRAWN = """() => ['main a', 'header'].map((one, place) =>
  getComputedStyle(document.querySelector(one))[place ? 'backgroundColor' : 'color'])"""


@pytest.mark.long
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("accent", ["", PLUM])
def test_public_pages_follow_the_colour_scheme(engine: Engine, settings: Settings, accent: str) -> None:
    with writing(engine) as session:
        open_, over = a_round(session, Phase.OPEN), a_round(session, Phase.CANCELLED)
        over.reason = "مراسم"
        some_registrations(session, open_, 2)
    paths = ["", "how", "number", "fairness", "nowhere"]
    paths += [f"rounds/{round_.id}" for round_ in (open_, over)]
    own = {"public_url": CITY, **({"city_accent": accent} if accent else {})}
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    with (
        TestClient(create(settings.model_copy(update=own))) as citizen,
        browser() as chromium,
    ):

        def answer(route: Route) -> None:
            found = citizen.get(route.request.url.removeprefix(CITY))
            route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

        page = chromium.new_context(bypass_csp=True).new_page()
        page.route("**/*", answer)
        for path in paths:
            page.goto(f"{CITY}/public/{path}")
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate("getComputedStyle(document.body).backgroundColor") == GROUND[scheme]
                assert axe_finds(page) == [], f"{path} {scheme} {accent}"
        page.goto(f"{CITY}/public/")
        drawn = {}
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            drawn[scheme] = page.evaluate(_DRAWN)
        assert drawn["dark"][0] != drawn["light"][0], "what is written in it is lighter in the dark"
        assert drawn["dark"][1] == ("rgb(90, 42, 130)" if accent else "rgb(11, 111, 119)")
        page.emulate_media(color_scheme="dark", media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("getComputedStyle(document.querySelector('.cards li')).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
