"""docs/tests.md names what each long test shows."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEXT = (TESTS.parent / "docs" / "tests.md").read_text()
FILES = sorted(
    path.relative_to(TESTS)
    for path in TESTS.rglob("test_*.py")
    if path.parent.name in ("faults", "system") or re.search(r"mark\.long", path.read_text())
)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_long_file_stands_in_the_table(file: Path) -> None:
    assert f"`tests/{file}`" in TEXT
