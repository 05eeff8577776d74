"""Asterisk's files as they are rendered, read by sections, contexts and steps."""

import re
from collections.abc import Callable

Render = Callable[..., dict[str, str]]

IN_THE_TRUNK = "${GROUP_COUNT(callers)} + ${GROUP_COUNT(told-full)} + ${GROUP_COUNT(calls)}"


def lines(text: str) -> list[str]:
    """The lines that say something, without comments."""
    return [line for line in (line.partition(";")[0].strip() for line in text.splitlines()) if line]


def sections(text: str) -> list[tuple[str, dict[str, str]]]:
    """The sections in order, each with its values; of one name there may be several."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in lines(text):
        if header := re.match(r"\[([^]]+)\]", line):
            found.append((header[1], {}))
        elif not line.startswith("#include "):
            key, _, value = line.partition("=")
            found[-1][1][key.strip()] = value.removeprefix(">").strip()
    return found


def contexts(extensions: str) -> dict[str, list[tuple[str, str]]]:
    """For each context its steps in order: the application and what it is given."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines(extensions):
        if header := re.match(r"\[([^]]+)\]", line):
            steps = found.setdefault(header[1], [])
        elif step := re.match(r"(?:exten|same) => (?:[^,(]+,)?(?:1|n)(?:\(\w+\))?,(\w+)\((.*)\)$", line):
            steps.append((step[1], step[2]))
        else:
            assert "globals" in found and len(found) == 1, f"not understood: {line}"
    return found
