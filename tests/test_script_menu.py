"""The main menu: what a citizen hears who dials 137, whatever keys follow or do not."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from settings import Settings
from tests.kit.fake_asterisk import CUT, HANG_UP, End, FakeAsterisk, answering

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the menu asks it nothing


@pytest.fixture
def asterisk(settings: Settings, engine: Engine) -> Iterator[FakeAsterisk]:
    with answering(settings, engine) as asterisk:
        yield asterisk


def test_a_silent_caller_is_asked_twice_more_and_then_bidden_goodbye(asterisk: FakeAsterisk):
    heard = asterisk.dial()

    asked_again = ["no-key-again", "main-menu"]
    assert heard.prompts == ["greeting", "main-menu", *asked_again, *asked_again, "goodbye-no-input"]
    assert heard.finished


def test_a_caller_has_the_time_of_the_settings_for_each_key(asterisk: FakeAsterisk, settings: Settings):
    heard = asterisk.dial()

    assert heard.waits_ms == [settings.answer_seconds * 1000] * 3


def test_every_clip_comes_from_the_folder_of_rendered_prompts(asterisk: FakeAsterisk, settings: Settings):
    heard = asterisk.dial()

    assert heard.folders == {settings.prompts_dir / "fa"}


@pytest.mark.parametrize("key", "34567890#")
def test_a_key_that_is_not_offered_is_said_to_be_wrong_and_the_menu_comes_again(
    asterisk: FakeAsterisk, key: str
):
    heard = asterisk.dial(("main-menu", key), ("main-menu", "2"))

    assert heard.prompts[:5] == ["greeting", "main-menu", "wrong-key", "main-menu", "follow-up-ask"]


def test_three_wrong_keys_end_in_a_goodbye_and_not_in_a_third_complaint(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "3"), ("after main-menu", "#"), ("main-menu", "0"))

    asked_again = ["wrong-key", "main-menu"]
    assert heard.prompts == ["greeting", "main-menu", *asked_again, *asked_again, "goodbye-no-input"]
    assert heard.finished


def test_silence_and_wrong_keys_count_together(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "7"), ("no-key-again", "7"))

    assert heard.prompts == [
        *("greeting", "main-menu", "wrong-key", "main-menu", "no-key-again"),
        "goodbye-no-input",  # the second 7, pressed as the complaint began, was the third mistake
    ]


def test_star_repeats_the_menu_and_is_no_mistake(asterisk: FakeAsterisk):
    stars = [("main-menu", "*"), ("after main-menu", "*")] * 4

    heard = asterisk.dial(*stars, ("main-menu", "1"))

    assert heard.prompts[:11] == ["greeting", *["main-menu"] * 9, "no-round-open"]
    assert "wrong-key" not in heard.prompts


def test_a_star_key_that_sticks_does_not_hold_the_line_for_ever(asterisk: FakeAsterisk):
    heard = asterisk.dial(("greeting", "*" * 1000))

    assert heard.prompts.count("main-menu") < 20
    assert heard.prompts[-1] == "goodbye-no-input"
    assert heard.finished


@pytest.mark.parametrize(("key", "next_prompt"), [("1", "no-round-open"), ("2", "follow-up-ask")])
def test_a_key_during_the_greeting_is_the_choice_and_the_menu_is_not_read(
    asterisk: FakeAsterisk, key: str, next_prompt: str
):
    heard = asterisk.dial(("greeting", key))

    assert heard.prompts[:2] == ["greeting", next_prompt]


def test_star_during_the_greeting_brings_the_menu(asterisk: FakeAsterisk):
    heard = asterisk.dial(("greeting", "*"), ("after main-menu", "1"))

    assert heard.prompts[:3] == ["greeting", "main-menu", "no-round-open"]


def test_a_key_after_the_complaint_began_counts_for_the_question_asked_again(asterisk: FakeAsterisk):
    heard = asterisk.dial(("no-key-again", "1"))

    assert heard.prompts[:4] == ["greeting", "main-menu", "no-key-again", "no-round-open"]


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(
    "moment", ["greeting", "main-menu", "after main-menu", "no-key-again", "goodbye-no-input"]
)
def test_whoever_hangs_up_hears_no_more_and_others_are_answered(
    asterisk: FakeAsterisk, moment: str, how: End
):
    heard = asterisk.dial((moment, how))

    assert heard.prompts[-1] == moment.removeprefix("after ")
    assert not heard.finished
    assert asterisk.dial().finished
