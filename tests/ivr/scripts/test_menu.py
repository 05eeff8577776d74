"""The main menu: what a citizen hears who dials 137, whatever keys follow or do not."""

import pytest
from sqlalchemy import Engine

from db.engine import writing
from db.models import BlockReason, Registration
from hotline.line import blocked
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, WORKING, End, FakeAsterisk, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the menu asks one simple question

MENU = ["main-menu"]
SLOWLY = ["main-menu-slow"]
GREETED = ["greeting", "menu-english", *MENU]
PERSON = ["operator-busy", "operator-registered", "ticket-again", "goodbye"]
"""The prompts of a caller whose keys do not help: an operator calls."""
OWN = "+989131234567"


def test_silent_caller_is_asked_once_more_and_gets_an_operator(asterisk: FakeAsterisk):
    heard = asterisk.dial()

    assert heard.prompts == [
        *GREETED,
        *("no-key-again", *SLOWLY),
        *PERSON,
    ]
    assert heard.finished


def test_key_during_the_look_up_answers_the_menu(
    asterisk: FakeAsterisk,
):
    heard = asterisk.dial((WORKING, "2"), ("follow-up-ask", "1"))

    assert "main-menu" not in heard.prompts


def test_a_caller_has_the_time_of_the_settings_for_each_key(asterisk: FakeAsterisk, settings: Settings):
    heard = asterisk.dial()

    assert heard.waits_ms == [settings.answer_seconds * 1000, round(settings.answer_seconds * 1000 * 9 / 7)]


def test_every_clip_comes_from_the_folder_of_rendered_prompts(asterisk: FakeAsterisk, settings: Settings):
    heard = asterisk.dial()

    for folder, clip in zip(heard.folders, heard.clips, strict=True):
        language = "en" if clip == "menu-english" else "fa"  # a foreigner must understand this one
        assert folder == settings.prompts_dir / language


@pytest.mark.parametrize("key", "45678#")
def test_key_not_on_offer_repeats_the_menu(asterisk: FakeAsterisk, key: str):
    heard = asterisk.dial(("main-menu", key), ("main-menu", "2"))

    assert heard.prompts[:6] == [
        "greeting",
        "menu-english",
        "main-menu",
        "wrong-key",
        "main-menu",
        "follow-up-ask",
    ]


def test_third_wrong_key_leads_to_an_operator(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "4"), ("after main-menu", "#"), ("main-menu-slow", "5"))

    assert heard.prompts == [
        *("greeting", "menu-english", "main-menu", "wrong-key"),
        *(*MENU, "wrong-key", "main-menu-slow", *PERSON),
    ]
    assert heard.finished


def test_silence_and_wrong_keys_count_together(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "7"), ("no-key-again", "7"))

    assert heard.prompts == [
        *("greeting", "menu-english", "main-menu", "wrong-key", *MENU, "no-key-again"),
        *PERSON,  # the second 7, pressed as the complaint began, was the third mistake
    ]


def test_after_two_mistakes_the_slow_menu_takes_the_same_keys(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "7"), ("main-menu", "7"), ("main-menu-slow", "2"))

    assert heard.prompts[6:8] == ["main-menu-slow", "follow-up-ask"]


def test_star_repeats_the_menu_and_is_no_mistake(asterisk: FakeAsterisk):
    stars = [("main-menu", "*"), ("after main-menu", "*")] * 4

    heard = asterisk.dial(*stars, ("main-menu", "2"))

    once = ["main-menu", *MENU]  # the first star cuts it short, the second one comes after it
    assert heard.prompts[:11] == ["greeting", "menu-english", *once * 4, "main-menu"]
    assert heard.prompts[11] == "follow-up-ask"
    assert "wrong-key" not in heard.prompts


def test_a_star_key_that_sticks_does_not_hold_the_line_for_ever(asterisk: FakeAsterisk):
    heard = asterisk.dial(("greeting", "*" * 1000))

    assert heard.prompts.count("main-menu") < 20
    assert heard.prompts[-4:] == PERSON
    assert heard.finished


@pytest.mark.parametrize(
    ("key", "next_prompt"),
    [("1", "no-round-open"), ("2", "follow-up-ask"), ("3", "report-category"), ("0", "operator-busy")],
)
@pytest.mark.parametrize(
    "moment", ["greeting", "menu-english", "main-menu", "menu-english", "after main-menu"]
)
def test_each_key_leads_to_its_script_whenever_it_is_pressed(
    asterisk: FakeAsterisk, moment: str, key: str, next_prompt: str
):
    heard = asterisk.dial((moment, key))

    before = GREETED[: GREETED.index(moment.removeprefix("after ")) + 1]
    assert heard.prompts[: len(before) + 1] == [*before, next_prompt]


def test_star_during_the_greeting_brings_the_menu(asterisk: FakeAsterisk):
    heard = asterisk.dial(("greeting", "*"), ("after main-menu", "1"))

    assert heard.prompts[:4] == [*GREETED, "no-round-open"]


def test_key_during_the_complaint_answers_the_repeated_question(asterisk: FakeAsterisk):
    heard = asterisk.dial(("no-key-again", "1"))

    assert heard.prompts[:5] == [*GREETED, "no-key-again", "no-round-open"]


def test_insistence_without_an_open_round_ends_the_call(
    asterisk: FakeAsterisk,
):
    heard = asterisk.dial(*[("main-menu", "1")] * 4)

    assert heard.prompts == [*GREETED[:2], *["main-menu", "no-round-open"] * 4, "goodbye"]
    assert heard.finished


# --- the language ---


def test_key_9_switches_the_rest_of_the_call_to_english(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "9"), ("main-menu", "3"))

    switch = heard.clips.index("main-menu") + 1
    assert [folder.name for folder in heard.folders[:switch]] == ["fa", "en", "fa"]
    assert heard.clips[switch] == "menu-persian"
    assert {folder.name for folder in heard.folders[switch + 1 :]} == {"en"}
    assert heard.variables == {"HOTLINE_LANGUAGE": "en", "HOTLINE_FINISHED": "1"}  # an apology would be too


def test_key_9_switches_between_english_and_persian(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "9"), ("after main-menu", "9"), ("main-menu", "2"))

    assert heard.prompts[:8] == [
        *(*GREETED, "menu-persian", "main-menu", "menu-english", "main-menu"),
        "follow-up-ask",
    ]
    assert heard.said("main-menu", language="en")
    assert heard.said("menu-persian", language="fa")
    assert heard.said("menu-english", language="en")
    assert heard.said("follow-up-ask", language="fa")
    assert heard.variables["HOTLINE_LANGUAGE"] == "fa"


def test_a_caller_who_only_switches_languages_comes_to_an_end(asterisk: FakeAsterisk):
    heard = asterisk.dial(*[("main-menu", "9")] * 4)

    assert heard.prompts == [
        *GREETED[:2],
        *("main-menu", "menu-persian", "main-menu", "menu-english") * 2,
        "goodbye",
    ]
    assert heard.finished


# --- who is not let in ---


@pytest.mark.parametrize("reason", BlockReason)
def test_a_blocked_number_hears_why_and_nothing_else(
    asterisk: FakeAsterisk, engine: Engine, reason: BlockReason
):
    with writing(engine) as session:
        blocked.block(session, OWN, reason)

    heard = asterisk.dial()

    assert heard.prompts == [f"blocked-{reason}"]
    assert heard.finished


def test_a_number_that_is_unblocked_is_served_again(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        blocked.block(session, OWN, BlockReason.OWNER)
        blocked.block(session, OWN, BlockReason.NUISANCE)  # the latest reason counts
    with writing(engine) as session:
        blocked.unblock(session, OWN)
        blocked.unblock(session, OWN)

    assert asterisk.dial().prompts[0] == "greeting"


# --- the end ---


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(
    "moment",
    [*GREETED, "after main-menu", "no-key-again", "main-menu-slow", "operator-busy"],
)
def test_whoever_hangs_up_hears_no_more_and_others_are_answered(
    asterisk: FakeAsterisk, moment: str, how: End
):
    heard = asterisk.dial((moment, how))

    assert heard.prompts[-1] == moment.removeprefix("after ")
    assert not heard.finished
    assert asterisk.dial().finished


def test_a_silent_call_costs_three_transactions(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)
    begun = transactions(engine)

    asterisk.dial()

    assert len(begun) == 3
    with writing(engine) as session:
        assert session.query(Registration).count() == 2
