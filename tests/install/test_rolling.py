"""The code of the version before, from the history, with its own tests, on this version's tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hotline.version import VERSION

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
PLUGIN = """
import db.migrate

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
    raised = git("log", "-1", "--format=%H", f'-SVERSION = "{VERSION}"', "--", "hotline/version.py").strip()
    assert raised, "no history here: clone the whole repository"
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(f"git archive {raised}^ | tar -x -C {folder}", shell=True, cwd=ROOT, check=True)
    assert f'"{VERSION}"' not in (folder / "hotline" / "version.py").read_text()
    (folder / "web" / "dist").symlink_to(ROOT / "web" / "dist")
    (folder / "on_new_tables.py").write_text(PLUGIN.format(folder=str(MIGRATIONS)))
    return folder


def test_given_this_version_s_tables_when_code_of_the_version_before_runs_on_them_then_nothing_is_missed(
    before: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "on_new_tables", *ITS_TESTS],
        cwd=before,
        env=os.environ | {"PYTHONPATH": str(before)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
