"""A caller's telephone holds the call: nothing is said to nobody, and it goes on where it was."""

import time

import pytest
from sqlalchemy import Engine

from db.engine import writing
from db.states import Phase
from tests import factories as make
from tests.kit.fake_asterisk import HELD, HELD_FOR_A_MOMENT, KEPT_ON_HOLD, FakeAsterisk, Steps

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the wire knows no database

REPORT = [("main-menu", "3"), ("report-category", "1"), ("after report-district", "#")]


@pytest.mark.parametrize(
    ("moment", "said"),
    [("greeting", "greeting"), ("main-menu", "main-menu"), ("after main-menu", "main-menu")],
)
def test_given_a_call_that_is_held_when_it_is_taken_back_then_what_was_said_into_it_is_said_again(
    asterisk: FakeAsterisk, moment: str, said: str
) -> None:
    heard = asterisk.dial((moment, HELD), *REPORT)

    assert heard.prompts.count(said) == 2
    assert "no-key-again" not in heard.prompts[: heard.prompts.index("report-category")]
    assert 1000 in heard.waits_ms  # it asked each second whether the call is held


@pytest.mark.parametrize(("moment", "said"), [("greeting", "greeting"), ("main-menu", "main-menu")])
def test_given_a_call_that_is_held_for_a_moment_when_the_clip_ends_after_it_then_it_is_said_again(
    asterisk: FakeAsterisk, moment: str, said: str
) -> None:
    heard = asterisk.dial((moment, HELD_FOR_A_MOMENT), *REPORT)

    assert heard.prompts.count(said) == 2
    assert 1000 not in heard.waits_ms  # the call is theirs again


def test_given_a_call_that_was_held_for_a_moment_when_the_clock_is_set_back_then_nothing_more_is_said_again(
    asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_back() -> None:
        monkeypatch.setattr(time, "time_ns", lambda: 0)

    silent = asterisk.dial(caller_id="09131234568").prompts
    heard = asterisk.dial(("greeting", HELD_FOR_A_MOMENT), ("main-menu", set_back))

    assert heard.prompts == ["greeting", *silent]


def test_given_a_telephone_that_holds_each_sentence_for_a_moment_when_it_goes_on_then_the_call_does_not(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.call(Steps(*[("main-menu", HELD_FOR_A_MOMENT)] * 1000))

    assert heard.finished
    assert heard.prompts.count("main-menu") < 100


def test_given_a_sentence_of_many_clips_when_the_call_is_held_then_one_command_of_it_is_said_to_nobody(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)

    heard = asterisk.dial(
        ("main-menu", "1"), ("round-when", HELD), ("confirm-number", "1"), ("after message-offer", "#")
    )

    first, again = (at for at, clip in enumerate(heard.clips) if clip == "round-when.1")
    assert again == first + 2, "of these clips two are one command"
    assert heard.prompts.count("round-when") == 2


def test_given_a_held_call_when_it_is_taken_back_with_a_key_then_the_key_is_the_answer(
    asterisk: FakeAsterisk,
) -> None:
    (_, choice), *rest = REPORT
    heard = asterisk.dial(("main-menu", HELD), ("after main-menu", choice), *rest)

    assert heard.prompts.count("main-menu") == 1


def test_given_calls_that_nobody_holds_when_all_is_said_then_nothing_is_said_twice(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(*REPORT)

    assert heard.prompts.count("main-menu") == 1
    assert 1000 not in heard.waits_ms


def test_given_a_call_that_stays_on_hold_when_five_minutes_are_over_then_it_ends(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(("main-menu", KEPT_ON_HOLD))

    assert heard.finished
    assert heard.waits_ms.count(1000) == 300
