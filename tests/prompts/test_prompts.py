"""The prompts of callers: the catalogue of each language, and the clips that speak a prompt."""

import ast
import datetime as dt
import re
from pathlib import Path

import pytest

from db.states import RegistrationState, RequestState
from prompts import catalogue
from prompts.catalogue import PromptError, Slot
from prompts.persian import VOWEL_SIGNS
from prompts.spoken import PAUSE
from settings import city_file

ROOT = Path(catalogue.__file__).parents[1]
ISFAHAN = city_file.read(city_file.SAMPLE)
LANGUAGES = catalogue.list_languages()
WHEN = {"day": "weekday", "date": "date", "time": "time"}
UNSAID = (RequestState.DUPLICATE, RequestState.SPLIT)
"""Its caller hears of the first request; or that it is in work, as its parts are."""

# What the call scripts count on; the slots of those without an entry here are none.
SLOTS = {
    "choose-item": {"office": "clip", "key": "count"},
    "choose-others": {"key": "count"},
    "round-when": {"office": "clip", **WHEN},
    "next-round-when": {"office": "clip", **WHEN},
    "registration-opens": WHEN,
    "confirm-number": {"number": "phone"},
    "confirm-number-slow": {"number": "phone"},
    "registered": {"ticket": "digits"},
    "registered-brief": {"office": "clip", "ticket": "digits"},
    "ticket-again": {"ticket": "digits"},
    "already-registered": {"ticket": "digits"},
    "place": {"place": "ordinal"},
    "ahead-some": {"ahead": "count"},
    "expectation": {"reached": "count"},
    "ticket-is": {"ticket": "digits"},
    "active-registration": {"office": "clip"},
    "change-number-asked": {"number": "phone"},
    "own-places": {"count": "count"},
    "own-place": {"office": "clip", "key": "count"},
    "own-place-on": {"office": "clip", "day": "weekday", "date": "date", "key": "count"},
    "confirm-call-intro": {"office": "clip"},
    "confirm-call-done": {"ticket": "digits"},
    "confirm-number-intro": {"office": "clip"},
    "confirm-number-done": {"ticket": "digits"},
    "confirm-cancel-intro": {"office": "clip"},
    "confirm-move-intro": {"office": "clip", "number": "phone"},
    "report-recorded": {"tracking": "digits"},
    "report-recorded-again": {"tracking": "digits"},
    "operator-registered": {"ticket": "digits"},
    "substitute-speaks": {"office": "clip"},
    "round-at": WHEN,
    "next-round-at": WHEN,
    "lines-full-until": {"day": "weekday", "time": "time"},
    "lines-full-offer-until": {"day": "weekday", "time": "time"},
    "callback-press-one": {"office": "clip"},
    "callback-press-one-slow": {"office": "clip"},
    "callback-press-one-recorded": {"office": "clip"},
    "callback-press-one-recorded-slow": {"office": "clip"},
    "wait-intro": {"office": "clip"},
    "near-call-intro": {"office": "clip"},
    "choices": {"count": "count"},
    "wait-minutes": {"minutes": "count"},
    "guest-intro": {"office": "clip"},
    "code-call-digits": {"code": "digits"},
    "urgent-or-number": {"number": "digits"},
    "urgent-number": {"number": "digits"},
    "urgent-connecting": {"number": "digits"},
    "urgent-call-request": {"tracking": "digits", "minutes": "count"},
    "urgent-call-caller": {"minutes": "count", "number": "phone"},
}


def prompts_named_in(source: str) -> set[str]:
    """The ids that code hands to call.say, call.ask and call.ask_digits as plain strings."""

    def ids(node: ast.expr) -> set[str]:
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp():
                return ids(node.body) | ids(node.orelse)
            case ast.Tuple(elts=[first, *_]):
                return ids(first)
        return set()

    return {
        prompt
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"say", "tell", "ask", "ask_digits"}
        for argument in node.args
        for prompt in ids(argument)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_of_call_scripts_exist_in_each_language(language: str) -> None:
    named = {
        prompt
        for path in (ROOT / "ivr").rglob("*.py")
        for prompt in prompts_named_in(path.read_text("utf-8"))
    }
    assert named
    assert named <= catalogue.list_prompts(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_clips_of_the_dialplan_exist_in_each_language(language: str) -> None:
    played = {
        clip
        for path in (ROOT / "dialplan").rglob("*.conf")
        for clip in re.findall(r"\{\{ prompts \}\}/(?:fa|en|\$.*?\})/([\w.-]+)", path.read_text("utf-8"))
    }
    assert "apology" in played
    assert played <= catalogue.list_texts(language).keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", RegistrationState)
def test_each_registration_state_has_a_prompt(state: RegistrationState, language: str) -> None:
    assert catalogue.find_slots(language, f"status-{state}") == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_have_the_slots_that_scripts_fill(language: str) -> None:
    slots = {prompt: catalogue.find_slots(language, prompt) for prompt in catalogue.list_prompts(language)}
    assert {prompt: its for prompt, its in slots.items() if its} == SLOTS


def test_languages_have_equal_prompts_and_slots() -> None:
    persian, *others = (
        {prompt: catalogue.find_slots(language, prompt) for prompt in catalogue.list_prompts(language)}
        for language in ("fa", "en")
    )
    assert others == [persian]


def test_languages_have_equal_offices_days_and_months() -> None:
    named = re.compile(r"office-|weekday-|month-|day-")
    persian, english = (
        {clip for clip in catalogue.list_texts(language) if named.match(clip)} for language in ("fa", "en")
    )
    assert persian == english
    assert len(persian) == 4 + city_file.MOST_DISTRICTS + 7 + 12 + 31


@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_officials_have_clips_in_each_language(language: str) -> None:
    clips = {f"office-district-{each.number}" for each in ISFAHAN.districts}
    clips |= {each.clip for each in ISFAHAN.offices}
    assert clips <= catalogue.list_texts(language).keys()


def test_persian_texts_follow_the_rules_of_the_voice() -> None:
    signs = VOWEL_SIGNS.replace("\u0651", "")
    for clip, text in catalogue.list_texts("fa", ISFAHAN).items():
        assert not re.search(r"\d", text), f"{clip}: a digit"
        assert not re.search(f"\u0651[{signs}]|[{signs}]\u0651", text), f"{clip}: shadda and vowel"
        assert not re.search("[a-zA-Zيك{}*]", text), f"{clip}: not Persian"


def test_english_texts_hold_plain_letters_only() -> None:
    for clip, text in catalogue.list_texts("en", ISFAHAN).items():
        assert re.fullmatch(r"[A-Za-z ,.:?']+", text), clip


@pytest.mark.parametrize("language", LANGUAGES)
def test_slots_of_prompts_have_known_kinds(language: str) -> None:
    parts = [part for prompt in catalogue.load(language).prompts.values() for part in prompt]
    assert {part.kind for part in parts if isinstance(part, Slot)} == {
        *("phone", "digits", "count", "clip", "ordinal", "weekday", "date", "time")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_prompt_stands_once_in_the_studio_script(language: str) -> None:
    book = catalogue.load(language)
    placed = [prompt for prompts in book.sections.values() for prompt in prompts]
    assert sorted(placed) == sorted(book.prompts)


def test_prompt_without_slots_is_one_clip() -> None:
    assert catalogue.list_clips("fa", "greeting") == ["greeting"]


def test_prompt_with_slots_alternates_fragments_and_values() -> None:
    assert catalogue.list_clips("fa", "own-place", office="office-district-12", key=3) == [
        "own-place.1",
        "office-district-12",
        "own-place.2",
        "number-3",
        PAUSE,
    ]


def test_prompt_that_ends_with_a_slot_closes_with_a_pause() -> None:
    clips = catalogue.list_clips("fa", "ticket-again", ticket="0123456")
    assert clips == [
        "ticket-again.1",
        *("digit-0", "digit-1", "digit-2", "pause"),
        *("digit-3", "digit-4", "digit-5", "digit-6", "pause"),
    ]


def test_sentence_after_a_final_slot_follows_a_pause() -> None:
    clips = catalogue.list_clips("en", "expectation", reached=30)
    assert clips == ["expectation.1", "number-30", PAUSE, "expectation.2"]
    assert catalogue.list_texts("en")["expectation.2"].startswith("If it does not")


def test_round_time_is_read_as_office_day_and_hour() -> None:
    day = dt.date(2026, 11, 25)
    clips = catalogue.list_clips(
        "fa", "round-when", office="office-mayor", day=day, date=day, time=dt.time(9, 30)
    )
    assert clips == [
        *("round-when.1", "office-mayor", "weekday-3", "day-4", "month-9"),
        *("time-at", "number-9-and", "time-half", "time-morning", PAUSE),
    ]


@pytest.mark.parametrize(
    ("prompt", "slots", "message"),
    [
        ("no-such", {}, "no prompt 'no-such'"),
        ("greeting", {"name": "x"}, "has no slots; given: name"),
        ("registered", {}, "has ticket; given: none"),
        ("registered", {"ticket": "1234567", "extra": 1}, "has ticket; given: extra, ticket"),
        ("registered", {"ticket": 1234567}, "slot 'ticket': 1234567 is not str"),
        ("registered", {"ticket": "12a4567"}, "not a row of digits"),
        ("confirm-number", {"number": "+989131234567"}, "not a row of digits"),
        ("ahead-some", {"ahead": "12"}, "slot 'ahead': '12' is not int"),
        ("ahead-some", {"ahead": -1}, "cannot be read"),
        ("place", {"place": 0}, "cannot be read"),
        ("active-registration", {"office": "office-of-nobody"}, "no clip 'office-of-nobody'"),
        ("lines-full-until", {"day": dt.time(9), "time": dt.time(9)}, "is not date"),
        ("lines-full-until", {"day": dt.date(2026, 1, 1), "time": "09:00"}, "is not time"),
        (
            "lines-full-until",
            {"day": dt.datetime(2026, 1, 1), "time": dt.time(9)},
            "a date and time without a zone",
        ),
        ("ahead-some", {"ahead": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "is not int"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_wrong_prompt_or_slot_is_refused(
    prompt: str, slots: dict[str, catalogue.Value], message: str, language: str
) -> None:
    with pytest.raises(PromptError, match=re.escape(message)):
        catalogue.list_clips(language, prompt, **slots)


@pytest.mark.parametrize("language", ["xx", "../prompts/fa", ""])
def test_unknown_language_is_refused(language: str) -> None:
    with pytest.raises(PromptError, match="there are: en, fa"):
        catalogue.list_clips(language, "greeting")
