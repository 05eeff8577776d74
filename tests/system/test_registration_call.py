"""Real phones dial the real system: what they hear, what they say, and what is registered."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.system import System

TONE_HZ = 440  # of the fixture `tone`
SPEAKS_S = 2
SKIP = "5"

PERSIAN = [
    *("greeting", "main-menu", "round-when", "registered-so-far-none", "confirm-number"),
    *("ask-subject", "subject-1", "subject-2", "message-offer", "message-speak", "beep"),
    *("message-review", "message-kept", "registered", "ticket-again", "ahead-some"),
    *("expectation", "will-call", "goodbye"),
]
ENGLISH = [
    *("en/main-menu", "en/round-when", "en/registered-so-far-none", "en/confirm-number"),
    *("en/ask-subject", "en/message-offer", "en/registered", "en/ticket-again", "en/ahead-none"),
    *("en/expectation", "en/will-call", "en/goodbye"),
]


def _register_in_persian(caller: Caller) -> None:
    caller.call()
    caller.at("main-menu", "1")
    caller.at("confirm-number", "1")
    caller.at("subject-2", "2")
    caller.at("message-offer", "1")
    caller.at("beep")
    time.sleep(SPEAKS_S)
    caller.press("#")
    caller.at("message-review", "1")
    _hear_the_end(caller)


def _register_in_english(caller: Caller) -> None:
    caller.call()
    caller.press("9")
    caller.at("main-menu", "1")
    caller.at("confirm-number", "1")
    caller.at("ask-subject", "9")
    caller.at("message-offer", "2")
    _hear_the_end(caller)


def _hear_the_end(caller: Caller) -> None:
    """A key skips a sentence that is understood already."""
    caller.at("expectation", SKIP)
    caller.at("will-call", SKIP)
    caller.at("goodbye")
    caller.wait_for("closed")


def test_given_a_persian_and_an_english_caller_at_once_when_they_register_then_each_prompt_is_right(
    system: System, tone: Path
) -> None:
    first, second = system.number(), system.number()
    with (
        system.only_round() as round_id,
        Caller(system, first, language="en") as english,
        Caller(system, second, sound=tone) as persian,
        ThreadPoolExecutor() as at_once,
    ):
        calls = [
            at_once.submit(_register_in_english, english),
            at_once.submit(_register_in_persian, persian),
        ]
        for call in calls:
            call.result()
        in_english, in_persian = english.said(ENGLISH), persian.said(PERSIAN)
        registrations = system.registrations(round_id)

    assert in_persian.prompts == PERSIAN
    assert in_english.prompts == ENGLISH
    assert [(r.number, r.language, r.subject) for r in registrations] == [
        ("+98" + first[1:], "en", 9),
        ("+98" + second[1:], "fa", 2),
    ]
    in_line_first, in_line_second = registrations
    for clip in ("registered.1", "ticket-again.1"):
        assert in_english.digits(f"en/{clip}") == in_line_first.ticket
    assert in_persian.digits("registered.1") == in_line_second.ticket
    assert in_persian.digits("ticket-again.1") == in_line_second.ticket + "1"  # "one is before you" follows
    assert in_line_second.message is not None
    message = sound.load(system.settings.messages_dir / in_line_second.message)
    assert SPEAKS_S - 1 < message.seconds < SPEAKS_S + 5
    assert sound.tone_level(message, TONE_HZ) > 0.9
