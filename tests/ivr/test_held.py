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
def test_resumed_call_repeats_what_was_said_on_hold(asterisk: FakeAsterisk, moment: str, said: str) -> None:
    heard = asterisk.dial((moment, HELD), *REPORT)

    assert heard.prompts.count(said) == 2
    assert "no-key-again" not in heard.prompts[: heard.prompts.index("report-category")]
    assert 1000 in heard.waits_ms  # it asked each second whether the call is held


@pytest.mark.parametrize(("moment", "said"), [("greeting", "greeting"), ("main-menu", "main-menu")])
def test_short_hold_within_a_clip_repeats_it(asterisk: FakeAsterisk, moment: str, said: str) -> None:
    heard = asterisk.dial((moment, HELD_FOR_A_MOMENT), *REPORT)

    assert heard.prompts.count(said) == 2
    assert 1000 not in heard.waits_ms  # the call is theirs again


def test_clock_set_back_after_a_hold_repeats_nothing(
    asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_back() -> None:
        monkeypatch.setattr(time, "time_ns", lambda: 0)

    silent = asterisk.dial(caller_id="09131234568").prompts
    heard = asterisk.dial(("greeting", HELD_FOR_A_MOMENT), ("main-menu", set_back))

    assert heard.prompts == ["greeting", *silent]


def test_endless_short_holds_end_the_call(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.call(Steps(*[("main-menu", HELD_FOR_A_MOMENT)] * 1000))

    assert heard.finished
    assert heard.prompts.count("main-menu") < 100


def test_hold_in_a_long_sentence_loses_one_command_only(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)

    heard = asterisk.dial(
        ("main-menu", "1"), ("round-when", HELD), ("confirm-number", "1"), ("after message-offer", "#")
    )

    first, again = (at for at, clip in enumerate(heard.clips) if clip == "round-when.1")
    assert again == first + 2, "of these clips two are one command"
    assert heard.prompts.count("round-when") == 2


def test_key_that_resumes_a_held_call_is_the_answer(
    asterisk: FakeAsterisk,
) -> None:
    (_, choice), *rest = REPORT
    heard = asterisk.dial(("main-menu", HELD), ("after main-menu", choice), *rest)

    assert heard.prompts.count("main-menu") == 1


def test_call_without_a_hold_repeats_nothing(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(*REPORT)

    assert heard.prompts.count("main-menu") == 1
    assert 1000 not in heard.waits_ms


def test_call_on_hold_ends_after_five_minutes(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(("main-menu", KEPT_ON_HOLD))

    assert heard.finished
    assert heard.waits_ms.count(1000) == 300
