"""Menus: how many choices there are is said first, and no more than four are said at once."""

from collections.abc import Sequence

from ivr.call import Call, NoKey, Prompt

AT_ONCE = 4
"""So many choices a caller keeps in mind, beside repeat and operator (ISO/IEC 13714)."""
_OTHERS = str(AT_ONCE + 1)
_TURNS = 10
"""So often a caller leafs through a list; a line is not for keeping."""


def ask(
    call: Call, question: str | None, said: Sequence[str | Prompt], *, keys: str, optional: bool = False
) -> str:
    """Put a question, or only its answers, which are `said`; like `Call.ask`. A key pressed twice is one."""
    asks = [question] if question else []
    return call.ask(*asks, _count(said), *said, keys=keys, yes=keys, optional=optional)


def one_of(call: Call, question: str | None, items: Sequence[Prompt], *, counted: bool = False) -> int:
    """The place in `items` of what the caller wants; each prompt gets its `key`. Raises like `Call.ask`.

    Of more than four, four are said with the keys 1 to 4, and 5 leads to the next ones, at last to the first
    again. `counted`: the caller has just been told how many there are.
    """
    pages = [items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]
    asks: list[str | Prompt] = [question] if question else []
    for turn in range(_TURNS):
        number = turn % len(pages)
        page = pages[number]
        said = [_with_key(item, key) for key, item in enumerate(page, start=1)]
        keys = "".join(str(key) for key in range(1, len(page) + 1))
        if len(pages) > 1:
            said.append(Prompt("choose-others", {"key": int(_OTHERS)}))
            keys += _OTHERS
        if not counted or len(pages) > 1:
            asks.append(_count(said))
        key = call.ask(*asks, *said, keys=keys)
        if key != _OTHERS:
            return number * AT_ONCE + int(key) - 1
        asks = []
    raise NoKey


def _with_key(item: Prompt, key: int) -> Prompt:
    return item._replace(slots={**item.slots, "key": key})


def _count(said: Sequence[str | Prompt]) -> Prompt:
    return Prompt("choices", {"count": len(said)})
