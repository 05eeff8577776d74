"""SQLite's file may not be written when a process opens it, and may be a moment later."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.postgres import unprivileged
from tests.kit.process import folder_in_memory

ROOT = Path(__file__).parents[2]

_PROCESS = """
import os, shutil, sys
from db.engine import connect, is_away, reading, writing
from db.models import Base
from hotline import heartbeats

folder, user = sys.argv[1:]
file = folder + "/hotline.db"
engine = connect("sqlite:///" + file)

def writes():
    try:
        with writing(engine) as session:
            heartbeats.beat(session, "ivr")
    except Exception as error:
        assert is_away(error), error
        return False
    return True

Base.metadata.create_all(engine)
assert writes()
engine.dispose()

if user:  # whom the rights of a file stop
    for each in (folder, *(entry.path for entry in os.scandir(folder))):
        shutil.chown(each, user)
    import pwd
    os.setuid(pwd.getpwnam(user).pw_uid)
os.chmod(file, 0o400)
with reading(engine) as one, reading(engine) as two:
    assert heartbeats.is_alive(one, "ivr") and heartbeats.is_alive(two, "ivr")
print(writes(), writes())
for each in os.scandir(folder):  # what SQLite made beside it has its rights
    os.chmod(each, 0o600)
writes()
print(writes(), writes())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = folder_in_memory("read-only-")
    yield folder
    shutil.rmtree(folder)


def test_file_that_may_be_written_again_is_written(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS, folder, unprivileged() or ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["False", "False", "True", "True"], done.stderr
