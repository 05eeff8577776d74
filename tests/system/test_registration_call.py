"""Real phones dial the real system: what they hear, what they say, and what is registered."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.phone import KEY_SECONDS
from tests.kit.system import System

TONE_HZ = 440  # of the fixture `tone`
SPEAKS_S = 2
SKIP = "5"
PAUSE_S = 2.0  # a key that comes sooner after the last one was not meant for the question

PERSIAN = [
    *("greeting", "en/menu-english", "main-menu", "round-when", "confirm-number"),
    *("registered", "ticket-again", "ahead-some", "expectation", "will-call"),
    *("ask-subject", "choices", "subject-1", "subject-2", "message-offer", "message-speak", "beep"),
    *("message-review", "message-kept", "goodbye"),
]
ENGLISH = [
    "menu-persian",
    *("en/main-menu", "en/round-when", "en/confirm-number"),
    *("en/registered", "en/ticket-again", "en/ahead-none", "en/expectation", "en/will-call"),
    *("en/ask-subject", "en/message-offer", "en/goodbye"),
]


def _register_in_persian(caller: Caller) -> None:
    caller.call()
    caller.at("main-menu", "1")
    caller.at("confirm-number", "1")
    _skip_what_follows(caller)
    caller.at("subject-2", "2")
    caller.at("message-offer", "1")
    caller.at("beep")
    time.sleep(SPEAKS_S)
    caller.press("#")
    caller.at("message-review", "1")
    _hear_the_end(caller)


def _hears_something(caller: Caller) -> None:
    """Calls, and waits for a first sound: before it Asterisk would forget what is pressed."""
    caller.call()
    caller.wait_for_sound(0.1)


def _register_in_english(caller: Caller) -> None:
    _hears_something(caller)
    caller.press("9")
    caller.at("main-menu", "1")
    caller.at("confirm-number", "1")
    _skip_what_follows(caller)
    caller.at("ask-subject", "4")
    caller.at("message-offer", "#")
    _hear_the_end(caller)


def _skip_what_follows(caller: Caller) -> None:
    """A key skips a sentence that is understood already, and answers no question."""
    caller.at("expectation", SKIP)
    caller.at("will-call", SKIP)
    time.sleep(PAUSE_S)


def _of_one_of_two(prompt: str, *, first: bool) -> str:
    """The prompt, or what is said instead to the first or to the second in the line."""
    folder, _, clip = prompt.rpartition("/")
    if clip not in ("ahead-none", "ahead-some"):
        return prompt
    return f"{folder}{'/' * bool(folder)}{'ahead-none' if first else 'ahead-some'}"


def _hear_the_end(caller: Caller) -> None:
    caller.at("goodbye")
    caller.wait_for("closed")


def test_persian_and_english_callers_hear_their_own_prompts(system: System, tone: Path) -> None:
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
        registrations = system.registrations(round_id)
        who_is_first = registrations[0].language
        expected = {
            language: [_of_one_of_two(prompt, first=language == who_is_first) for prompt in path]
            for language, path in (("en", ENGLISH), ("fa", PERSIAN))
        }
        in_english, in_persian = english.said(expected["en"]), persian.said(expected["fa"])

    assert in_persian.prompts == expected["fa"]
    assert in_english.prompts == expected["en"]
    of_english, of_persian = sorted(registrations, key=lambda r: r.language)
    assert (of_english.number, of_english.language, of_english.subject) == ("+98" + first[1:], "en", 4)
    assert (of_persian.number, of_persian.language, of_persian.subject) == ("+98" + second[1:], "fa", 2)
    for clip in ("registered.1", "ticket-again.1"):
        assert in_english.digits(f"en/{clip}") == of_english.ticket
    assert in_persian.digits("registered.1") == of_persian.ticket
    one_before = "1" * (who_is_first == "en")  # "one is before you" follows
    assert in_persian.digits("ticket-again.1") == of_persian.ticket + one_before
    assert of_persian.voice_message is not None
    voice_message = sound.load(system.settings.messages_dir / of_persian.voice_message)
    assert SPEAKS_S - 1 < voice_message.seconds < SPEAKS_S + 5
    assert sound.tone_level(voice_message, TONE_HZ) > 0.9


@pytest.mark.parametrize("pause", [0.3, 0.9])
def test_fast_keys_each_answer_their_question(system: System, pause: float) -> None:
    number = system.number()
    with system.only_round() as round_id, Caller(system, number) as caller:
        _hears_something(caller)
        caller.press("113#", gap=pause - KEY_SECONDS)
        caller.at("registered-brief")
        caller.wait_for("closed")
        said = caller.said({"registered-brief"})
        [registration] = system.registrations(round_id)

    assert (registration.number, registration.subject) == ("+98" + number[1:], 3)
    assert said.digits("registered-brief.2") == registration.ticket
