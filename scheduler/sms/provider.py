"""Interface of every provider of text messages; each is a module beside this one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from db.models import Arrival
from scheduler.provider_responses import RefusedForGood, TryAgain


class Template(NamedTuple):
    """Provider's own text by its name there, and its values in the order of the city's file."""

    name: str
    tokens: Mapping[str, str]


class Letter(NamedTuple):
    """Message as a provider gets it: to an E.164 number, with our name for it."""

    to: str
    text: str
    name: str
    template: Template | None = None


class SmsProvider(Protocol):
    """Provider of text messages. The caller limits the time; no number, text or key is logged."""

    name: str
    """Name in the settings."""
    knows_names: bool
    """The provider does not send a plain text with a repeated name again."""
    at_once: int
    """Number of messages in one question about arrivals; 0 if the provider never reports them."""

    async def send(self, letter: Letter) -> str:
        """Send the message.

        Return the provider's id, or "". Raises TryAgain, TemplateRefused, RefusedForGood.
        """

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals of messages by their ids there; unknown ones are left out. Raises TryAgain."""

    async def credit(self) -> float | None:
        """Return the credit in the provider's own unit; None if it never reports it. Raises TryAgain."""


def shorten(value: str, longest: int) -> str:
    """Return the value, cut to `longest` characters."""
    return value if len(value) <= longest else f"{value[: longest - 1]}…"


def map_states(states: Mapping[str, int | None], meanings: Mapping[int, Arrival]) -> Mapping[str, Arrival]:
    """Map a provider's states to arrivals; unknown states are left out."""
    return {id_: meanings[state] for id_, state in states.items() if state is not None and state in meanings}


async def ask_each(
    ids: Sequence[str], ask: Callable[[str], Awaitable[int | None]]
) -> Mapping[str, int | None]:
    """Return the state of each message that the provider knows.

    Raises the first failure if all fail: an unknown message must not hide the others.
    """
    answers = dict(zip(ids, await asyncio.gather(*map(ask, ids), return_exceptions=True), strict=True))
    failed = [answer for answer in answers.values() if isinstance(answer, BaseException)]
    bugs = [each for each in failed if not isinstance(each, TryAgain | RefusedForGood)]
    if bugs or len(failed) == len(answers):
        raise (bugs or failed)[0]
    return {id_: state for id_, state in answers.items() if not isinstance(state, BaseException)}
