"""Words for people: the languages of each audience are alike, and the code itself has none."""

import ast
import re
import tomllib
from collections.abc import Iterator, Set
from pathlib import Path

import pytest

from api.public import agency_page, requests_page
from db.models import TimeUnit
from db.states import Fact, Outcome, Phase, RegistrationState, RequestState, RequestStep
from hotline import audit
from hotline.dates import LANGUAGES
from hotline.line.fairness import Reason
from hotline.reports import audit_texts
from hotline.requests import lifecycle
from hotline.timetable.round_making import TIMETABLE
from hotline.words import PAGES, PUBLIC, STAFF, Book, WordsError
from scheduler import wording

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS = [name.rstrip("*") for name in SETUPTOOLS["packages"]["find"]["include"]]
BOOKS = {"public": PUBLIC, "pages": PAGES, "staff": STAFF, "messages": wording.TEXTS}
PERSIAN = re.compile("[آ-ی]{2,}")
PAGES_OF: dict[str, Set[str]] = {
    "figures": {*requests_page.COUNTS, *requests_page.MEANS},
    "joined-states": set(RequestState) - {RequestState.DUPLICATE},  # of the one it was joined to
    "listed-states": set(RequestState) - {RequestState.DUPLICATE},
    "passed-refusals": {*agency_page.REFUSALS, "other"},
    "phases": set(Phase) - {Phase.PLANNED},
    "request-states": set(RequestState) - {RequestState.DUPLICATE},  # the first one's is shown
    "request-steps": frozenset(RequestStep) - set(lifecycle.OF_THE_OFFICE),
    # two facts are of no place
    "ticket-facts": set(Fact) - {Fact.ROUND_CANCELLED, Fact.REQUEST_STEP} | {"taken_back", "set_back"},
    "ticket-outcomes": set(Outcome),
    "ticket-passed": set(Reason),
    "ticket-states": set(RegistrationState) | {"deferred", "spoken"},
    "working-time": set(TimeUnit),
}
"""The values by which the pages choose a text: each has its words."""
NOT_FOR_READING = {
    "db/migrations/versions/0001_first_tables.py",  # what a first installation begins with
    "hotline/sms_inbox/answers.py",  # what citizens write to us
    "hotline/sms_inbox/commands.py",  # and what they ask for
    "ops/sample.py",  # a city to try out
    "prompts/persian.py",  # how numbers are spoken
}


def strings(file: Path) -> Iterator[str]:
    """Yield the strings of the code without its documentation."""
    tree = ast.parse(file.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


@pytest.fixture(params=BOOKS)
def book(request: pytest.FixtureRequest) -> Book:
    return BOOKS[request.param]


def test_languages_of_an_audience_have_equal_words_and_slots(
    book: Book,
) -> None:
    assert sorted(LANGUAGES) == book.languages()
    persian, english = (book.tables(language) for language in LANGUAGES)
    assert {name: list(texts) for name, texts in persian.items()} == {
        name: list(texts) for name, texts in english.items()
    }
    for table, texts in persian.items():
        for name in texts:
            assert book.slots("fa", table, name) == book.slots("en", table, name), (table, name)


def test_no_text_is_empty_or_in_the_wrong_script(book: Book) -> None:
    for language in LANGUAGES:
        for table, texts in book.tables(language).items():
            for name, text in texts.items():
                assert text.strip(), (language, table, name)
                assert "}" not in re.sub(r"\{\w+\}", "", text), (language, table, name)
                assert language == "fa" or not PERSIAN.search(text), (table, name)


def test_templates_use_exactly_the_existing_texts() -> None:
    files = list((ROOT / "api" / "templates").glob("*.html"))
    templates = "".join(file.read_text() for file in files)
    assert len(files) > 5
    assert PERSIAN.findall(templates) == ["فارسی"]  # the way to it, on a page in English
    chosen = set(re.findall(r"\bt\('([\w-]+)\.' ~", templates))
    assert chosen == PAGES_OF.keys()
    named = set(re.findall(r"\bt\('([\w-]+\.[\w-]+)'", templates))
    texts = {f"{table}.{name}" for table, names in PAGES.tables("fa").items() for name in names}
    assert named - texts == set()
    by_code = {"waits"}  # api/pages.py
    assert {text for text in texts - named if text.partition(".")[0] not in chosen | by_code} == set()


@pytest.mark.parametrize("table", PAGES_OF)
def test_each_subject_of_a_page_has_its_words(table: str) -> None:
    assert PAGES.table("fa", table).keys() == PAGES_OF[table]


def test_filling_replaces_own_slots_once(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[round]\nwhen = "{office}: {when}"\n')
    values = {"office": "{when}", "when": "9", "other": "x"}

    assert Book(tmp_path).fill("en", "round", "when", values) == "{when}: 9"


def test_unknown_language_table_text_or_value_is_refused(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[round]\nwhen = "{office}: {when}"\n')
    book = Book(tmp_path)

    with pytest.raises(WordsError, match="no words in 'de'"):
        book.tables("de")
    with pytest.raises(WordsError, match=r"no words \[x\] in 'en'"):
        book.table("en", "x")
    with pytest.raises(WordsError, match=r"no words 'x' of \[round\] in 'en'"):
        book.text("en", "round", "x")
    with pytest.raises(WordsError, match=r"'when' of \[round\] needs office, when"):
        book.fill("en", "round", "when", {})


def test_each_impersonal_actor_has_a_name() -> None:
    nobody = {audit.COMMAND_LINE, audit.SYSTEM, audit.CITIZEN, audit.STRANGER, TIMETABLE, audit.SUPERVISOR}
    nobody.add(audit.DIRECTORY)

    for language in LANGUAGES:
        assert STAFF.table(language, "audit-doers").keys() == nobody
        assert STAFF.table(language, "audit-columns").keys() == {"when", *audit_texts.Words._fields}


def test_code_holds_no_words_for_people() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    found = {
        str(file.relative_to(ROOT)) for file in files if any(PERSIAN.search(text) for text in strings(file))
    }

    assert found == NOT_FOR_READING


def test_word_files_are_in_the_package() -> None:
    for folder in FOLDERS:
        home = ROOT / folder
        patterns = SETUPTOOLS["package-data"].get(folder, [])
        assert set(home.rglob("*.toml")) <= {file for pattern in patterns for file in home.glob(pattern)}
