"""Docstrings of the folders that follow docs/writing.md."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS: tuple[str, ...] = (
    "api",
    "bench",
    "scheduler",
    "db",
    "dialer",
    "dialplan",
    "ivr",
    "ops",
    "prompts",
    "settings",
    "tests",
    "hotline",
)
"""Folders whose docstrings follow the page. A folder is added once, and never leaves."""
FORBIDDEN = set(
    ["who", "whom", "whose", "whoever", "what", "whatever", "where", "so", "of", "by", "that", "those", "as"]
)
VERBS = set(
    """
    accept adapt add adjust admit adopt allow announce answer apology append apply ask assign beat
    become begin bind block bring build call can cancel carry catch change check choose claim
    clean clear close confirm connect consult convert copy count create declare decline decode
    decrypt define delete depose describe detach detect disable discard discover dismiss drain
    draw drop enable encode encrypt end erase escape estimate examine execute expect explain
    export fail fence fetch file fill find finish fit follow forecast foresee forget format free
    get give grant hand hang has hash hear hide hold inspect is issue join keep lacks leave
    level list listen load lock log make map mark mask match may measure merge mix move
    normalize object offer open order originate override parse pass pause pay place plan play
    postpone prepare preview print process promise prove put queue rate read receive record
    redraw refer refresh refuse register reject relay release remember remove rename render
    renew repeat replace reply report request resample reserve reset resolve restore resume
    retry return revoke rotate run say screen seal search select send separate serve set settle
    share shorten show shut sign skip solve sort speak split start step stop subscribe sum
    summarize sync take takes tell trim unblock undo unlock unpack unsubscribe update upgrade
    use verify warm warn where withdraw write
    """.split()  # noqa: SIM905
)
"""First words of public functions. `where_` begins a condition in SQL."""
NAMED = ("api", "db", "dialer", "dialplan", "hotline", "ivr", "ops", "prompts", "scheduler", "settings")
"""Folders whose public functions begin with a verb."""
SQL = ("now", "trusted_now")
"""Functions that are named like SQL's."""
PUBLIC = ("get", "post", "put", "patch", "delete", "head", "api_route", "command", "callback")
"""Decorators of FastAPI and Typer whose functions are named by what a program or an administrator says."""
WORDS = 20
RELEASED = ROOT / "db" / "migrations" / "versions"
"""Migrations, which nobody changes once a city has run them (tests/db/test_version_before.py)."""
FILES = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.parent != RELEASED
)


def list_docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return the line and text of each docstring, those below assignments included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text
        body = getattr(node, "body", None)
        for before, after in itertools.pairwise(body) if isinstance(body, list) else ():
            match before, after:
                case ast.Assign() | ast.AnnAssign(), ast.Expr(value=ast.Constant(value=str(text))):
                    yield after.lineno, text.strip()


def find_faults(text: str) -> list[str]:
    """Return the first word that may not begin a docstring, and each sentence of more than WORDS words."""
    first = re.match(r"[A-Za-z']+", text)
    faults = [first.group()] if first and first.group().lower() in FORBIDDEN else []
    for paragraph in re.split(r"\n\s*\n", text):
        rule = r"\s*\|\s*" if paragraph.startswith("|") else r'(?<=[.!?])\s+(?=[A-Z`«"])'  # cells of a table
        sentences = re.split(rule, " ".join(paragraph.split()))
        faults += [sentence for sentence in sentences if len(sentence.split()) > WORDS]
    return faults


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_begin_well_and_are_short(file: Path) -> None:
    docstrings = list_docstrings(ast.parse(file.read_text()))
    assert [(line, fault) for line, text in docstrings for fault in find_faults(text)] == []


LETTERS = 60


def is_named_in_public(function: ast.FunctionDef) -> bool:
    """Return whether the name is an operation of the API, a word of the command line, or `main`."""
    calls = [each.func for each in function.decorator_list if isinstance(each, ast.Call)]
    registered = any(isinstance(call, ast.Attribute) and call.attr in PUBLIC for call in calls)
    return registered or function.name == "main"


def is_context(function: ast.FunctionDef) -> bool:
    """Return whether the function makes a context manager, named after its state (`with reading`)."""
    return any(isinstance(each, ast.Name) and each.id == "contextmanager" for each in function.decorator_list)


def test_public_functions_begin_with_a_verb() -> None:
    names = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for folder in NAMED
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not (is_named_in_public(node) or is_context(node) or node.name in SQL)
        and node.name.partition("_")[0] not in VERBS
    }
    assert sorted(names) == []


def test_names_of_tests_are_short() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > LETTERS
    ] == []


LONG = "word " * (WORDS + 1)


@pytest.mark.parametrize(
    "text", ["Whoever calls is heard.", "so it is", f"Return. {LONG}end.", f"Return.\n\n{LONG}"]
)
def test_bad_docstring_is_found(text: str) -> None:
    assert find_faults(text)


def test_good_docstring_passes() -> None:
    assert find_faults('Return the place. Raises Refused("gone").\n\n' + "word " * WORDS) == []
