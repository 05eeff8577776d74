"""Ports that nobody else has, and programs that end with their children."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import ports
from tests.kit.ports import free_port, free_range, give_back
from tests.kit.process import Program, ProgramError, folder_in_memory, until


def test_two_workers_never_take_the_same_port():
    take = "from tests.kit.ports import *; print(*[free_port() for _ in range(60)], free_range(150).first)"
    root = Path(__file__).parents[2]
    mine = {free_port() for _ in range(60)} | {free_range(150).first}
    theirs = set(map(int, subprocess.check_output([sys.executable, "-c", take], cwd=root).split()))
    assert len(mine) == len(theirs) == 61
    assert not mine & theirs


def test_returned_port_range_is_claimed_again(monkeypatch):
    monkeypatch.setattr(ports, "FIRST", 32_000)  # where nobody else takes any
    monkeypatch.setattr(ports, "LAST", 32_200)
    first = free_range(200)
    with pytest.raises(RuntimeError, match="claimed"):
        free_range(200)
    give_back(first)
    assert free_range(200) == first
    give_back(first)


def test_stopped_program_takes_its_children_along(tmp_path):
    log = tmp_path / "log"
    with Program(["sh", "-c", "sleep 99 & echo $!; wait"], folder=tmp_path, log=log) as program:
        program.ready(lambda: log.read_text().strip())
        child = Path("/proc", log.read_text().strip())
        assert child.exists()
    assert not program.alive()
    until(lambda: not child.exists() or ") Z " in child.joinpath("stat").read_text(), "the child gone")


def test_failed_start_raises_with_its_last_output(tmp_path):
    sick = Program(["sh", "-c", "echo no bread; exit 1"], folder=tmp_path, log=tmp_path / "log")
    with sick, pytest.raises(ProgramError, match="no bread"):
        sick.ready(lambda: False)


def test_folder_of_a_killed_process_is_removed_by_the_next():
    make = "from tests.kit.process import *; print(folder_in_memory('kit-', 1 << 20), flush=True); input()"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", make]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        left = Path(maker.stdout.readline().strip())
        shutil.rmtree(folder_in_memory("kit-", 1 << 20))
        assert left.exists(), "its maker lives"
        maker.send_signal(signal.SIGKILL)
    shutil.rmtree(folder_in_memory("kit-", 1 << 20))
    assert not left.exists()
