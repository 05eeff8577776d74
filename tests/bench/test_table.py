"""The table of `make bench`: each row is there, measured or not, and says whether it reaches its goal."""

import json
from pathlib import Path

import pytest

from tests.kit import performance
from tests.kit.performance import ROWS, Figure, lines, measured


def test_table_row_states_its_goal_or_that_it_was_not_measured(
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


def test_figure_without_a_table_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(performance._FIGURES, raising=False)
    monkeypatch.chdir(tmp_path)
    measured("claims", 0.36)
    assert not list(tmp_path.iterdir())
