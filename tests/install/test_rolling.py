"""The code of the version before, from the history, with its own tests, on this version's tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.version import list_newest
from tests.kit.released import VERSION

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "db" / "migrations"
ITS_TESTS = (
    "tests/hotline",
    "tests/api",
    "tests/clerk",
    "tests/dialer",
    "tests/ivr",
    "tests/system/test_registration_call.py",
    "tests/system/test_whole_path.py",
)
NOT_ITS_TABLES = {  # by the names that these tests have in the version before
    "tests/api/test_web.py": "the pages there are this version's",
    "tests/api/public/test_public_in_a_browser.py": "as before",
    "tests/api/public/test_public_in_the_dark.py": "as before",
    "tests/hotline/rounds/test_rounds.py::"
    "test_given_times_in_any_order_when_a_round_is_made_then_only_sensible_ones_are_taken": (
        "it makes rounds for the first of December 2026, which must be more than a day away"
    ),
    "tests/hotline/requests/test_requests.py::"
    "test_given_what_the_city_has_not_when_it_is_reported_then_the_database_refuses_it[district-16]": (
        "a city may have more than fifteen districts by now; the old code asks for fifteen itself"
    ),
}
PLUGIN = """
import db.migrate
import db.version

# 0.3.0 asks whether the tables are its own to the letter; this version takes the next release's, too.
db.version.newest = lambda: {newest!r}

_config = db.migrate._config

def new_tables():
    config = _config()
    config.set_main_option("script_location", {folder!r})
    return config

db.migrate._config = new_tables
"""

pytestmark = pytest.mark.timeout(1800)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last commit of the version before this one."""
    left = git("log", "-1", "--format=%H", f'-SVERSION = "{VERSION}"', "--", "hotline/version.py").strip()
    assert left, "no history here: clone the whole repository"
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(f"git archive {left}^ | tar -x -C {folder}", shell=True, cwd=ROOT, check=True)
    assert f'"{VERSION}"' in (folder / "hotline" / "version.py").read_text()
    (folder / "web" / "dist").symlink_to(ROOT / "web" / "dist")
    (folder / "on_new_tables.py").write_text(PLUGIN.format(folder=str(MIGRATIONS), newest=list_newest()))
    return folder


def test_version_before_passes_its_tests_on_current_tables(
    before: Path,
) -> None:
    named = {name.partition("::")[0] for name in (*ITS_TESTS, *NOT_ITS_TABLES)}
    assert [name for name in sorted(named) if not (before / name).exists()] == []
    left_out = [f"--deselect={name}" for name in NOT_ITS_TABLES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "on_new_tables", *left_out, *ITS_TESTS],
        cwd=before,
        env=os.environ | {"PYTHONPATH": str(before)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
