"""In an invented city no word of the sample's is read, heard, or answered."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import writing
from hotline.words import PAGES, PUBLIC
from ops import sample
from prompts import catalogue, plan
from prompts.render import RECORDINGS
from settings import Settings
from tests.kit.cities import GOLRUD

SAMPLES = re.compile("isfahan|اصفهان|fifteen|پانزده", re.IGNORECASE)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"city": GOLRUD, "allowed_prefixes": ("+989", "+9844")})


@pytest.fixture
def page(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with writing(engine) as session:
        sample.fill(session, settings.of_city)
    with TestClient(create(settings)) as client:
        yield client


def test_pages_and_feeds_name_the_other_city_alone(
    page: TestClient,
) -> None:
    paths = ["/public/city.js", "/public/city.css", "/public/map.json", "/public/rounds.atom"]
    paths += ["/public/", "/public/rounds/1", "/public/how", "/public/fairness", "/public/requests/map"]
    for path in paths:
        for language in ("fa", "en"):
            answer = page.get(path, params={"lang": language})
            assert answer.status_code == 200, path
            assert not SAMPLES.search(answer.text), path
    assert "شهرداری گل‌رود" in page.get("/public/").text
    assert "Golrud City Council" in page.get("/public/rounds/1?lang=en").text
    assert page.get("/public/requests/map").text.count("data-district=") == 3
    assert "Golrud" in page.get("/public/city.js").text and "#7a2e0e" in page.get("/public/city.css").text


def test_prompts_name_the_other_city_and_its_districts(
    settings: Settings,
) -> None:
    said = {take.clip.name: take.clip.text for take in plan.make(settings, RECORDINGS, {}).takes}
    number_words = re.compile("number|ordinal|district|digit|day-|month|hour-")
    assert not [name for name, text in said.items() if "{" in text]
    assert not [n for n, text in said.items() if SAMPLES.search(text) and not number_words.search(n)]
    assert "گُلرود" in said["fa/greeting"] and "Golrud" in said["en/greeting"]
    assert "from one to three." in said["en/ask-district-slow"]
    assert "سه" in said["fa/report-district"] and "پانزده" not in said["fa/report-district"]
    clips = catalogue.list_office_clips(settings.of_city)
    assert {clip for clip in clips if "district" in clip} == {f"office-district-{n}" for n in (1, 2, 3)}


def test_page_words_name_no_city() -> None:
    for book in (PAGES, PUBLIC):
        for language in book.languages():
            for table in book.tables(language).values():
                assert not [text for text in table.values() if SAMPLES.search(str(text))]
