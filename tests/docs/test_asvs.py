"""The table of ASVS 5.0.0: each requirement of levels 1 and 2 once, nothing unmet without a word."""

import re
from collections import Counter
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "operate" / "asvs.md").read_text()
SECTIONS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 "
    "4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 "
    "7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 "
    "10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 "
    "14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2"
)
"""How many requirements of levels 1 and 2 each section has; they are its first ones."""
ROW = re.compile(
    r"^\| (?P<which>\d[\d., –]+) \| (?P<asked>.+?) \| (?P<met>\w+) \| (?P<how>.*?) ?\|$", re.MULTILINE
)


def _numbers(which: str) -> list[str]:
    """`1.4.1–3, 1.5.1` as four."""
    found = [re.fullmatch(r"(\d+\.\d+)\.(\d+)(?:–(\d+))?", each) for each in which.split(", ")]
    assert all(found), which
    return [f"{m[1]}.{n}" for m in found if m for n in range(int(m[2]), int(m[3] or m[2]) + 1)]


def test_table_lists_each_requirement_of_the_standard_once() -> None:
    counted = [section.split(":") for section in SECTIONS.split()]
    asked = [f"{section}.{n}" for section, count in counted for n in range(1, int(count) + 1)]
    assert len(asked) == 253
    assert sorted(n for row in ROW.finditer(PAGE) for n in _numbers(row["which"])) == sorted(asked)


def test_unmet_requirement_has_a_reason_and_the_totals_are_right() -> None:
    rows = list(ROW.finditer(PAGE))
    met = Counter(row["met"] for row in rows for _ in _numbers(row["which"]))
    head = re.search(r"^\| requirements \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert head and [int(n) for n in head.groups()] == [met[name] for name in ("yes", "part", "no", "other")]
    assert [row["which"] for row in rows if row["met"] != "yes" and not row["how"]] == []
