"""Which room of the code imports which, drawn from the imports: `make rooms`."""

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"

_HOUSES = ("api", "hotline")
"""Folders with rooms of their own."""
_MARK = re.compile(r"(<!-- rooms: (?P<name>\w+) -->\n```mermaid\n).*?(```\n)", re.DOTALL)

Arrows = Mapping[tuple[str, str], int]
"""How many imports lead from one room to another."""


def arrows() -> Arrows:
    """Return the arrows of all rooms, as the files are now."""
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    graph = grimp.build_graph(*folders, cache_dir=None)
    rooms = {module: _room(module, graph) for module in graph.modules}
    found: Counter[tuple[str, str]] = Counter()
    for module, room in rooms.items():
        for used in graph.find_modules_directly_imported_by(module):
            if rooms[used] != room:
                found[room, rooms[used]] += 1
    return found


def _room(module: str, graph: grimp.ImportGraph) -> str:
    folder, *inner = module.split(".")
    if folder not in _HOUSES:
        return folder
    room = f"{folder}.{inner[0]}" if inner else folder
    return room if inner and graph.find_children(room) else folder


def listed(found: Arrows) -> str:
    """Each room, and those that it imports."""
    rooms = sorted({room for arrow in found for room in arrow})
    width = max(map(len, rooms))
    return "\n".join(f"{room:<{width}} -> {_used(found, room) or 'nothing'}" for room in rooms)


def _used(found: Arrows, room: str) -> str:
    return ", ".join(f"{to} {count}" for (by, to), count in sorted(found.items()) if by == room)


def drawings(found: Arrows) -> dict[str, str]:
    """Two Mermaid graphs by name: the folders, and the rooms of hotline/ without its root, which all use."""
    folders = {(by.split(".")[0], to.split(".")[0]) for by, to in found}
    inside = "hotline."
    rooms = {(by, to) for by, to in found if by.startswith(inside) and to.startswith(inside)}
    return {
        "folders": _mermaid((by, to) for by, to in folders if by != to),
        "hotline": _mermaid((by.removeprefix(inside), to.removeprefix(inside)) for by, to in rooms),
    }


def _mermaid(found: Iterable[tuple[str, str]]) -> str:
    """Without the counts, which change each day."""
    return "graph TD\n" + "".join(f"    {by} --> {to}\n" for by, to in sorted(found))


def drawn(page: str, found: Arrows) -> str:
    """The page with its drawings as the files are now."""
    graphs = drawings(found)
    return _MARK.sub(lambda mark: mark[1] + graphs[mark["name"]] + mark[3], page)


def main() -> None:
    """Print the rooms; with --write also bring the drawings of docs/architecture.md up to date."""
    found = arrows()
    print(listed(found))  # noqa: T201
    for name, graph in drawings(found).items():
        print(f"\n%% {name}\n{graph}", end="")  # noqa: T201
    if "--write" in sys.argv[1:]:
        PAGE.write_text(drawn(PAGE.read_text(), found))


if __name__ == "__main__":
    main()
