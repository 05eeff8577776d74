"""How long each prompt is, in seconds."""

from collections.abc import Iterator
from typing import NamedTuple

from prompts import catalogue, listen
from prompts.catalogue import PromptError
from settings import Settings

_MOST_S, _MOST_SLOW_S = 24.0, 12.0
_MOST_OF_REGISTERING_S = {
    "greeting": (2.3, 4.0),
    "main-menu": (4.5, 7.0),
    "menu-english": (2.5, 1.5),
    "menu-persian": (2.0, 2.5),
    "round-when": (6.0, 9.5),
    "confirm-number": (8.0, 12.0),
    "registered": (6.5, 8.0),
    "registered-brief": (8.5, 9.5),
    "ticket-again": (5.5, 6.5),
    "ahead-some": (3.5, 4.5),
    "expectation": (8.5, 8.5),
    "will-call": (4.5, 4.5),
    "ask-subject": (3.5, 4.0),
    "choices": (2.5, 3.5),
    "message-offer": (3.8, 4.5),
    "goodbye": (3.0, 3.5),
    "callback-intro": (1.5, 2.6),
    "callback-recorded": (1.6, 1.6),
    "callback-press-one": (3.7, 3.7),
    "callback-press-one-recorded": (2.6, 3.7),
    "callback-cut-off": (3.0, 3.0),
}
"""Limits, in seconds, of prompts that nearly every citizen hears: Persian, English.

The last one must end in time (hotline.call_deadlines).
"""


class Length(NamedTuple):
    """A prompt and its seconds, with examples in its slots."""

    section: str
    prompt: str
    seconds: float


def list_lengths(settings: Settings, language: str) -> Iterator[Length]:
    """Yield each prompt in the order of the catalogue. Raises PromptError if one is not built yet."""
    seconds = {clip: _seconds(settings, language, clip) for clip in _needed(language)}
    for section, prompts in catalogue.load(language).sections.items():
        for prompt in prompts:
            yield Length(
                section, prompt, sum(seconds[clip] for clip in listen.list_example_clips(language, prompt))
            )


def _needed(language: str) -> set[str]:
    prompts = catalogue.list_prompts(language)
    return {clip for prompt in prompts for clip in listen.list_example_clips(language, prompt)}


def _seconds(settings: Settings, language: str, clip: str) -> float:
    path = settings.prompts_dir / language / f"{clip}.alaw"  # a byte for each sample, 8,000 a second
    try:
        return path.stat().st_size / 8000
    except FileNotFoundError:
        raise PromptError(f"{language}/{clip} is not rendered yet: hotline137 prompts build") from None


def estimate_longest(language: str, prompt: str) -> float:
    """Return the most seconds that a prompt may take, with examples in its slots."""
    if prompt in _MOST_OF_REGISTERING_S:
        persian, english = _MOST_OF_REGISTERING_S[prompt]
        return persian if language == "fa" else english
    return _MOST_SLOW_S if prompt.endswith("-slow") else _MOST_S
