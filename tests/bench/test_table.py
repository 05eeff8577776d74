"""The table of `make bench`: each row is there, measured or not, and says whether it reaches its goal."""

import json
from pathlib import Path

import pytest

from tests.kit import performance
from tests.kit.performance import ROWS, Figure, lines, measured


def test_given_figures_when_the_table_is_made_then_each_row_says_what_it_reaches_and_what_was_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures"
    monkeypatch.setenv(performance._FIGURES, str(file))
    measured("claims", 0.36, "176/s", "493/s")
    measured("memory-sqlite", 338.0)
    told = [Figure(**json.loads(line)) for line in file.read_text().splitlines()]
    table = lines({each.row: each for each in told})
    assert len(table) == 2 + len(ROWS)
    assert {line.count("|") for line in table} == {9}
    (claims,) = (line for line in table if "pgbench" in line or "493/s" in line)
    assert "| 176/s | the bare statement: 493/s | 0.36 of it | ≥ 0.5 of it | **no** |" in claims
    (memory,) = (line for line in table if "(PSS), SQLite" in line)
    assert "| 338 MB | ≤ 400 MB | yes |" in memory
    assert sum("not measured" in line for line in table) == len(ROWS) - 2


def test_given_no_table_is_made_when_a_bench_says_a_figure_then_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(performance._FIGURES, raising=False)
    monkeypatch.chdir(tmp_path)
    measured("claims", 0.36)
    assert not list(tmp_path.iterdir())
