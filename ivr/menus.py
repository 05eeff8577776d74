"""Menus: how many choices there are is said first, and no more than four are said at once."""

from collections.abc import Sequence
from typing import TypeVar

from hotline.subjects import AT_ONCE
from ivr.call import Call, NoKey, Prompt

OTHERS = "9"
"""The key that says the next ones of a longer list; it is one of the four."""
_TURNS = 10
"""So often a caller leafs through a list; a line is not for keeping."""

T = TypeVar("T")


def ask(
    call: Call, question: str | None, said: Sequence[str | Prompt], *, keys: str, optional: bool = False
) -> str:
    """Put a question, or only its answers, which are `said`; like `Call.ask`."""
    asks = [question] if question else []
    return call.ask(*asks, _count(said), *said, keys=keys, optional=optional)


def one_of(call: Call, question: str | None, items: Sequence[Prompt], *, counted: bool = False) -> int:
    """The place in `items` of what the caller wants; each prompt gets its `key`. Raises like `Call.ask`.

    Of more than four, three are said with the keys 1 to 3, and 9 leads to the next ones, at last to the first
    again. `counted`: the caller has just been told how many there are.
    """
    in_pages = len(items) > AT_ONCE
    size = AT_ONCE - 1 if in_pages else AT_ONCE
    pages = [items[first : first + size] for first in range(0, len(items), size)]
    asks: list[str | Prompt] = [question] if question else []
    for turn in range(_TURNS):
        number = turn % len(pages)
        page = pages[number]
        said = [_with_key(item, key) for key, item in enumerate(page, start=1)]
        keys = "".join(str(key) for key in range(1, len(page) + 1))
        if in_pages:
            said.append(Prompt("choose-others", {"key": int(OTHERS)}))
            keys += OTHERS
        if not counted or in_pages:
            asks.append(_count(said))
        key = call.ask(*asks, *said, keys=keys)
        if key != OTHERS:
            return number * size + int(key) - 1
        asks = []
    raise NoKey


def split(items: Sequence[T]) -> list[Sequence[T]]:
    """Return what is said at once of each page: `OTHERS` beside three, and the rest on the last."""
    pages = []
    while len(items) > AT_ONCE:
        pages.append(items[: AT_ONCE - 1])
        items = items[AT_ONCE - 1 :]
    return [*pages, items]


def _with_key(item: Prompt, key: int) -> Prompt:
    return item._replace(slots={**item.slots, "key": key})


def _count(said: Sequence[str | Prompt]) -> Prompt:
    return Prompt("choices", {"count": len(said)})
