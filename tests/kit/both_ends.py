"""Sharing of the tests among workers: long ones from the front, short ones from the back.

The long ones mostly wait, for a phone to ring or a prompt to end. One additional worker of low priority
meanwhile plays tests that only need a processor. A browser needs a processor, too, and its sound stutters
without one. Only some of the workers have a browser at a time, and the others play tests that wait.
"""

import os

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

LIGHT_WORKER = "gw5"
"""The sixth; fewer workers have none."""
_NICE = 5
_PATIENCE_S = 900
"""The timeout of the light worker's tests, which get little processor time."""

_LONG = (
    "test_voice_messages.py",
    "test_waiting.py",
    "test_telephones.py",
    "test_menu_calls.py",
    "test_clock_jumps.py",
)
"""Files of minutes: whichever began last would be played alone in the end."""
_BROWSERS = (
    *("test_whole_path.py", "test_browser_phone.py", "test_official.py", "test_operators_hour.py"),
    *("test_sound_quality.py", "test_doors.py", "test_public_in_a_browser.py", "test_public_in_the_dark.py"),
    *("test_by_hand_on_two_nodes.py", "test_browser.py", "bench", "pages"),
)
_BROWSERS_AT_ONCE = 2
HEAVY = (*_LONG, *_BROWSERS, "faults", "system", "kit")
"""Tests of whole systems or browsers (a file, or all others of a folder), in order."""


def is_heavy(file: str) -> bool:
    """Whether the tests of this file (its path within the project) are no light worker's."""
    return turn(file) < len(HEAVY)


def turn(file: str) -> int:
    """When the tests of this file have their turn."""
    folder, name = file.split("/")[-2:]
    return next((HEAVY.index(each) for each in (name, folder) if each in HEAVY), len(HEAVY))


def has_browser(file: str) -> bool:
    """Whether the tests of this file open one."""
    return HEAVY[turn(file)] in _BROWSERS if is_heavy(file) else False


class BothEnds(LoadFileScheduling):
    """Files in their order for all workers but the light one: it takes its own from the end, then stops."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(self._next_for(node), last=False)
        super()._assign_work_unit(node)

    def _next_for(self, node: WorkerController) -> str:
        if self._is_light(node):
            return next(reversed(self.workqueue))
        first = next(iter(self.workqueue))
        under_way = [
            file
            for other, files in self.assigned_work.items()
            for file, done in files.items()
            if other is not node and not all(done.values())
        ]
        if sum(map(has_browser, under_way)) >= _BROWSERS_AT_ONCE:
            return next((file for file in self.workqueue if not has_browser(file)), first)
        return first

    def _reschedule(self, node: WorkerController) -> None:
        if self._is_light(node) and self.workqueue and is_heavy(next(reversed(self.workqueue))):
            node.shutdown()
        else:
            super()._reschedule(node)

    @staticmethod
    def _is_light(node: WorkerController) -> bool:
        return bool(node.gateway.id == LIGHT_WORKER)


def gives_way() -> bool:
    """Whether this process is the light worker."""
    return os.environ.get("PYTEST_XDIST_WORKER") == LIGHT_WORKER


def give_way() -> None:
    """In the light worker: take of the processors what the others leave."""
    if gives_way():
        os.nice(_NICE)


def be_patient(items: list[pytest.Item]) -> None:
    """In the light worker: no test hangs only because the others leave it little."""
    if gives_way():
        for item in items:
            item.add_marker(pytest.mark.timeout(_PATIENCE_S))
