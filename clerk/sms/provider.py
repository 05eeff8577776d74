"""What every provider of text messages can do; each is a module beside this one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from clerk.answers import RefusedForGood, TryAgain
from db.models import Arrival


class Template(NamedTuple):
    """A provider's own text by its name there, and what is put into it, in the order of the city's file."""

    name: str
    tokens: Mapping[str, str]


class Letter(NamedTuple):
    """A message as a provider gets it: to an E.164 number, with our name for it."""

    to: str
    text: str
    name: str
    template: Template | None = None


class SmsProvider(Protocol):
    """Sends text messages. The caller bounds the time; nothing here logs a number, a text or a key."""

    name: str
    """As in the settings."""
    knows_names: bool
    """A plain text of a name that was sent is not sent a second time."""
    at_once: int
    """For so many messages it is asked at once what became of them; 0: it never says."""

    async def send(self, letter: Letter) -> str:
        """Send; returns the provider's id for it, or "". Raises TryAgain, TemplateRefused, RefusedForGood."""

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """What became of messages by their ids there; what is left out is not known. Raises TryAgain."""

    async def credit(self) -> float | None:
        """What is left in the account, in the provider's own unit; None: it never says. Raises TryAgain."""


def cut(value: str, longest: int) -> str:
    """At most so many signs."""
    return value if len(value) <= longest else f"{value[: longest - 1]}…"


def meant(states: Mapping[str, int | None], meanings: Mapping[int, Arrival]) -> Mapping[str, Arrival]:
    """What a provider's states mean; those that nobody knows are left out."""
    return {id_: meanings[state] for id_, state in states.items() if state is not None and state in meanings}


async def one_by_one(
    ids: Sequence[str], ask: Callable[[str], Awaitable[int | None]]
) -> Mapping[str, int | None]:
    """Each message's state, of those of which the provider says it. Raises what it says to the first, if it
    says none: one that it does not know keeps no others from being known.
    """
    answers = dict(zip(ids, await asyncio.gather(*map(ask, ids), return_exceptions=True), strict=True))
    failed = [answer for answer in answers.values() if isinstance(answer, BaseException)]
    bugs = [each for each in failed if not isinstance(each, TryAgain | RefusedForGood)]
    if bugs or len(failed) == len(answers):
        raise (bugs or failed)[0]
    return {id_: state for id_, state in answers.items() if not isinstance(state, BaseException)}
