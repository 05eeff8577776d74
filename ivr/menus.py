"""Menus: the number of choices is said first, and at most four are said at once."""

from collections.abc import Sequence
from typing import TypeVar

from hotline.subjects import AT_ONCE
from ivr.call import Call, NoKey, Prompt

OTHERS = "9"
"""Key for the next items of a longer list; it is one of the four."""
_TURNS = 10
"""Limit of pages for one caller, because a line must not stay occupied."""

T = TypeVar("T")


def ask(
    call: Call, question: str | None, said: Sequence[str | Prompt], *, keys: str, optional: bool = False
) -> str:
    """Ask a question, or only play its answers, which are `said`; like `Call.ask`."""
    asks = [question] if question else []
    return call.ask(*asks, _count(said), *said, keys=keys, optional=optional)


def choose(call: Call, question: str | None, items: Sequence[Prompt], *, counted: bool = False) -> int:
    """Return the index in `items` of the caller's choice; each prompt gets its `key`. Raises like `Call.ask`.

    Of more than four, three are said with the keys 1 to 3. The 9 leads to the next ones, and at last to the
    first again. `counted`: the caller has just heard how many there are.
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
    """Split items into pages: three beside `OTHERS` on each, and the rest on the last."""
    pages = []
    while len(items) > AT_ONCE:
        pages.append(items[: AT_ONCE - 1])
        items = items[AT_ONCE - 1 :]
    return [*pages, items]


def _with_key(item: Prompt, key: int) -> Prompt:
    return item._replace(slots={**item.slots, "key": key})


def _count(said: Sequence[str | Prompt]) -> Prompt:
    return Prompt("choices", {"count": len(said)})
