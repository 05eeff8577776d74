"""The arrows between the rooms are contracts: a wrong import is found, and named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages of the project, to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("api", "scheduler", "db", "dialer", "dialplan", "hotline", "ivr", "ops", "prompts"):
        for file in (ROOT / package).rglob("*.py"):
            there = tmp_path / file.relative_to(ROOT)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, there)
    return tmp_path


def test_forbidden_import_breaks_its_contract(copy: Path) -> None:
    for room, wrong in (
        ("hotline/ledger/seals", "hotline.line.order"),
        ("hotline/citizens/codes", "hotline.callbacks.claims"),
        ("hotline/timetable/days", "hotline.requests.lifecycle"),
        ("ivr/menus", "dialer.ami"),
    ):
        with (copy / f"{room}.py").open("a") as module:
            module.write(f"\nimport {wrong}\n")
    said = subprocess.run([LINT, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stdout.count(" BROKEN") == 4, said.stdout
