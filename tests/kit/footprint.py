"""Footprint of a running system's processes: processor time and memory."""

import re
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.kit.system import System

OURS = ("run", "ivr", "dialer", "scheduler", "api")
"""All but Asterisk, which is the other one of `pids`."""
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)


def pids(system: System) -> dict[str, int]:
    """Return the pids of OURS, and of Asterisk."""
    found = {name: system.pid(name) for name in (*OURS[1:], "asterisk")}
    return {"run": psutil.Process(found["ivr"]).ppid(), **found}


def cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of the processor that each has taken since it began."""
    return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in pids.items()}


def mb(pid: int) -> float:
    """A process' memory, with its part of what it shares (PSS); 0 if it is gone."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) / 1024 if found else 0.0
