"""Each refusal that a page can meet has a text on that page, in Persian and English.

The test reads the code, not its answers: it follows the names that an endpoint uses to all raised refusals.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from api.problems import STATUS

PROJECT = Path(__file__).parents[2]
AROUND = ("api.problems.", "api.security.", "api.concurrency_limit.", "api.event_tail.")
"""Modules that refuse a request before its endpoint, or answer in its place."""
OF_CITIZENS = "api.my."
APART = ("api.my.own_data.", "api.my.pictures.show_picture", "api.open311.", "api.public.", *AROUND)
"""Endpoints whose refusals no bundle tells.

Other programs read them, a page shows only a missing picture, or a public page has words of its own."""
BUNDLES = {"staff": "web/src/language", "citizens": "web/my/src/language"}


def _find_imports(module: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            found.update({name.asname or name.name: f"{node.module}.{name.name}" for name in node.names})
        elif isinstance(node, ast.Import):
            found.update({name.asname or name.name: name.name for name in node.names})
    return found


def _list_defined(statement: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return [node.id for node in stored if isinstance(node.ctx, ast.Store)]


def _list_codes(statement: ast.stmt, module: str) -> Iterator[str]:
    """Yield the codes that a statement raises or passes on; a code may stand in a table of refusals."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.endswith(("Refused", "make_problem")) or called == "super().__init__":
                for each in ast.walk(node.args[0]):
                    code = each.value if isinstance(each, ast.Constant) else None
                    if isinstance(code, str) and re.fullmatch("[a-z]+(-[a-z]+)*", code):
                        yield code
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value in STATUS
            and module != "api.problems"
        ):
            yield node.value


@cache
def _read_code() -> dict[str, tuple[set[str], set[str]]]:
    """Return the names and the codes that each name of api/, hotline/ and db/ uses."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in (path for folder in ("api", "hotline", "db") for path in (PROJECT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        imports = _find_imports(tree)
        for statement in tree.body:
            codes = set(_list_codes(statement, module))
            local = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
            used = set()
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and node.id not in local:
                    used.add(imports.get(node.id, f"{module}.{node.id}"))
                elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    used.add(f"{imports.get(node.value.id, node.value.id)}.{node.attr}")
            for name in _list_defined(statement):
                names, all_codes = found.setdefault(f"{module}.{name}", (set(), set()))
                names |= used
                all_codes |= codes
    return found


def find_met(bundle: str) -> dict[str, str]:
    """Return the codes that the pages of a bundle can meet, and one function that each comes from."""
    code = _read_code()
    endpoints = (name for name in code if name.startswith("api.") and not name.startswith(APART))
    mine = [name for name in endpoints if name.startswith(OF_CITIZENS) == (bundle == "citizens")]
    todo, seen, met = [*mine, *(name for name in code if name.startswith(AROUND))], set(), {}
    while todo:
        name = todo.pop()
        if name in code and name not in seen:
            seen.add(name)
            names, codes = code[name]
            todo += names
            met.update(dict.fromkeys(codes, name))
    return met


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("language", ["fa", "en"])
def test_refusal_that_a_page_meets_has_a_text(bundle: str, language: str) -> None:
    file = f"{BUNDLES[bundle]}/problems.{language}.ts"
    told = set(re.findall(r"^  '?([a-z-]+)'?: '.", (PROJECT / file).read_text(), re.MULTILINE))
    met = find_met(bundle)
    assert len(met) > 50
    assert {f"{code}, refused by {met[code]}" for code in met.keys() - told} == set(), f"add them to {file}"
